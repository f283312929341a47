"""Planted secrets: no task shows one, stores one where it persists, or hands one over in argv."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from argv import Watcher

if TYPE_CHECKING:
    from stacks import Project

CANARIES = {
    "POSTGRES_PASSWORD": "canary-pg-5e1d7b0c",
    "PLAIN_MARKED": "canary-marked-90ab3f",
    "TEMPLATE_MARKED": "canary-template-77c1",
    "DATABASE_URL": "canary-url-4f6e2d19",
    "SECRET": "canary-literal-c0ffee1",
    "API_TOKEN": "canary-token-8d2a6b3e",
}
TELLS_ALL = (
    "for (const [key, value] of Object.entries(process.env)) console.log(key + '=' + value);"
)
COMPOSE = f"""
services:
  db:
    image: postgres:16-alpine
    environment:
      POSTGRES_PASSWORD: ${{POSTGRES_PASSWORD:?}}
    volumes: ["data:/var/lib/postgresql/data"]
    healthcheck:
      test: ["CMD-SHELL", "pg_isready -U postgres"]
      interval: 5s
  app:
    image: node:22-alpine
    stop_signal: SIGKILL
    depends_on:
      db: {{condition: service_healthy}}
    env_file: [.env.local]
    environment:
      SECRET: {CANARIES["SECRET"]}
    command: ["node", "-e", "{TELLS_ALL} setInterval(() => 0, 1000)"]
    healthcheck:
      test: ["CMD-SHELL", "env; test ! -e /tmp/sick"]
      interval: 1s
      retries: 2
  leaves:
    image: node:22-alpine
    stop_signal: SIGKILL
    profiles: [staging]
    env_file: [.env.local]
    environment:
      SECRET: {CANARIES["SECRET"]}
    command: ["node", "-e", "{TELLS_ALL} console.error(process.env); process.exit(3)"]
  sick:
    image: node:22-alpine
    stop_signal: SIGKILL
    profiles: [test]
    env_file: [.env.local]
    environment:
      SECRET: {CANARIES["SECRET"]}
    command: ["node", "-e", "{TELLS_ALL} setInterval(() => 0, 1000)"]
    healthcheck:
      test: ["CMD-SHELL", "env; exit 1"]
      interval: 1s
      retries: 2
volumes:
  data:
