"""What is left when a restore is interrupted or killed, and what the next run does about it."""

import os
import signal
import time
from typing import Any

import pytest

pytestmark = pytest.mark.engine

# Slow only in a new database: the backup and the copy of it are not.
SLOW = """
CREATE FUNCTION slow(a int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
  IF current_database() LIKE '%\\_\\_new\\_%' THEN PERFORM pg_sleep(0.2); END IF; RETURN a; END $$;
CREATE INDEX zz ON part_b (slow(k));
"""


def restoring(shop: Any) -> Any:
    shop.psql(SLOW)
    file = shop.backup()
    child = shop.start("restore", file=file)
    shop.site.until(lambda: shop.variants("new") and shop.site.programs("pg_restore"), child)
    return child


def left(shop: Any) -> list[Any]:
    """Return what an interrupted run has left, once its programs had the time to end."""
    deadline = time.monotonic() + 5
    site = shop.site
    while (site.programs("pg_restore") or site.sessions()) and time.monotonic() < deadline:
        time.sleep(0.1)
    found = site.copies()
    found += [each for each in shop.databases() if each != shop.name]
    return [*found, *filter(None, (shop.site.programs("pg_restore"), shop.site.sessions()))]


@pytest.mark.both
@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_drops_what_was_begun(shop: Any, number: int, expected: int) -> None:
    child = restoring(shop)
    before = shop.content()

    child.send_signal(number)
    _, err = child.communicate(timeout=30)

    assert child.returncode == expected, err
    assert shop.content() == before
    assert left(shop) == []


def test_a_signal_while_a_database_is_being_copied_leaves_no_copy(shop: Any) -> None:
    # The server goes on copying when the client is gone; dropped too early, the copy would stay.
    hold = "LOCK TABLE pg_database IN SHARE MODE; SELECT pg_sleep(4);"
    words = ("exec", "--detach", shop.site.container, "psql", "-Xqc", hold, "-U", "app", "postgres")
    shop.site.docker(*words)
    child = shop.start("snapshot", name="")
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE DATABASE %' "
    waiting += "AND wait_event_type = 'Lock'"
    shop.site.until(lambda: shop.site.psql(waiting) == "1", child)

    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=30)

    assert child.returncode == 130, err
    assert left(shop) == []


@pytest.mark.both
def test_a_killed_run_is_cleaned_up_after_by_the_next_one(shop: Any) -> None:  # A45
    child = restoring(shop)
    before = shop.content()
    os.kill(child.pid, signal.SIGKILL)
    child.communicate(timeout=10)
    begun = shop.variants("new")
    assert len(begun) == 1
    assert shop.content() == before

    code, _, err = shop.run("restore", dry=True)
    assert code == 0
    assert f"drop {begun[0]}" in err
    assert shop.variants("new") == begun

    shop.psql("DROP INDEX zz")
    code, done, err = shop.run("restore", file=shop.backup())

    assert code == 0, err
    assert f"drops {begun[0]} (" in err
    assert f"dropped {begun[0]} (" in err
    assert not shop.site.sessions()
    assert shop.databases() == sorted([shop.name, done["kept"]])
    assert shop.content() == before.replace(
        next(line for line in before.splitlines(keepends=True) if "INDEX zz" in line), ""
    ).replace(next(line for line in before.splitlines(keepends=True) if "|zz|" in line), "")


def test_a_live_run_of_another_clone_is_left_alone(shop: Any, tmp_path: Any) -> None:
    child = restoring(shop)
    other_root = tmp_path / "clone"
    other_root.mkdir()
    (other_root / "compose.yaml").write_text((shop.site.root / "compose.yaml").read_text())
    other = type(shop)(type(shop.site)(other_root, shop.site.name), shop.name, shop.settings)

    code, _, err = other.run("snapshot", name="beside")

    assert code == 0, err
    assert "was begun from another folder" in err
    assert child.poll() is None
    assert len(shop.variants("new")) == 1
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=30)


def test_two_restores_at_once_do_not_mix(shop: Any) -> None:
    child = restoring(shop)

    code, _, err = shop.run("restore")

    assert code == 5
    assert "another run is busy with it" in err
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=30)


def test_a_server_that_dies_loses_only_the_new_database(shop: Any) -> None:
    child = restoring(shop)
    before = shop.content()
    shop.site.docker("kill", "--signal", "KILL", shop.site.container)
    try:
        _, err = child.communicate(timeout=40)
    finally:
        shop.site.docker("start", shop.site.container)
        assert shop.site.run("wait", timeout_s=60)[0] == 0

    assert child.returncode in {1, 6}, err
    assert shop.content() == before
    shop.psql("DROP INDEX zz")
    shop.ok("restore", file=shop.backup())
    assert shop.variants("new") == []


@pytest.mark.parametrize("after_s", [0.0, 0.1, 0.3, 0.6, 1.0, 1.5])
def test_a_kill_at_any_moment_leaves_one_content_or_the_other(
    shop: Any, stock_file: str, after_s: float
) -> None:
    new = shop.content()
    shop.psql("DROP TABLE emb")
    old = shop.content()
    child = shop.start("restore", file=stock_file)
    shop.site.until(lambda: shop.variants("new"), child)
    time.sleep(after_s)

    os.killpg(child.pid, signal.SIGKILL)
    child.communicate(timeout=10)
    deadline = time.monotonic() + 20
    while shop.site.sessions() and time.monotonic() < deadline:  # what runs in the container
        time.sleep(0.1)

    assert shop.content() in {old, new}
    shop.ok("restore", file=stock_file)
    assert shop.content() == new
    assert len(shop.databases()) == 2
    assert not shop.site.sessions()
