"""`db.reset` on a real server: a new database, filled, in place of the live one."""

import os
import signal
from typing import Any

import contents
import pytest

pytestmark = pytest.mark.engine

NEW = "CREATE TABLE fresh (x int); INSERT INTO fresh VALUES (1);"


@pytest.mark.both
def test_a_reset_leaves_only_what_was_filled_in_and_can_be_undone(shop: Any) -> None:
    shop.site.psql(
        f"ALTER DATABASE {shop.name} SET app.colour TO 'blue'; ALTER DATABASE {shop.name} "
        f"CONNECTION LIMIT 44; COMMENT ON DATABASE {shop.name} IS 'mine'"
    )
    before, state = shop.content(), shop.state()

    done = shop.ok("reset", statements=f"{NEW} SELECT current_setting('app.colour');")

    assert "fresh|1" in shop.content()
    assert "child" not in shop.content()
    assert shop.state() == state  # A31
    assert shop.site.psql(contents.CONTENT, done["kept"]) == before
    shop.ok("undo")
    assert shop.content() == before
    assert shop.state() == state


@pytest.mark.both
def test_a_migration_that_fails_leaves_the_live_database_alone(shop: Any) -> None:  # A43
    before = shop.content()

    code, _, err = shop.run("reset", statements=f"{NEW} SELECT 1 / 0;")

    assert code == 1
    assert "division by zero" in err
    assert shop.content() == before
    assert shop.databases() == [shop.name]


@pytest.mark.both
@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_an_interrupted_reset_leaves_the_live_database_alone(
    shop: Any, number: int, expected: int
) -> None:
    before = shop.content()
    child = shop.start("reset", statements="SELECT pg_sleep(15);")
    shop.site.until(lambda: shop.variants("new"), child)

    os.kill(child.pid, number)
    child.communicate(timeout=30)

    assert child.returncode == expected
    assert shop.content() == before
    shop.ok("snapshot", name="next")
    assert shop.variants("new") == []
