import time
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.database import catalog, names
from invoke_stack.errors import UsageError


def listed(project: Any) -> tuple[catalog.Entry, ...]:
    return catalog.entries(catalog.root(project))


def test_backups_are_listed_newest_first(project: Any, store: Any) -> None:
    store("a.dump", created_at="2026-11-19T10:00:00Z")
    store("b.dump", created_at="2026-11-20T10:00:00Z")
    store("c.dump", created_at="2026-11-18T10:00:00Z")

    assert [each.file.name for each in listed(project)] == ["b.dump", "a.dump", "c.dump"]


def test_nothing_is_listed_where_nothing_was_made(project: Any) -> None:
    assert listed(project) == ()


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda file: names.manifest_of(file).unlink(), "no manifest: unverified"),
        (lambda file: file.unlink(), "the dump is gone, only its manifest is here"),
        (lambda file: names.manifest_of(file).write_text("{"), "the manifest cannot be read"),
        (lambda file: names.manifest_of(file).write_text("[]"), "the manifest is not a backup"),
        (lambda file: file.write_bytes(b"xy"), "has 2 bytes, its manifest says"),
    ],
)
def test_what_cannot_be_trusted_is_listed_with_the_reason(
    project: Any, store: Any, spoil: Any, problem: str
) -> None:
    spoil(store("a.dump"))

    (entry,) = listed(project)

    assert entry.problem.startswith(problem)


def test_hidden_and_foreign_files_are_left_out(project: Any, store: Any) -> None:
    file = store("a.dump")
    file.with_name(".b.dump.partial").write_bytes(b"x")
    file.with_name("notes.json").write_text("{}")

    assert [each.file.name for each in listed(project)] == ["a.dump"]


def test_a_database_whose_name_begins_like_another_keeps_its_own(project: Any, store: Any) -> None:
    stamp = "20261120T170459Z-pg16.dump"
    for name in (f"app-{stamp}", f"app-test-{stamp}"):
        names.manifest_of(store(name)).unlink()

    found = catalog.of("app", listed(project))

    assert [each.file.name for each in found] == [f"app-{stamp}"]


def test_manifests_decide_to_which_database_a_file_belongs(project: Any, store: Any) -> None:
    store("x.dump", database="shop")
    store("y.dump", database="other")

    assert [each.file.name for each in catalog.of("shop", listed(project))] == ["x.dump"]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("latest", "b-2.dump"),
        ("last", "b-2.dump"),
        ("1", "c-3.dump"),
        ("3", "a-1.dump"),
        ("a-", "a-1.dump"),
        ("backups/shop/a-1.dump", "a-1.dump"),
    ],
)
def test_a_backup_is_named_in_several_ways(
    project: Any, store: Any, word: str, expected: str
) -> None:
    store("a-1.dump", created_at="2026-11-18T10:00:00Z")
    store("b-2.dump", created_at="2026-11-19T10:00:00Z")
    store("c-3.dump", created_at="2026-11-20T10:00:00Z").write_bytes(b"cut")

    assert catalog.resolve(project, word, listed(project)).file.name == expected


@pytest.mark.parametrize(
    ("word", "message"),
    [("nope", "no backup 'nope'"), ("a", "2 backups begin with 'a'"), ("9", "no backup '9'")],
)
def test_a_word_that_fits_none_or_several_is_an_error(
    project: Any, store: Any, word: str, message: str
) -> None:
    store("a1.dump")
    store("a2.dump")

    with pytest.raises(UsageError, match=message):
        catalog.resolve(project, word, listed(project))


def test_latest_without_any_backup_says_how_to_make_one(project: Any) -> None:
    with pytest.raises(UsageError) as caught:
        catalog.resolve(project, "latest", ())

    assert caught.value.hint == "make one with: inv db.backup"


def test_an_entry_in_json_is_the_manifest_with_the_whole_path(project: Any, store: Any) -> None:
    file = store("a.dump")

    document = listed(project)[0].mapping()

    assert document["file"] == str(file)
    assert document["database"] == "shop"
    assert document["problem"] == ""


def test_five_hundred_backups_are_listed_in_no_time(project: Any, store: Any) -> None:
    first: Path = store("a.dump", b"x")
    text = names.manifest_of(first).read_text()
    for number in range(500):
        copy = first.with_name(f"b{number}.dump")
        copy.write_bytes(b"x")
        names.manifest_of(copy).write_text(text)

    took = []
    for _ in range(3):
        began = time.perf_counter()
        assert len(listed(project)) == 501
        took.append(time.perf_counter() - began)

    assert min(took) < 0.3


def test_a_file_in_place_of_the_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "backups").write_text("")

    with pytest.raises(UsageError, match="is not a folder"):
        catalog.entries(tmp_path / "backups")
