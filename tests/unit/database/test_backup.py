"""`db.backup` with a `docker` program of our own on PATH: what is asked, what is believed."""

import io
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from invoke_stack import files as locks
from invoke_stack.compose.model import Service
from invoke_stack.database import backup, job, names, sessions, target, write
from invoke_stack.errors import BusyError, StackError, UsageError
from invoke_stack.events import Note, Planned, Transferred


@pytest.fixture
def failing(project: Any, docker: Any) -> Any:
    def make(**answer: Any) -> Any:
        docker.answer(**answer)
        return project

    return make


def files(project: Any) -> list[str]:
    folder = project.root / "backups"
    return sorted(
        path.name for path in folder.rglob("*") if path.is_file() and path.name != ".gitignore"
    )


def test_a_backup_is_a_file_and_its_manifest_for_the_owner_alone(
    project: Any, declared: Any, engine: Any, docker: Any, whole: bytes
) -> None:
    made = backup.backup(project, declared, engine)

    assert made is not None
    assert made.file.read_bytes() == whole
    assert files(project) == [made.file.name, f"{made.file.name}.json"]
    assert json.loads(names.manifest_of(made.file).read_text()) == made.mapping()["manifest"]
    assert made.manifest.compression == "zstd:1"
    assert made.manifest.verified["level"] == "L2"
    assert (project.root / "backups" / ".gitignore").read_text() == "*\n"


def test_the_container_is_asked_in_this_order(
    project: Any, declared: Any, engine: Any, docker: Any
) -> None:
    backup.backup(project, declared, engine)

    programs = [words[words.index("id-pg") + 1 :] for words in docker.asked]
    assert [words[0] for words in programs] == [
        "psql",
        "pg_dump",
        "pg_restore",
        "pg_restore",
    ]
    assert not any("canary-pw" in word for words in docker.asked for word in words)


def test_the_server_is_asked_while_the_dump_runs_that_the_last_manifest_leads_to(
    project: Any, declared: Any, engine: Any, docker: Any, store: Any
) -> None:
    store("shop-20261118T000000Z-pg17.dump", server="17.2")
    docker.answer(
        "psql json_build_object", b"0\n" + json.dumps({"server": "17.9", "major": 17}).encode()
    )

    made = backup.backup(project, declared, engine)

    assert made is not None
    assert made.file.name.endswith("-pg17.dump")
    assert made.manifest.server == "17.9"


def test_another_version_than_the_last_manifests_is_seen_and_its_dump_begun_again(
    project: Any, declared: Any, engine: Any, docker: Any, store: Any
) -> None:
    store("shop-20261118T000000Z-pg17.dump", server="17.2")
    docker.answer(
        "psql json_build_object", b"0\n" + json.dumps({"server": "15.3", "major": 15}).encode()
    )

    made = backup.backup(project, declared, engine)

    assert made is not None
    assert made.file.name.endswith("-pg15.dump")
    assert (made.manifest.server, made.manifest.compression) == ("15.3", "gzip:1")
    assert len(files(project)) == 4


def test_a_server_that_refuses_while_the_dump_begins_is_what_is_told(
    project: Any, declared: Any, engine: Any, docker: Any, store: Any
) -> None:
    store("shop-20261118T000000Z-pg17.dump", server="17.2")
    docker.answer("psql json_build_object", code=2, err='FATAL:  database "shop" does not exist')

    with pytest.raises(StackError, match="does not exist"):
        backup.backup(project, declared, engine)

    assert len(files(project)) == 2


@pytest.mark.parametrize("server", ["", "x", "17devel", "18beta1", "0.9", "9" * 300, "9" * 5000])
def test_a_version_that_none_has_in_the_last_manifest_is_not_believed(
    project: Any, declared: Any, engine: Any, docker: Any, store: Any, server: str
) -> None:
    store("shop-20261118T000000Z-pg17.dump", server=server)

    made = backup.backup(project, declared, engine)

    assert made is not None
    assert made.file.name.endswith("-pg16.dump")
    assert made.manifest.server == "16.14"


def test_a_file_in_place_of_the_folder_is_told_with_the_way_out(
    project: Any, declared: Any, engine: Any, docker: Any
) -> None:
    (project.root / "taken").touch()

    with pytest.raises(UsageError, match="cannot be created") as caught:
        backup.backup(project, declared, engine, job.Options(to="taken"))

    assert caught.value.hint == "a file is in the way: move it"


