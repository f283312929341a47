"""`db.snapshot` and `db.rewind` on a real server, with clients that keep coming back."""

from typing import Any

import contents
import pytest

pytestmark = pytest.mark.engine


@pytest.mark.both
def test_a_snapshot_brings_the_content_back_as_often_as_wanted(shop: Any) -> None:
    before, state = shop.content(), shop.state()
    made = shop.ok("snapshot", name="before")
    assert made["state"] == "volatile (same volume)"
    assert shop.variants("snap") == [made["copy"]]

    for _ in range(2):
        shop.psql("DROP TABLE emb; DELETE FROM child")
        done = shop.ok("rewind", name="before")
        assert shop.content() == before
        assert shop.state() == state
        assert done["snapshot"] == "before"

    assert shop.site.psql(contents.CONTENT, made["copy"]) == before
    shop.ok("undo")
    assert "emb" not in shop.content()
    assert shop.databases() == sorted([shop.name, made["copy"]])


def test_a_snapshot_of_the_same_name_is_replaced(shop: Any) -> None:
    first = shop.ok("snapshot", name="")["copy"]
    shop.psql("DROP TABLE emb")

    second = shop.ok("snapshot", name="")["copy"]

    assert first == second
    assert shop.variants("snap") == [first]
    assert "emb" not in shop.site.psql(contents.CONTENT, first)
    assert shop.variants("new") == []


def test_a_client_that_stays_connected_is_no_obstacle(shop: Any) -> None:
    words = ("exec", "--detach", shop.site.container, "sh", "-c", 'while [ ! -e "/tmp/$1" ]; do ')
    loop = f"{words[-1]} psql -Xqc 'SELECT pg_sleep(60)' -U app -d {shop.name}; done"
    shop.site.docker(*words[:-1], loop, "sh", f"{shop.name}.stop")

    try:
        for _ in range(3):
            shop.ok("snapshot", name="busy")
        shop.ok("rewind", name="busy")
    finally:
        shop.site.docker("exec", shop.site.container, "touch", f"/tmp/{shop.name}.stop")  # noqa: S108


def test_a_snapshot_that_is_not_there_is_named(shop: Any) -> None:
    shop.ok("snapshot", name="there")

    code, _, err = shop.run("rewind", name="gone")

    assert code == 2
    assert "there is no snapshot gone" in err
    assert "there are: there" in err
