"""`db.prune`, `db.pin`, the flags of `db.backup` and what it says, as a user meets them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import FakeEngine, Stage

FACTS = {"server": "16.14", "major": 16, "owner": "app", "settings": []}
SCRIPT = (
    b"--\n-- PostgreSQL database dump\n--\nSELECT 1;\n-- PostgreSQL database dump complete\n--\n\n"
)
ROLES = "CREATE ROLE app;\n--\n-- PostgreSQL database cluster dump complete\n--\n\n"
# Version 1.15 of the custom format, compressed with gzip.
ARCHIVE = b"PGDMP\x01\x0f\x00\x04\x08\x01\x01\x00\x00\x00\x00" + bytes(range(256)) * 40 + bytes(5)
LISTING = "; Dumped by pg_dump version: 16.14\n215; 1259 16386 TABLE public t app\n"
NAMES = [f"app-2026112{day}T100000Z-pg17.dump" for day in range(3)]


@pytest.fixture
def backups(stage: Stage) -> Stage:
    """Three backups of three days; settings keep the last one."""
    keep = "{last: 1, daily: 0, weekly: 0, monthly: 0}"
    stage.write("invoke.yaml", f"stack: {{db: {{keep: {keep}}}}}\n")
    for day, name in enumerate(NAMES):
        manifest = {
            "schema": 1,
            "file": name,
            "created_at": f"2026-11-2{day}T10:00:00Z",
            "database": "app",
            "bytes": 1,
            "sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
            "verified": {"level": "L2", "ok": True},
        }
        stage.write(f"backups/app/{name}", "x")
        stage.write(f"backups/app/{name}.json", json.dumps(manifest))
    return stage


def left(stage: Stage) -> list[str]:
    return sorted(path.name for path in (stage.root / "backups" / "app").glob("*.dump"))


def test_pruning_asks_and_off_a_terminal_needs_yes(backups: Stage) -> None:
    refused = backups.inv("db.prune")

    assert refused.code == 4
    assert left(backups) == NAMES
    assert backups.inv("db.prune", "--yes").code == 0
    assert left(backups) == NAMES[2:]


def test_a_dry_prune_tells_the_fate_of_each_file_and_deletes_none(backups: Stage) -> None:
    before = backups.snapshot()

    ran = backups.inv("--dry", "db.prune")

    assert ran.code == 0
    assert f"would keep backups/app/{NAMES[2]}: newest, last 1" in ran.err
    assert ran.err.count("would delete backups/app/") == 2
    assert backups.snapshot() == before


def test_the_json_of_prune_says_why(backups: Stage) -> None:
    found = backups.inv("db.prune", "--yes", "--json").document()

    assert [each["keep"] for each in found["backups"]] == [True, False, False]
    assert found["backups"][0]["why"] == "newest, last 1"
    assert found["bytes"] == 2
    assert found["orphans"] == []


def test_a_pinned_backup_survives_until_it_is_let_go(backups: Stage) -> None:
    assert backups.inv("db.pin", "--file", "3").code == 0
    backups.inv("db.prune", "--yes")
    assert left(backups) == [NAMES[0], NAMES[2]]
    assert "pinned" in backups.inv("db.backups").out

    assert backups.inv("db.pin", "--file", NAMES[0], "--off").code == 0
    backups.inv("db.prune", "--yes")
    assert left(backups) == NAMES[2:]


def test_nothing_to_delete_asks_nothing(stage: Stage) -> None:
    ran = stage.inv("db.prune")

    assert ran.code == 0
    assert "nothing to delete" in ran.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("db.backup", "--format", "tar"), "no such format: tar"),
        (("db.backup", "--label", "A B"), "a label has up to 32"),
        (("db.verify", "--file", "nope"), "no backup 'nope'"),
        (("db.pin", "--file", "nope"), "no backup 'nope'"),
        (("db.verify", "--adopt", "--file", "1"), "has its manifest already"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(
    backups: Stage, words: tuple[str, ...], message: str
) -> None:
    ran = backups.inv(*words)

    assert ran.code == 2
    assert message in ran.err
    assert "hint: " in ran.err


@pytest.mark.parametrize("change", [b"", b"y", b"xx"])
def test_a_backup_that_is_not_what_it_was_ends_with_3(backups: Stage, change: bytes) -> None:
    (backups.root / "backups" / "app" / NAMES[2]).write_bytes(change)  # A15, A16

    ran = backups.inv("db.verify", "--file", "1")

    assert ran.code == 3
    assert "FAILED" in ran.out
    assert f"{NAMES[2]} is not a good backup" in ran.err


def test_a_bad_number_of_backups_to_keep_names_the_setting(stage: Stage) -> None:
    stage.write("invoke.yaml", "stack: {db: {keep: {lasts: 3}}}\n")

    ran = stage.inv("db.prune")

    assert ran.code == 2
    assert "stack.db.keep.lasts: unknown setting" in ran.err
    assert "did you mean stack.db.keep.last?" in ran.err


def test_a_folder_of_backups_that_is_named_and_not_there_is_an_error(backups: Stage) -> None:
    ran = backups.inv("db.backups", "--from", "/nope")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "error: --from: no such folder: /nope\n  hint: without --from it is backups\n"
    )


def test_without_a_named_folder_no_backup_yet_is_no_error(stage: Stage) -> None:
    ran = stage.inv("db.backups")

    assert (ran.code, ran.err) == (0, "no backup yet: inv db.backup\n")


@pytest.fixture
def dumping(stage: Stage, engine: FakeEngine) -> Stage:
    """A stack whose database runs and can be dumped in every format."""
    stage.stack({"db": {"image": "postgres:16"}})
    engine.container("db", folder=str(stage.root), image="postgres:16")
    stage.answer(" psql ", f"0\n{json.dumps(FACTS)}\n")
    stage.answer(" pg_dump ", _as_text(ARCHIVE))
    stage.answer(" pg_restore ")
    stage.answer(" pg_restore --list", LISTING)
    stage.answer(" pg_dump --format=plain --compress=0", _as_text(SCRIPT))
    stage.answer(" pg_dump --format=plain --compress=1", _as_text(gzip.compress(SCRIPT)))
    stage.answer(" pg_dumpall ", ROLES)
    return stage


def _as_text(data: bytes) -> str:
    """Return what a program writes out as these bytes."""
    return data.decode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    ("form", "objects"), [("custom", ", 1 objects, "), ("plain", ""), ("plain.gz", "")]
)
def test_the_number_of_objects_is_said_where_the_backup_lists_them(
    dumping: Stage, form: str, objects: str
) -> None:
    ran = dumping.inv("db.backup", "--format", form)

    assert ran.code == 0, ran.err
    assert ("objects" in ran.err) == bool(objects)
    assert objects in ran.err
    assert " s, verified to L" in ran.err


def test_the_file_of_roles_is_said_and_stands_in_the_document(dumping: Stage) -> None:
    ran = dumping.inv("db.backup", "--globals")

    assert ran.code == 0, ran.err
    (roles,) = (dumping.root / "backups").rglob("*.globals.sql")
    assert f"roles and tablespaces: {roles.relative_to(dumping.root)}\n" in ran.err
    assert ran.out.count("\n") == 1
    made = dumping.inv("db.backup", "--globals", "--label", "b", "--json").document()
    beside = Path(made["file"]).with_name(made["manifest"]["globals"]["file"])
    assert beside.read_text() == ROLES
    assert "roles" not in dumping.inv("db.backup", "--label", "c").err
