from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from invoke_stack.compose.variables import Variable
from invoke_stack.environment.layers import Layer, layer_paths, read
from invoke_stack.environment.resolve import ResolvedEnv, resolve, service_env
from invoke_stack.modes import Mode, find

Write = Callable[..., list[Layer]]
BASE, DEV = find("base"), find("dev")
Resolve = Callable[..., ResolvedEnv]
Services = Mapping[str, Mapping[str, object]]
Config = Callable[[Services, Mapping[str, str]], dict[str, dict[str, str | None]]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write env files and read them as layers, lowest rank first."""

    def write(files: Mapping[str, str], *, allow: Iterable[str] = ()) -> list[Layer]:
        layers = []
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
            layers.append(read(path, tmp_path, allow=tuple(allow)))
        return layers

    return write


@pytest.fixture
def compose_config(tmp_path: Path) -> Config:
    """Return each service's environment as the real Compose sees it."""
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], check=False).returncode:
        pytest.skip("needs the docker CLI with Compose; no engine")

    def config(services: Services, environ: Mapping[str, str]) -> dict[str, dict[str, str | None]]:
        folder = tmp_path / "stack"
        folder.mkdir(exist_ok=True)
        file = folder / "compose.json"
        named = {name: {"image": "x", **body} for name, body in services.items()}
        file.write_text(json.dumps({"name": "t", "services": named}))
        done = subprocess.run(
            [docker, "compose", "-f", file, "config", "--format", "json"],
            env={"PATH": os.environ["PATH"], **environ},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        found = json.loads(done.stdout)["services"]
        return {
            name: {
                key: None if text is None else text.replace("$$", "$")
                for key, text in (body.get("environment") or {}).items()
            }
            for name, body in found.items()
        }

    return config


@pytest.fixture
def resolved(write: Write) -> Resolve:
    def resolved(
        files: Mapping[str, str],
        environ: Mapping[str, str] | None = None,
        overrides: Mapping[str, str] | None = None,
        *,
        mode: Mode = BASE,
        variables: tuple[Variable, ...] = (),
        templates_marks: Mapping[str, Mapping[str, str]] | None = None,
    ) -> ResolvedEnv:
        return resolve(
            mode,
            write(files),
            environ or {},
            overrides or {},
            variables=variables,
            templates_marks=templates_marks,
        )

    return resolved


@pytest.fixture
def service(tmp_path: Path) -> Resolve:
    def service(
        files: Mapping[str, str],
        entries: list[str],
        environ: Mapping[str, str] | None = None,
        overrides: Mapping[str, str] | None = None,
        *,
        mode: Mode = DEV,
    ) -> ResolvedEnv:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return service_env(
            [tmp_path / entry for entry in entries],
            tmp_path,
            mode,
            environ or {},
            overrides or {},
            base=[read(path, tmp_path) for path in layer_paths(tmp_path, mode)],
        )

    return service
