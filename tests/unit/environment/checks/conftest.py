from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from invoke_stack.environment.checks import check
from invoke_stack.findings.model import Report
from invoke_stack.project import Project

if TYPE_CHECKING:
    from tests.conftest import FakeRunner

Check = Callable[..., Report]


@pytest.fixture
def checked(make_project: Callable[..., Project], tmp_path: Path, runner: FakeRunner) -> Check:
    """Check a project of these files; git has and ignores what is said, or is not there."""

    def checked(
        files: Mapping[str, str],
        *,
        mode: str = "",
        tracked: tuple[str, ...] | None = (),
        ignored: tuple[str, ...] = (".env", ".env.local", ".env.production"),
        rights: int = 0o600,
        settings: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Report:
        runner.answer("docker", code=1)
        runner.answer("ls-files", "\0".join(tracked or ()), code=128 if tracked is None else 0)
        paths = "\0".join(str(tmp_path / name) for name in ignored)
        runner.answer("check-ignore", paths, code=0 if ignored else 1)
        project = make_project(settings, files=files, mode=mode, environ=environ)
        for path in tmp_path.rglob(".env*"):
            path.chmod(rights)
        return check.check(project)

    return checked


@pytest.fixture
def told(checked: Check) -> Callable[..., list[tuple[str, str, str]]]:
    """Return rule, severity and subject of what is found."""

    def told(*words: Any, **more: Any) -> list[tuple[str, str, str]]:
        return [
            (each.rule, each.severity, each.subject) for each in checked(*words, **more).findings
        ]

    return told
