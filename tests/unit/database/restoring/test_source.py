"""Which file is restored, and what no file may be."""

import gzip
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.database import names
from invoke_stack.database import target as targets
from invoke_stack.database.restoring import source
from invoke_stack.errors import RefusedError, StackError, UsageError
from invoke_stack.events import Event, Warned

PLAIN = b"--\n-- PostgreSQL database dump\n--\nCREATE TABLE t ();\n"


@pytest.fixture
def opened(project: Any, declared: Any, engine: Any) -> Any:
    def open_(word: str, heard: list[Event] | None = None) -> source.Source:
        target = targets.find(project, declared, engine)
        entry = source.find(project, word, "", "shop")
        heard = [] if heard is None else heard
        return source.opened(project, target, entry, heard.append)

    return open_


def write(project: Any, name: str, data: bytes) -> str:
    (project.root / name).write_bytes(data)
    return name


def test_the_newest_backup_of_this_database_is_the_latest(opened: Any, store: Any) -> None:
    store("shop-20261120T170459Z-pg16.dump")
    newest = store("shop-20261121T170459Z-pg16.dump", created_at="2026-11-21T17:04:59Z")
    store("other.dump", database="other", created_at="2026-11-22T17:04:59Z")

    found = opened("latest")

    assert found.file == newest
    assert found.kind == "archive"
    assert found.header is not None
    assert opened("2").file != newest


def test_a_byte_that_changed_is_refused(opened: Any, store: Any, whole: bytes) -> None:  # A15
    file = store("shop-20261120T170459Z-pg16.dump")
    data = bytearray(whole)
    data[len(data) // 2] ^= 1
    file.write_bytes(data)

    with pytest.raises(RefusedError, match="the content has changed"):
        opened("1")


def test_a_file_that_was_cut_is_refused(opened: Any, store: Any, whole: bytes) -> None:  # A16
    store("shop-20261120T170459Z-pg16.dump").write_bytes(whole[:-1])

    with pytest.raises(RefusedError, match="its manifest says"):
        opened("1")


def test_each_foreign_thing_has_its_own_message(  # A18
    opened: Any, project: Any, store: Any
) -> None:
    store("gone.dump").unlink()
    words = {
        "gone.dump": "only its manifest is here",
        write(project, "empty.dump", b""): "the file is empty",
        write(project, "text.dump", b"hello"): "it begins with text",
        write(project, "data.dump", b"\xff\x00\x01"): "it begins with other data",
        write(project, "power.sql", "SELECT 1;".encode("utf-16")): "is UTF-16",
        write(project, "cut.sql.gz", gzip.compress(PLAIN)[:8]): "neither an archive nor",
        write(project, "text.txt", b"hello"): "neither an archive nor",
    }
    seen = set()
    for word, message in words.items():
        with pytest.raises(UsageError, match=message) as caught:
            opened(word if word != "gone.dump" else "1")
        seen.add(caught.value.message)
    assert len(seen) >= len(words) - 2


def test_without_a_manifest_that_is_said(opened: Any, project: Any, store: Any) -> None:  # A18
    file = store("alone.dump")
    names.manifest_of(file).unlink()
    heard: list[Event] = []

    assert opened(str(file), heard).kind == "archive"
    assert any(isinstance(each, Warned) and "no manifest" in each.text for each in heard)


@pytest.mark.parametrize("name", ["old.sql", "old.sql.gz", "old.sql.zst", "old.txt", "old.backup"])
def test_a_plain_dump_is_told_by_its_content(opened: Any, project: Any, name: str) -> None:
    data = PLAIN
    if name.endswith(".gz"):
        data = gzip.compress(PLAIN)
    if name.endswith(".zst"):
        if shutil.which("zstd") is None:
            pytest.skip("no zstd here")
        argv = ["zstd", "-q"]
        data = subprocess.run(argv, input=PLAIN, capture_output=True, check=True).stdout
    write(project, name, data)

    assert opened(f"./{name}").kind == "plain"


def test_a_backup_that_nobody_has_is_named(opened: Any) -> None:
    with pytest.raises(StackError, match="no verified backup yet"):
        opened("latest")
    with pytest.raises(UsageError, match="no backup 'shop-2030'"):
        opened("shop-2030")


def test_a_path_may_begin_anywhere(opened: Any, project: Any, store: Any) -> None:
    file: Path = store("shop-20261120T170459Z-pg16.dump")

    assert opened(str(file)).file == file
    assert opened("backups/shop/shop-20261120T170459Z-pg16.dump").file == file


def test_a_folder_that_is_named_has_to_be_there(project: Any) -> None:
    with pytest.raises(UsageError, match="--from: no such folder: /nope"):
        source.find(project, "latest", "/nope", "app")
