"""A patient whose programs answer from a script and whose engine is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from invoke_stack.doctor.patient import Patient
from invoke_stack.project import Project

Examine = Callable[..., Patient]


@pytest.fixture
def examine(make_project: Callable[..., Project]) -> Iterator[Examine]:
    """Return a project under examination, outside a stack and where no engine answers."""
    with ThreadPoolExecutor(max_workers=4) as pool:

        def examine(files: Mapping[str, str] | None = None, **more: Any) -> Patient:
            environ = {"DOCKER_HOST": "unix:///nowhere/engine.sock", "PATH": "/nowhere"}
            environ |= more.pop("environ", {})
            settings = {"engine": "docker", **more.pop("settings", {})}
            return Patient(make_project(settings, files=files, environ=environ, **more), pool)

        yield examine