def test_fast_leaves_the_decode_out_and_says_so(
    project: Any, declared: Any, engine: Any, docker: Any
) -> None:
    made = backup.backup(project, declared, engine, job.Options(fast=True))

    assert made is not None
    assert made.manifest.verified["level"] == "L1"
    assert not any("--file=/dev/null" in words for words in docker.asked)


def test_a_build_without_zstd_gets_gzip(
    project: Any, declared: Any, engine: Any, docker: Any
) -> None:
    words = "pg_dump: error: this build does not support compression with ZSTD"
    docker.answer("pg_dump --compress=zstd:1", code=1, err=words)
    docker.answer("pg_dump", docker.forget("pg_dump"))

    made = backup.backup(project, declared, engine)

    assert made is not None
    assert made.manifest.compression == "gzip:1"


def test_a_compression_that_was_asked_for_does_not_fall_back(
    make_project: Any, declared: Any, engine: Any, docker: Any
) -> None:
    docker.answer("pg_dump", code=1, err="this build does not support compression with ZSTD")

    with pytest.raises(StackError, match="has no zstd:5"):
        backup.backup(make_project(compression="zstd:5"), declared, engine)


@pytest.mark.parametrize("options", [job.Options(), backup.Options(fast=True)])
def test_half_a_stream_with_exit_code_0_is_no_backup(  # A20
    project: Any, declared: Any, engine: Any, docker: Any, options: Any
) -> None:
    whole = docker.forget("pg_dump")
    docker.answer("pg_dump", whole[: len(whole) // 2])

    with pytest.raises(StackError, match="broke off before its end"):
        backup.backup(project, declared, engine, options)

    assert files(project) == []


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"words": "pg_dump", "out": b"text in place of a dump" * 9}, "is no archive"),
        ({"words": "pg_dump", "out": b""}, "is no archive"),
        ({"words": "pg_dump", "code": 1, "err": "pg_dump: error: x"}, "pg_dump ended with code 1"),
        ({"words": "pg_restore --list", "code": 1, "out": b"bad"}, "has no table of contents"),
        ({"words": "pg_restore --file=/dev/null", "code": 1, "err": "eof"}, "does not decode: eof"),
    ],
)
def test_whatever_fails_publishes_nothing_and_is_told(
    failing: Any, declared: Any, engine: Any, answer: Any, message: str
) -> None:
    project = failing(**answer)

    with pytest.raises(StackError, match=message) as caught:
        backup.backup(project, declared, engine)

    assert "was not written" in str(caught.value)
    assert files(project) == []


def test_an_error_on_stderr_counts_also_with_exit_code_0(
    project: Any, declared: Any, engine: Any, docker: Any, whole: bytes
) -> None:
    docker.answer("pg_dump", whole, err="pg_dump: error: aborting")

    with pytest.raises(StackError, match="was not written"):
        backup.backup(project, declared, engine)


def test_a_warning_of_the_dump_is_passed_on(
    project: Any, declared: Any, engine: Any, docker: Any, whole: bytes
) -> None:
    docker.answer("pg_dump", whole, err="pg_dump: warning: circular, canary-pw")
    events: list[Any] = []

    backup.backup(project, declared, engine, report=events.append)

    assert Note("pg_dump: warning: circular, ***") in events


def test_progress_expects_what_the_last_backup_had(
    project: Any, declared: Any, engine: Any, docker: Any, whole: bytes
) -> None:
    backup.backup(project, declared, engine)
    events: list[Any] = []

    backup.backup(project, declared, engine, report=events.append)

    moved = [event for event in events if isinstance(event, Transferred)]
    assert {event.bytes_expected for event in moved} == {len(whole)}


def test_a_dead_runs_file_is_removed_and_told_but_a_live_runs_is_not(
    project: Any, declared: Any, engine: Any, docker: Any
) -> None:
    folder = project.root / "backups" / "shop"
    folder.mkdir(parents=True)
    dead = folder / ".shop-20261119T000000Z-pg16.dump.partial"
    dead.write_bytes(b"x")
    events: list[Any] = []

    with write.partial(folder / "shop-20261118T000000Z-pg16.dump") as live:
        backup.backup(project, declared, engine, report=events.append)

        assert live.path.exists()
    assert not dead.exists()
    text = f"removed backups/shop/{dead.name}, unfinished by a run that died"
    assert Note(text) in events


def test_a_second_run_is_busy(project: Any, declared: Any, engine: Any, docker: Any) -> None:
    found = target.find(project, declared, engine)
    with (
        locks.lock(sessions.lock_path(project.state, found), "x"),
        pytest.raises(BusyError, match="database shop"),
    ):
        backup.backup(project, declared, engine)


