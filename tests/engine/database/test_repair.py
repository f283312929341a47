"""db.repair: the env files change, the volume stays; nothing in it is lost."""

import subprocess
from collections.abc import Callable

import pytest
from argv import Watcher
from sites import DOCKER
from stacks import Project, canary

COMPOSE = """
services:
  pg:
    image: postgres:16-alpine
    stop_grace_period: 2s
    environment:
      POSTGRES_USER: ${DB_USER}
      POSTGRES_PASSWORD: ${DB_PASSWORD}
      POSTGRES_DB: ${DB_NAME}
    volumes: [data:/var/lib/postgresql/data]
    healthcheck: {test: [CMD, pg_isready, -h, 127.0.0.1], interval: 5s, retries: 12}
volumes:
  data:
"""


def written(site: Project, user: str, name: str, password: str = "") -> str:
    """Write the env file and bring the stack up; return what `stack.up` says."""
    secret = password or canary()
    site.secrets[f"PASSWORD{len(site.secrets)}"] = secret
    site.write(".env", f"DB_USER={user}\nDB_NAME={name}\nDB_PASSWORD='{secret}'\n")
    return site.up().stderr


def mended(site: Project) -> str:
    """Repair, and see that no command line of this machine holds a password meanwhile."""
    watcher = Watcher(site.secrets.values())
    watcher.start()
    try:
        said = site.inv("db.repair", "--yes").ok().stdout
    finally:
        watcher.stop()
    assert watcher.rounds > 2
    assert watcher.seen == set()
    return said


@pytest.mark.both
def test_another_password_user_or_database_is_said_by_up_and_mended_without_loss(
    on_engine: Callable[..., Project], engine: str
) -> None:
    site = on_engine(engine, compose=COMPOSE)
    assert "warning" not in written(site, "first", "shop")
    site.inv("db.wait").ok()
    site.inv("db.shell", "-c", "CREATE TABLE kept AS SELECT 42 AS n").ok()
    assert "nothing to repair" in site.inv("db.repair").ok().stderr

    said = written(site, "first", "shop", f'{canary()} \\ "x" $y :z')
    assert "service pg: it does not let user first in: its volume was made with other" in said
    assert "hint: mend it without losing data: inv db.repair" in said
    asked = site.inv("db.repair")
    assert asked.code == 4
    assert "give role first the password that the env files have now" in asked.stderr
    assert site.inv("--dry", "db.repair").ok().stdout == ""
    assert mended(site) == "give role first the password that the env files have now\n"
    assert "nothing to repair" in site.inv("db.repair").ok().stderr

    # The first superuser is `first`: neither the app's new user nor `postgres`.
    assert "it does not let user second in" in written(site, "second", "other")
    done = site.inv("db.repair", "--yes").ok()
    assert done.stdout == (
        "create role second, a superuser as the image makes it, with its password\n"
        "create the empty database other\n"
    )
    site.inv("db.shell", "-c", "CREATE TABLE mine ()").ok()

    assert "warning" not in written(site, "second", "shop", site.secrets["PASSWORD2"])
    assert site.inv("db.shell", "-c", "SELECT n FROM kept").ok().stdout == "42\n"

    said = written(site, "second", "third", site.secrets["PASSWORD2"])
    assert "service pg: there is no database third" in said
    asked = site.inv("db.repair")
    assert "create the empty database third" in asked.stderr
    assert "the volume also has other (" in asked.stderr, asked.stderr
    log = logged(site, engine)
    assert "ready to accept connections" in log
    assert not [secret for secret in site.secrets.values() if secret in log]


def logged(site: Project, engine: str) -> str:
    """Return what the server itself wrote; `stack.logs` would hide a secret."""
    if engine == "embedded":
        return (site.folder / ".invoke-stack/embedded/pg/log").read_text()
    words = [DOCKER, "logs", f"{site.name}-pg-1"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return done.stdout + done.stderr
