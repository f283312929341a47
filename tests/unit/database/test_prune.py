"""Deleting backups: what goes, what stays, and what is asked before."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.database import catalog, names, prune, retention
from invoke_stack.errors import StackError
from invoke_stack.events import Note, Planned

OK = {"level": "L2", "ok": True}
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def three(store: Any) -> list[Path]:
    """Three backups of one minute each, the newest last."""
    times = [(NOW + timedelta(minutes=n)).isoformat() for n in range(3)]
    return [store(f"{n}.dump", created_at=each, verified=OK) for n, each in enumerate(times)]


def names_in(project: Any) -> set[str]:
    return {path.name for path in (project.root / "backups" / "shop").iterdir()}


def plan(project: Any, **options: Any) -> prune.Plan:
    return prune.plan(project, catalog.root(project), now=NOW, **options)


def test_what_is_not_kept_goes_with_everything_beside_it(make_project: Any, three: Any) -> None:
    project = make_project(keep={"last": 1})
    names.globals_of(three[0]).write_text("roles")
    theirs = three[0].with_name("theirs.dump")
    theirs.write_bytes(b"PGDMP")

    prune.carry_out(project, plan(project))

    assert names_in(project) == {"2.dump", "2.dump.json", "theirs.dump"}


def test_a_dry_run_deletes_nothing_and_says_why(make_project: Any, three: Any) -> None:
    project, events = make_project(dry=True, keep={"last": 1}), []
    before = names_in(project)

    prune.carry_out(project, plan(project), events.append)

    assert names_in(project) == before
    assert [each.text for each in events if isinstance(each, Planned)] == [
        "keep backups/shop/2.dump: newest, last 1, daily 1, weekly 1, monthly 1",
        "delete backups/shop/1.dump: a newer one stands for each of its periods",
        "delete backups/shop/0.dump: a newer one stands for each of its periods",
    ]


def test_orphans_are_listed_and_go_only_when_asked_for(project: Any, three: Any) -> None:
    three[0].unlink()
    lone = three[0].with_name("shop-20261120T120000Z-pg16.globals.sql")
    lone.write_text("roles")
    three[0].with_name("notes.globals.sql").write_text("somebody else's")
    dead = three[0].with_name(".shop-20261120T120000Z-pg16.dump.partial")
    dead.write_bytes(b"x")
    orphans = {names.manifest_of(three[0]), lone, dead}

    prune.carry_out(project, plan(project))
    assert all(path.exists() for path in orphans)
    assert set(plan(project).orphans) == orphans

    prune.carry_out(project, plan(project, orphans=True))
    assert not any(path.exists() for path in orphans)
    assert "notes.globals.sql" in names_in(project)


def test_a_pinned_manifest_whose_backup_is_gone_is_left(project: Any, three: Any) -> None:
    catalog.pin(project, catalog.entry(three[0]), pinned=True)
    three[0].unlink()

    assert plan(project, orphans=True).strays == ()


def test_after_a_backup_only_its_own_target_is_pruned(make_project: Any, store: Any) -> None:
    project, events = make_project(keep={"last": 1, "daily": 0, "weekly": 0, "monthly": 0}), []
    for database in ("shop", "other"):
        for n in range(2):
            name = f"{database}-{n}.dump"
            store(name, database=database, verified=OK, created_at=f"2026-11-20T10:0{n}:00Z")
    made = catalog.entry(project.root / "backups" / "shop" / "shop-1.dump").manifest
    assert made is not None

    prune.after(project, catalog.root(project), made, events.append)

    left = {name for name in names_in(project) if name.endswith(".dump")}
    assert left == {"shop-1.dump", "other-0.dump", "other-1.dump"}
    assert [type(each) for each in events] == [Note]


def test_a_file_that_cannot_be_deleted_is_told(make_project: Any, three: Any) -> None:
    project = make_project(keep={"last": 1})
    three[0].unlink()
    three[0].mkdir()  # what no unlink removes, not even root's
    (three[0] / "x").touch()
    doomed = retention.Decision(catalog.entry(three[0]), keep=False, why="")
    chosen = prune.Plan((doomed,), ())

    with pytest.raises(StackError, match="cannot be deleted"):
        prune.carry_out(project, chosen)


def test_pinning_changes_the_manifest_alone(project: Any, store: Any) -> None:
    file = store("a.dump", label="x")

    pinned = catalog.pin(project, catalog.entry(file), pinned=True)
    again = catalog.pin(project, pinned, pinned=False)

    assert pinned.manifest is not None
    assert again.manifest is not None
    assert (pinned.manifest.pinned, again.manifest.pinned) == (True, False)
    assert pinned.manifest.label == "x"
    assert names.manifest_of(file).stat().st_mode & 0o777 == 0o600


def test_a_file_without_manifest_cannot_be_pinned(project: Any, store: Any) -> None:
    file = store("a.dump")
    names.manifest_of(file).unlink()

    with pytest.raises(StackError, match="no manifest") as caught:
        catalog.pin(project, catalog.entry(file), pinned=True)

    assert "inv db.verify --adopt --file backups/shop/a.dump" in str(caught.value.hint)
