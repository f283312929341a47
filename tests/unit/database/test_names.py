from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from invoke_stack.database import names
from invoke_stack.errors import UsageError

WHEN = datetime(2026, 11, 20, 17, 4, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("shop", WHEN, 16), "shop-20261120T170459Z-pg16.dump"),
        (("shop", WHEN, 17, "pre-v2"), "shop-20261120T170459Z-pg17-pre-v2.dump"),
        (("shop", WHEN, 16, "", 2), "shop-20261120T170459Z-pg16-2.dump"),
        (("shop", WHEN, 16, "x", 3), "shop-20261120T170459Z-pg16-x-3.dump"),
        (('we ird-"n;ame', WHEN, 16), "we%20ird-%22n%3Bame-20261120T170459Z-pg16.dump"),
        (("a=b/c", WHEN, 16), "a%3Db%2Fc-20261120T170459Z-pg16.dump"),
    ],
)
def test_a_name_tells_database_time_version_and_label(
    arguments: tuple[str, datetime, int], expected: str
) -> None:
    assert names.file_name(*arguments) == expected
    assert names.stamp_of(expected) == WHEN


def test_the_time_is_utc_wherever_the_machine_stands() -> None:
    east = WHEN.astimezone(timezone(timedelta(hours=9)))

    assert names.file_name("shop", east, 16) == "shop-20261120T170459Z-pg16.dump"


@pytest.mark.parametrize(("database", "folder"), [("..", "%2E."), (".git", "%2Egit"), ("a", "a")])
def test_no_database_name_leads_out_of_its_folder(database: str, folder: str) -> None:
    assert names.folder_name(database) == folder


@pytest.mark.parametrize(
    "name", ["shop.dump", "shop-20261320T170459Z-pg16.dump", "shop-20261120T170459Z-pg16.txt"]
)
def test_another_name_tells_no_time(name: str) -> None:
    assert names.stamp_of(name) is None


@pytest.mark.parametrize("label", ["", "a", "pre-v2", "a" * 32])
def test_a_plain_label_is_taken(label: str) -> None:
    assert names.checked_label(label) == label


@pytest.mark.parametrize(
    ("label", "near"), [("Pre V2!", "pre-v2"), ("-x", "x"), ("../x", "x"), ("é", "before-upgrade")]
)
def test_another_label_is_refused_with_one_that_works(label: str, near: str) -> None:
    with pytest.raises(UsageError) as caught:
        names.checked_label(label)

    assert caught.value.where == "--label"
    assert caught.value.hint == f"for example: {near}"
    with pytest.raises(UsageError, match="--name: a name has up to 32 of"):
        names.checked_label(label, "name")


def test_manifest_and_unfinished_file_lie_beside_the_dump() -> None:
    file = Path("backups/shop/x.dump")

    assert names.manifest_of(file) == Path("backups/shop/x.dump.json")
    assert names.partial_of(file) == Path("backups/shop/.x.dump.partial")
