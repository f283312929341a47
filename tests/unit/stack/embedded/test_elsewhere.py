import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.environment.declared import Declared
from invoke_stack.project import Project
from invoke_stack.stack.embedded import elsewhere


@pytest.mark.parametrize(
    ("mode", "command"),
    [
        ("dev", "inv env.run -- npm run dev"),
        ("test", "inv env.run --test -- npm run dev"),
        ("prod", "inv env.run --prod -- npm run start"),
    ],
)
def test_the_command_for_what_needs_a_container_keeps_the_mode(
    declare: Callable[..., Declared],
    make_project: Callable[..., Project],
    tmp_path: Path,
    mode: str,
    command: str,
) -> None:
    scripts = {"dev": "next dev", "start": "next start"}
    (tmp_path / "package.json").write_text(json.dumps({"scripts": scripts}))
    services: dict[str, Any] = {"web": {"build": {"context": str(tmp_path)}}}

    (line,) = elsewhere.lines(make_project(), declare(services, mode=mode), ["web"])

    assert line == f"web is not started without Docker; run it with: {command}"