def test_a_dry_run_plans_and_touches_nothing(
    make_project: Any, declared: Any, engine: Any, docker: Any
) -> None:
    project, events = make_project(dry=True), []

    made = backup.backup(project, declared, engine, report=events.append)

    assert made is None
    planned = [event.text for event in events if isinstance(event, Planned)]
    assert planned[0] == "create the folder backups/shop, for you alone"
    assert planned[1].startswith("write backups/shop/shop-2")
    assert list(project.root.iterdir()) == []
    assert not any("pg_dump" in words for words in docker.asked)


def test_a_named_folder_takes_the_file_itself(
    project: Any, declared: Any, engine: Any, docker: Any, tmp_path: Path
) -> None:
    made = backup.backup(project, declared, engine, job.Options(to=str(tmp_path / "usb")))

    assert made is not None
    assert made.file.parent == tmp_path / "usb"


def test_a_bad_label_is_refused_before_anything_runs(
    project: Any, declared: Any, engine: Any, docker: Any
) -> None:
    with pytest.raises(UsageError):
        backup.backup(project, declared, engine, job.Options(label="../x"))

    assert docker.asked == []


def test_too_little_room_is_told_before_the_dump(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="too little room: the last backup has"):
        write.require_space(tmp_path, 1 << 60)


def test_before_a_removal_only_a_database_is_saved(
    project: Any, declared: Any, engine: Any, docker: Any, declare: Any
) -> None:
    assert backup.before_removal(project, declare(Service("web")), engine) == ()
    (saved,) = backup.before_removal(project, declared, engine)
    assert "before-removal" in saved


def test_facts_with_secrets_are_masked_in_the_manifest(
    project: Any, declared: Any, engine: Any, docker: Any
) -> None:
    settings = [{"role": None, "set": ["app.jwt_secret=abc", "timezone=UTC", "x=canary-pw"]}]
    facts = {"server": "16.14", "major": 16, "settings": settings, "migration": "0001_init"}
    docker.answer("psql json_build_object", json.dumps(facts).encode())

    made = backup.backup(project, declared, engine)

    assert made is not None
    assert made.manifest.source["settings"][0]["set"] == [
        "app.jwt_secret=***",
        "timezone=UTC",
        "x=***",
    ]
    assert made.manifest.migration == "0001_init"


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_commit_and_changes_are_recorded(
    project: Any, declared: Any, engine: Any, docker: Any
) -> None:
    git = [
        shutil.which("git") or "git",
        "-C",
        str(project.root),
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b",
    ]
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run([*git, *words], check=True)

    made = backup.backup(project, declared, engine)

    assert made is not None
    assert made.manifest.git["dirty"] is False
    assert len(made.manifest.git["sha"]) == 40


@pytest.mark.parametrize("which", [lambda p: p, names.partial_of, names.manifest_of])
def test_a_planted_link_is_not_followed(tmp_path: Path, which: Any) -> None:  # A33
    victim = tmp_path / "victim"
    victim.write_text("mine")
    final = tmp_path / "x.dump"
    which(final).symlink_to(victim)

    with pytest.raises(StackError, match="symbolic link"):
        write.free_name(lambda _: final)

    assert victim.read_text() == "mine"


def test_a_taken_name_gets_a_number(tmp_path: Path) -> None:
    (tmp_path / "1").touch()

    assert write.free_name(lambda again: tmp_path / str(again)) == tmp_path / "2"


def test_a_file_system_that_takes_no_advice_gets_the_bytes_all_the_same(tmp_path: Path) -> None:
    data = bytes(4096)
    reader, writer = os.pipe()  # refuses the advice
    sink = write.Partial(tmp_path / "x", tmp_path / "y", writer)

    with os.fdopen(reader, "rb") as there, os.fdopen(writer, "wb"):
        done = write.copy(io.BytesIO(data), sink, lambda _: None, lambda *_: None)
        assert there.read(done.size) == data


def test_publishing_overwrites_nothing(tmp_path: Path) -> None:
    final = tmp_path / "x.dump"
    with write.partial(final) as partial:
        final.write_text("theirs")

        with pytest.raises(StackError, match="made by someone else"):
            partial.publish(lambda: None)

    assert final.read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [final]


def test_a_backup_without_its_manifest_is_taken_back(tmp_path: Path) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        write.partial(tmp_path / "x.dump") as partial,
    ):
        partial.publish(interrupted)

    assert list(tmp_path.iterdir()) == []
