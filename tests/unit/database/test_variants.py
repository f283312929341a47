"""Names and marks of databases that are ours."""

import dataclasses

import pytest

from invoke_stack.database import variants
from invoke_stack.database.state import Database, Server

SERVER = Server("16.14", 16, "app", True, True, frozenset(), {}, frozenset(), ())  # noqa: FBT003
BEGINNING = "invoke_stack {"


def server(*databases: Database) -> Server:
    names = frozenset(each.name for each in databases)
    return dataclasses.replace(SERVER, databases=databases, names=names)


@pytest.mark.parametrize("database", ["app", 'we ird-"n;ame', "x" * 63, "ß" * 31, "日" * 21])
@pytest.mark.parametrize("kind", ["new", "old", "snap"])
def test_a_name_fits_and_ends_with_what_it_is(database: str, kind: variants.Kind) -> None:
    found = variants.name(database, kind, "20261120T170459Z", 63)

    assert len(found.encode()) <= 63
    assert found.endswith(f"__{kind}_20261120T170459Z")
    assert found.startswith(database[:8])


def test_long_names_that_begin_alike_stay_apart() -> None:
    one, two = ("x" * 62 + end for end in "ab")

    assert variants.name(one, "old", "1", 63) != variants.name(two, "old", "1", 63)


def test_a_taken_name_gets_a_number() -> None:
    first = variants.free_name(server(), "app", "old", 63)
    again = variants.free_name(server(Database(first)), "app", "old", 63)

    assert again != first


def test_a_mark_is_read_as_it_was_written() -> None:
    mark = variants.mark("old", 'we ird"', by="invstack-1-", label="x", comment="it's {}")
    found = server(Database("any name", comment=mark.text(BEGINNING)))

    (only,) = variants.find(found, 'we ird"', BEGINNING)
    assert only.mark == mark
    assert only.name == "any name"


@pytest.mark.parametrize(
    "comment",
    [
        "",
        "invoke_stack",
        "invoke_stack {",
        'invoke_stack {"kind": "old"}',
        'invoke_stack {"kind": "old", "of": "app", "at": "yesterday"}',
        'invoke_stack {"kind": "best", "of": "app", "at": "2026-11-20T17:04:59Z"}',
        'invoke_stack {"kind": "old", "of": "app", "at": "2026-11-20T17:04:59Z", "drop": "all"}',
        'invoke_stack {"kind": "old", "of": "app-test", "at": "2026-11-20T17:04:59Z"}',
        '{"kind": "old", "of": "app", "at": "2026-11-20T17:04:59Z"}',
    ],
)
def test_without_a_whole_mark_a_database_is_somebody_elses(comment: str) -> None:
    found = server(Database("app__old_20261120T170459Z", comment=comment))

    assert variants.find(found, "app", BEGINNING) == ()


def test_the_newest_comes_first() -> None:
    def old(at: str) -> Database:
        return Database(at, comment=variants.Mark("old", "app", at).text(BEGINNING))

    found = server(old("2026-01-01T00:00:00Z"), old("2026-02-01T00:00:00Z"))

    assert [each.name[:7] for each in variants.find(found, "app", BEGINNING, "old")] == [
        "2026-02",
        "2026-01",
    ]
