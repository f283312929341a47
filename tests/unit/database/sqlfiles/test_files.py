from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.database.sqlfiles import files
from invoke_stack.errors import UsageError

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Any:
    def make(name: str = "migrations", /, **texts: str) -> Path:
        where = tmp_path / name
        where.mkdir(parents=True, exist_ok=True)
        for key, text in texts.items():
            (where / f"{key.removeprefix('m')}.sql").write_text(text)
        return where

    return make


def test_files_stand_in_the_order_of_their_numbers(tmp_path: Path, folder: Any) -> None:
    where = folder(m10_c="c", m2_b="b", m0001_a="a")

    assert [each.name for each in files.read(where, tmp_path)] == ["0001_a", "2_b", "10_c"]


def test_what_is_no_migration_is_left_out(tmp_path: Path, folder: Any) -> None:
    where = folder(m0001_a="a", seed="s", readme="r")
    (where / "0002_b.sql.bak").write_text("")
    (where / "0003_folder.sql").mkdir()

    assert [each.shown for each in files.read(where, tmp_path)] == ["migrations/0001_a.sql"]


@pytest.mark.parametrize("name", files.FOLDERS)
def test_the_usual_folders_are_found(tmp_path: Path, folder: Any, name: str) -> None:
    assert files.folder(tmp_path) is None
    where = folder(name, m1_a="SELECT 1")

    assert files.folder(tmp_path) == where


@pytest.mark.parametrize("name", ["migration.sql", "0001_a.up.sql", "0001_a.down.sql", "V1__a.sql"])
def test_files_of_other_tools_are_not_ours(tmp_path: Path, folder: Any, name: str) -> None:
    (folder() / name).write_text("SELECT 1")

    assert files.folder(tmp_path) is None


@pytest.mark.parametrize("mark", ["-- migrate:up", "-- +goose Up", "-- +migrate Up"])
def test_a_file_with_a_way_back_is_refused(tmp_path: Path, folder: Any, mark: str) -> None:
    where = folder(m1_a=f"{mark}\nCREATE TABLE a ();\n")

    with pytest.raises(UsageError, match=r"migrations/1_a\.sql: is written for"):
        files.read(where, tmp_path)


def test_two_files_of_one_number_are_refused(tmp_path: Path, folder: Any) -> None:
    where = folder(m1_a="a", m01_b="b")

    with pytest.raises(UsageError, match="same number as 1_a"):
        files.read(where, tmp_path)


@pytest.mark.parametrize("text", ["\\connect postgres", "SELECT 1;\n  \\c - - other", "\\c"])
def test_a_file_that_goes_to_another_database_is_refused(
    tmp_path: Path, folder: Any, text: str
) -> None:
    where = folder(m1_a=text)

    with pytest.raises(UsageError, match=r"migrations/1_a\.sql: connects to a database itself"):
        files.read(where, tmp_path)
    with pytest.raises(UsageError, match="connects to a database itself"):
        files.load(where / "1_a.sql", tmp_path)


@pytest.mark.parametrize(
    "text", ["-- \\connect x", "/*\n\\c x\n*/", "\\copy a from 'b'", "\\conninfo"]
)
def test_what_only_looks_like_that_is_taken(tmp_path: Path, folder: Any, text: str) -> None:
    assert files.read(folder(m1_a=text), tmp_path)


@pytest.mark.parametrize(
    "text", ["BEGIN;\nSELECT 1;\nCOMMIT;", "  begin work ;", "START TRANSACTION;"]
)
def test_a_transaction_in_ours_is_refused(tmp_path: Path, folder: Any, text: str) -> None:
    with pytest.raises(UsageError, match="opens a transaction of its own"):
        files.read(folder(m1_a=text), tmp_path)
    assert files.read(folder(m1_a=f"-- no transaction\n{text}"), tmp_path)[0].alone


@pytest.mark.parametrize(
    "text",
    [
        "-- BEGIN;",
        "/*\nBEGIN;\n*/ SELECT 1",
        "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n RETURN 1;\nEND $$;",
    ],
)
def test_what_only_looks_like_a_transaction_is_fine(
    tmp_path: Path,
    folder: Any,
    text: str,
) -> None:
    assert not files.read(folder(m1_a=text), tmp_path)[0].alone


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-- no transaction\nSELECT 1", True),
        ("\n-- why\n--No-Transaction: an index\nSELECT 1", True),
        ("SELECT 1; -- no transaction", False),
        ("-- no transactions here\nSELECT 1", False),
        ("", False),
    ],
)
def test_only_the_first_lines_ask_for_no_transaction(text: str, expected: bool) -> None:  # noqa: FBT001
    assert files.alone(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", True), ("-- a\n/* b */ ;\n", True), ("SELECT 1", False), ("-- a\nSELECT 1", False)],
)
def test_comments_alone_are_an_empty_migration(
    tmp_path: Path,
    folder: Any,
    text: str,
    expected: bool,  # noqa: FBT001
) -> None:
    assert files.empty(files.read(folder(m1_a=text), tmp_path)[0]) is expected


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ((), "0001_add_posts.sql"),
        (("0009_a",), "0010_add_posts.sql"),
        (("7_a",), "8_add_posts.sql"),
        (("20250101000000_a",), "20260102030405_add_posts.sql"),
    ],
)
def test_a_new_file_is_numbered_like_the_others(
    tmp_path: Path,
    folder: Any,
    known: tuple[str, ...],
    expected: str,
) -> None:
    found = files.read(folder(**{f"m{name}": "x" for name in known}), tmp_path)

    assert files.next_name(found, "Add posts!", NOW) == expected


def test_a_name_needs_a_letter() -> None:
    with pytest.raises(UsageError, match="no letter or digit"):
        files.next_name((), "../", NOW)


def test_a_file_that_is_not_utf_8_is_named(tmp_path: Path, folder: Any) -> None:
    (folder() / "1_a.sql").write_bytes(b"SELECT '\xe4'")

    with pytest.raises(UsageError, match=r"1_a\.sql: is not UTF-8 \(byte 8\)"):
        files.read(tmp_path / "migrations", tmp_path)


@pytest.mark.parametrize("place", ["db/seed.sql", "db/migrations/seed.sql", "seed.sql"])
def test_the_seed_is_found_beside_in_or_above(tmp_path: Path, folder: Any, place: str) -> None:
    where = folder("db/migrations", m1_a="x")
    assert files.seed(where, tmp_path) is None
    (tmp_path / place).write_text("SELECT 1")

    assert files.seed(where, tmp_path) == tmp_path / place
