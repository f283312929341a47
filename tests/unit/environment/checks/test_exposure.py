"""What `env.check` says about who else can read env files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.dockerfile import ignore as dockerignore
from invoke_stack.findings.model import Report

Told = Callable[..., list[tuple[str, str, str]]]
Check = Callable[..., Report]
SECRET = "JWT_SECRET=a1b2c3d4e5f60718a1b2c3d4e5f60718\n"
FILES = {".env.example": "JWT_SECRET=\n", ".env": SECRET}
BUILD = "services:\n  web:\n    build: .\n"


def test_a_file_with_a_secret_that_others_can_read(told: Told) -> None:
    assert told(FILES, rights=0o644) == [("ENV-MODE", "warning", ".env")]
    assert told(FILES, rights=0o640, mode="prod") == [("ENV-MODE", "error", ".env")]
    assert told({".env.example": "A=1\n", ".env": "A=1\n"}, rights=0o644) == []


def test_a_file_that_git_has(checked: Check) -> None:
    (found,) = checked(FILES, tracked=(".env.example", ".env")).findings

    assert (found.rule, found.severity, found.subject) == ("ENV-TRACKED", "error", ".env")
    assert "git rm --cached .env" in found.fix
    assert "history" in found.fix


def test_a_modes_file_may_be_committed_without_secrets(told: Told) -> None:
    files = {".env.development": "A=1\n"}

    assert told(files, tracked=(".env.development",), ignored=()) == []
    assert told({".env.development": SECRET}, tracked=(".env.development",), ignored=()) == [
        ("ENV-TRACKED", "warning", ".env.development")
    ]


def test_a_file_that_git_would_take(checked: Check) -> None:
    (found,) = checked(FILES, ignored=()).findings

    assert (found.rule, found.severity, found.fix) == (
        "ENV-UNIGNORED",
        "error",
        "add to .gitignore: .env",
    )


def test_a_template_that_git_ignores(told: Told) -> None:
    assert told(FILES, ignored=(".env", ".env.example")) == [
        ("ENV-UNIGNORED", "warning", ".env.example")
    ]


def test_without_a_repository_git_is_an_unknown(checked: Check) -> None:
    report = checked(FILES, tracked=None)

    assert report.findings == ()
    assert report.unknowns[-1].rule == "ENV-TRACKED"
    assert "no repository" in report.unknowns[-1].message


@pytest.mark.parametrize(
    ("ignore", "found"),
    [
        ({}, True),
        ({".dockerignore": "node_modules\n"}, True),
        ({".dockerignore": ".env*\n!.env\n"}, True),
        ({".dockerignore": "# all\n**/.env\n"}, False),
        ({".dockerignore": "*\n!src\n"}, False),
        ({".dockerignore": ".env\n", "Dockerfile.dockerignore": "x\n"}, True),
    ],
)
def test_a_file_that_reaches_an_image(told: Told, ignore: dict[str, str], *, found: bool) -> None:
    files = {**FILES, **ignore, "compose.yaml": BUILD}

    assert told(files) == ([("ENV-IMAGE", "warning", ".env")] if found else [])
    assert told(files, mode="prod") == ([("ENV-IMAGE", "error", ".env")] if found else [])


def test_only_files_inside_the_context_reach_an_image(told: Told) -> None:
    files = {**FILES, "compose.yaml": BUILD.replace("build: .", "build: web"), "web/x": ""}

    assert told(files) == []


@pytest.mark.parametrize(
    ("patterns", "name", "out"),
    [
        ((".env",), ".env", True),
        ((".env",), "api/.env", False),
        (("**/.env",), "api/v1/.env", True),
        (("**/.env",), ".env", True),
        (("**/.env.*",), "api/.env.local", True),
        (("/.env",), ".env", True),
        (("./.env",), ".env", True),
        (("api",), "api/.env", True),
        (("api/",), "api/.env", True),
        (("*",), "api/.env", True),
        (("*", "!api"), "api/.env", False),
        ((".env*", "!.env.production"), ".env.production", False),
        ((".en?",), ".env", True),
        ((".en[uv]",), ".env", True),
        (("api/**",), "api/x/.env", True),
        (("!.env", ".env"), ".env", True),
        ((".ENV",), ".env", False),
        (("[",), ".env", False),
    ],
)
def test_docker_ignore_patterns_mean_what_docker_makes_of_them(
    patterns: tuple[str, ...], name: str, *, out: bool
) -> None:
    assert dockerignore.excluded(name, patterns) is out


def test_comments_and_a_byte_order_mark_are_no_patterns(tmp_path: Path) -> None:
    path = tmp_path / ".dockerignore"
    path.write_bytes("\ufeff.env\r\n# .x\n\n  y  \n".encode())

    assert dockerignore.patterns(path) == (".env", "y")
    assert dockerignore.patterns(tmp_path / "none") == ()


def test_a_broken_compose_file_is_an_unknown(checked: Check) -> None:
    report: Any = checked({**FILES, "compose.yaml": "services: [\n"})

    assert any("compose.yaml" in each.message for each in report.unknowns)
