from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from invoke_stack.doctor import env

if TYPE_CHECKING:
    from conftest import Examine, FakeRunner

TEMPLATE = "# @required\nAPI_URL=\n# @sensitive @generate=hex(32)\nSECRET_KEY=\n"


@pytest.fixture
def git(runner: FakeRunner) -> FakeRunner:
    """Return a runner in whose repository nothing is tracked or ignored."""
    runner.answer("ls-files", "")
    runner.answer("check-ignore", "")
    return runner


def test_a_missing_env_file_is_an_error_with_the_command_that_makes_it(
    examine: Examine, git: FakeRunner
) -> None:
    found = list(env.files(examine({".env.example": TEMPLATE})))

    assert [(each.rule, each.state, each.subject, each.fix) for each in found[:1]] == [
        ("DOC-ENV", "error", ".env", "inv env.init")
    ]


def test_a_file_that_others_read_and_one_that_git_would_take(
    examine: Examine, git: FakeRunner, tmp_path: Path
) -> None:
    patient = examine({".env": "SECRET_KEY=0123456789abcdef0123456789abcdef\n"})
    (tmp_path / ".env").chmod(0o644)

    found = {each.rule: each for each in env.files(patient) if each.state != "unknown"}

    assert found["DOC-ENV"].fix == "chmod 600 .env"
    assert found["DOC-GIT"].fix == "add to .gitignore: .env"


SET = "every variable that the compose files require is set"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no .env file and no template"),
        ({"compose.yaml": "services: {}\n"}, f"no .env file and no template; {SET}"),
        (
            {".env.production": "A=1\n", "compose.prod.yaml": "services: {}\n"},
            f"private; {SET}; no template says what else belongs there",
        ),
        ({".env": "A=1\n"}, "private; no template says what else belongs there"),
        (
            {".env": "A=1\n", "compose.yaml": "services: {}\n"},
            f"private; {SET}; no template says what else belongs there",
        ),
        ({".env": "A=1\n", ".env.example": "A=\n"}, "complete and private"),
    ],
)
def test_env_files_are_called_complete_only_where_that_is_known(
    examine: Examine, git: FakeRunner, tmp_path: Path, files: dict[str, str], message: str
) -> None:
    git.answer("docker", '{"name": "shop", "services": {}}')
    patient = examine(files)
    for path in tmp_path.glob(".env*"):
        path.chmod(0o600)

    found = [each for each in env.files(patient) if each.rule == "DOC-ENV"]

    assert [(each.state, each.message) for each in found] == [("ok", message)]


def test_many_findings_are_counted(examine: Examine, git: FakeRunner) -> None:
    names = [f"KEY_{number}" for number in range(9)]
    template = "".join(f"# @required\n{name}=\n" for name in names)
    files = {".env.example": template, ".env": "".join(f"{name}=\n" for name in names)}

    found = [each for each in env.files(examine(files)) if each.rule == "DOC-ENV"]

    assert len(found) == env.MOST + 1
    assert found[-1].fix == "all of them: inv env.check"


def test_backups_that_git_takes_are_an_error(
    examine: Examine, runner: FakeRunner, tmp_path: Path
) -> None:
    runner.answer("check-ignore", "")
    (tmp_path / "backups").mkdir()

    (found,) = env.backups(examine())

    assert (found.state, found.fix) == ("error", "add to .gitignore: backups/")


def test_backups_that_git_ignores_pass(
    examine: Examine, runner: FakeRunner, tmp_path: Path
) -> None:
    probe = tmp_path / "backups" / "database" / "probe.dump"
    runner.answer("check-ignore", f"{probe}\0")

    (found,) = env.backups(examine())

    assert found.state == "ok"


def test_backups_elsewhere_are_no_business_of_git(examine: Examine) -> None:
    assert not list(env.backups(examine(settings={"db": {"directory": "/srv/backups"}})))


def test_a_key_that_another_folder_lacks_too_is_told(examine: Examine, git: FakeRunner) -> None:
    """What the stack requires is told where its files are read; that folder's file is another."""
    git.answer("docker compose", '{"name": "shop", "services": {"web": {"image": "web:1"}}}')
    template = "# @required\nAPI_KEY=\n"
    files = {
        "compose.yaml": 'services: {web: {image: "web:1", environment: {A: "${API_KEY:?}"}}}\n',
        ".env": "A=1\n",
        ".env.example": template,
        "api/.env": "A=1\n",
        "api/.env.example": template,
    }

    found = [each for each in env.files(examine(files)) if each.rule == "DOC-ENV"]

    told = [each.message for each in found if each.subject == "API_KEY"]
    assert told == ["not set in api/.env"]
