from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.errors import MissingProgramError
from invoke_stack.parity.declaration import Declaration, Options
from invoke_stack.parity.readers.compose import ComposeReader
from invoke_stack.parity.readers.render import RenderReader
from invoke_stack.parity.workspace import Workspace
from invoke_stack.process import SystemRunner
from invoke_stack.project import Project
from invoke_stack.settings import Source, load

Lay = Callable[..., Project]
Files = Mapping[str, str]
Read = Callable[..., Declaration]


class NoPrograms:
    """A machine without git and Docker."""

    dry = False

    def capture(self, *_: object, **__: object) -> object:
        raise MissingProgramError("docker", "not installed", hint="install it")

    attach = start = capture


@pytest.fixture
def lay(tmp_path: Path) -> Lay:
    """Write files and return the project that they are; it starts no program unless asked."""

    def make(
        files: Files,
        settings: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
        *,
        programs: bool = False,
    ) -> Project:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        given = {"parity": settings} if settings else {}
        runner = SystemRunner(dict(os.environ)) if programs else NoPrograms()
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", ""),
            **(environ or {}),
        }
        return Project(tmp_path, load([Source("test", given)]), runner, variables)  # type: ignore[arg-type]

    return make


@pytest.fixture
def workspace(lay: Lay) -> Callable[..., Workspace]:
    """Write files and return what readers see of them."""
    return lambda files, **more: Workspace(lay(files, **more))


@pytest.fixture
def render(lay: Lay) -> Read:
    """Read a Blueprint and the files beside it."""

    def read(text: str, files: Files | None = None, environment: str = "") -> Declaration:
        project = lay({"render.yaml": text, **(files or {})})
        options = Options("production", environment)
        return RenderReader().read(Workspace(project), ("render.yaml",), options)

    return read


@pytest.fixture
def compose(lay: Lay) -> Read:
    """Read compose files with Compose's own merge; those named `compose*` in their order."""
    docker = shutil.which("docker")
    if (
        docker is None
        or subprocess.run(
            [docker, "compose", "version"], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("needs the docker CLI with Compose; no engine")

    def read(files: Files, *names: str, **more: Any) -> Declaration:
        project = lay(files, programs=True, **more)
        chosen = names or ("compose.yaml",)
        return ComposeReader().read(Workspace(project), chosen, Options("local"))

    return read