"""
ENV = f"""POSTGRES_PASSWORD={CANARIES["POSTGRES_PASSWORD"]}
# @sensitive
PLAIN_MARKED={CANARIES["PLAIN_MARKED"]}
TEMPLATE_MARKED={CANARIES["TEMPLATE_MARKED"]}
DATABASE_URL=postgresql://postgres:{CANARIES["DATABASE_URL"]}@db:5432/postgres
API_TOKEN={CANARIES["API_TOKEN"]}
GREETING=hello
"""
TEMPLATE = """# @required
POSTGRES_PASSWORD=
# @sensitive
TEMPLATE_MARKED=
"""


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    thread = Watcher(CANARIES.values())
    thread.start()
    yield thread
    thread.stop()
    assert thread.rounds
    assert thread.seen == set(), "a secret stands in a command line"


@pytest.fixture(scope="module")
def shared(shared_project: Callable[..., Project]) -> Project:
    project = shared_project(compose=COMPOSE, **{".env.local": ENV, ".env.local.example": TEMPLATE})
    project.secrets |= CANARIES
    return project


@pytest.fixture
def stack(shared: Project) -> Iterator[Project]:
    """The talkative stack, up; afterwards nothing that stays on disk may hold a secret."""
    shared.up()
    yield shared
    own = {".env.local", "compose.yaml"}
    for path in shared.folder.rglob("*"):
        if path.is_file() and path.name not in own:
            data = path.read_bytes()
            held = [key for key, value in CANARIES.items() if value.encode() in data]
            assert not held, f"{path} holds {held}"


TASKS = [
    ("stack.up",),
    ("--dry", "stack.up"),
    ("--echo", "stack.up"),
    ("stack.up", "--json"),
    ("--dry", "stack.up", "--recreate", "--build", "--pull"),
    ("stack.ps",),
    ("stack.ps", "--json"),
    ("stack.logs",),
    ("stack.logs", "-s", "app", "--tail", "all"),
    ("stack.config",),
    ("stack.config", "--json"),
    ("stack.urls",),
    ("stack.urls", "--json"),
    ("env.show",),
    ("env.show", "--json"),
    ("env.show", "--view", "host"),
    ("env.show", "--service", "app"),
    ("env.show", "--service", "app", "--json"),
    ("--echo", "stack.exec", "-s", "app", "--", "true"),
    ("--echo", "stack.run", "-s", "app", "--", "true"),
    ("--dry", "stack.run", "-s", "app", "--", "true"),
    ("--echo", "db.wait"),
    ("--echo", "db.backup"),
    ("--dry", "db.backup"),
    ("db.backup", "--json"),
    ("db.backups",),
    ("db.backups", "--json"),
    ("--echo", "db.backup", "--globals", "--format", "plain"),
    ("--echo", "db.verify", "--restore"),
    ("--echo", "db.pin"),
    ("--dry", "db.prune"),
    ("--dry", "stack.down", "--volumes"),
    ("stack.restart", "-s", "app"),
]


def test_no_task_shows_a_secret_or_hands_one_over_in_argv(stack: Project, watcher: Watcher) -> None:
    for words in TASKS:
        result = stack.inv(*words)
        assert result.code == 0, (words, result.text)
    # Proof that the app said everything, and that hiding did not hide the rest.
    told = stack.inv("stack.logs", "-s", "app", "--tail", "all").ok().stdout
    assert "API_TOKEN=***" in told
    assert "GREETING=hello" in told
    raw = stack.inv("db.verify").ok()
    assert raw.code == 0


def test_an_attached_up_hides_the_secrets_in_the_logs_it_follows(
    stack: Project, watcher: Watcher, begin: Callable[..., object], until: Callable[..., None]
) -> None:
    run = begin(stack, "stack.up", "--attach")
    run.said("env values")

    def heard() -> bool:
        # Again and again: what is written before they are followed is not shown.
        stack.inv("stack.restart", "-s", "app").ok()
        return "API_TOKEN=" in run.out.read_text()

    until(heard, 60, "the logs are never followed")
    run.signal(2, group=False)
    assert "API_TOKEN=***" in run.end().stdout


def test_a_failing_up_hides_the_secrets_in_the_last_words_of_the_service(
    stack: Project, watcher: Watcher
) -> None:
    result = stack.inv("stack.up", "--mode", "staging", "-s", "leaves")
    assert result.code == 1
    assert result.error == "leaves: exited with code 3"
    assert "***" in result.stderr


def test_a_check_that_fails_hides_the_secrets_in_what_the_probe_printed(
    stack: Project, watcher: Watcher
) -> None:
    # `--test` does not read .env.local for Compose's own variables; the process stands in.
    given = {"POSTGRES_PASSWORD": CANARIES["POSTGRES_PASSWORD"]}
    result = stack.inv("stack.up", "--test", "-s", "sick", environ=given)
    assert result.code == 6
    assert "health check | " in result.stderr


@pytest.mark.parametrize(
    "line",
    [
        'POSTGRES_PASSWORD="{}',
        "POSTGRES_PASSWORD='{}",
        "POSTGRES_PASSWORD=${{{}",
        "POSTGRES PASSWORD={}",
        "export {}",
        "{}",
        'API_TOKEN="{}" trailing',
    ],
)
def test_a_broken_env_line_is_named_by_place_and_not_by_content(
    line: str, project: Callable[..., Project], watcher: Watcher
) -> None:
    broken = line.format(CANARIES["API_TOKEN"])
    files = {".env.local": f"{ENV}{broken}\n", ".env.local.example": TEMPLATE}
    stack = project(compose=COMPOSE, **files)
    stack.secrets |= CANARIES
    for task in ("stack.config", "env.show"):
        result = stack.inv(task)
        if result.code:
            assert result.code == 2, result.text
            assert f".env.local:{len(ENV.splitlines()) + 1}" in result.error
            assert result.hint


def test_broken_compose_yaml_does_not_show_the_secret_in_it(
    project: Callable[..., Project], watcher: Watcher
) -> None:
    broken = COMPOSE.replace("SECRET: ", "SECRET: [", 1)
    stack = project(compose=broken, **{".env.local": ENV, ".env.local.example": TEMPLATE})
    stack.secrets |= CANARIES
    assert stack.inv("stack.up").code == 2


def test_a_secret_given_with_set_is_not_shown(stack: Project) -> None:
    # The caller put this one into argv: only what we print and start counts.
    given = f"API_TOKEN={CANARIES['API_TOKEN']}"
    result = stack.inv("--dry", "stack.up", "--set", given).ok()
    assert "API_TOKEN" not in result.text or "***" in result.text
    assert stack.inv("env.show", "--set", given).ok()


def test_down_with_its_backup_shows_no_secret(stack: Project, watcher: Watcher) -> None:
    stack.inv("--echo", "stack.down", "--volumes", "--yes").ok()
    assert stack.containers() == {}
