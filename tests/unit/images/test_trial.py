from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from invoke_stack.images import trial
from invoke_stack.images.checks.subject import Subject

MakeSubject = Callable[..., Subject]


def test_a_run_is_hardened_without_network_and_shows_no_value(make_subject: MakeSubject) -> None:
    service = {"user": "1000", "entrypoint": ["sh", "-c"], "command": ["node x"]}
    subject = make_subject(service=service, environment={"AUTH": "s3cr3t"})

    argv = trial.command(subject, "name", Path("/state/e.env"), trial.HARDENED).argv

    assert argv == (
        *("docker", "run", "--name", "name", "--network", "none", "--pull", "never"),
        *("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"),  # noqa: S108 - the container's
        *("--security-opt", "no-new-privileges", "--env-file", "/state/e.env"),
        *("--user", "1000", "--entrypoint", "sh", "sha256:1", "-c", "node x"),
    )


def test_the_env_file_has_what_the_image_does_not() -> None:
    text = trial.env_text({"PATH": "/bin", "A": "1", "KEY": "two\nlines"}, {"PATH": "/bin"})

    assert text == "A=1\n"


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        ("sh: 1: cannot create /state/x: Read-only file system", "tmpfs: [/state]"),
        (
            "Error: EROFS: read-only file system, open '/app/.next/cache/a'",
            "tmpfs: [/app/.next/cache]",
        ),
        ("bind: permission denied", "cap_add"),
    ],
)
def test_the_folder_to_write_to_is_named(line: str, fix: str) -> None:
    assert fix in trial.remedy(["starting", line])
