from __future__ import annotations

from invoke_stack.engines.containers import Volume
from invoke_stack.stack.down import question

VOLUMES = (Volume("shop_pg", 52 * 1024**2), Volume("shop_cache", -1), Volume("shop_new", 0))


def test_the_question_names_every_volume_with_its_size() -> None:
    assert question("shop", VOLUMES, saved=True) == (
        "remove 3 volume(s) of shop and all data in them:\n"
        "  shop_pg  52.0 MiB\n"
        "  shop_cache  size unknown\n"
        "  shop_new  0.0 KiB\n"
        "its databases are backed up first, nothing else is"
    )


def test_the_question_says_loudly_when_there_will_be_no_backup() -> None:
    assert question("shop", VOLUMES[:1], saved=False).endswith("\nNO backup is written")
