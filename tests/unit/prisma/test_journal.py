"""Files against the journal."""

from __future__ import annotations

import hashlib
from pathlib import Path

from invoke_stack.prisma import journal
from invoke_stack.prisma.journal import Row


def digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def files(root: Path, **contents: bytes | None) -> dict[str, Path]:
    for name, content in contents.items():
        (root / name).mkdir()
        if content is not None:
            (root / name / "migration.sql").write_bytes(content)
    (root / "migration_lock.toml").touch()
    return journal.scripts(root)


def test_each_migration_is_in_one_state(tmp_path: Path) -> None:
    found = files(tmp_path, a=b"one", b=b"edited", c=b"three", d=b"four", e=None)
    rows = (
        Row("a", digest(b"one"), finished=True),
        Row("b", digest(b"two"), finished=True),
        Row("c", digest(b"three"), finished=False),
        Row("z", digest(b"elsewhere"), finished=True),
    )
    state = journal.compare(found, rows)
    assert state.applied == ("a", "b", "z")
    assert (state.pending, state.failed) == (("d", "e"), ("c",))
    assert (state.edited, state.unknown) == (("b",), ("z",))
    assert state.notes == ("e has no migration.sql",)
    assert not state.clean


def test_a_failure_that_was_repeated_with_success_is_no_failure(tmp_path: Path) -> None:
    found = files(tmp_path, a=b"one")
    rows = (Row("a", "", finished=False), Row("a", digest(b"one"), finished=True))
    state = journal.compare(found, rows)
    assert (state.failed, state.pending, state.clean) == ((), (), True)


def test_other_line_ends_are_no_edit(tmp_path: Path) -> None:
    found = files(tmp_path, a=b"x\r\ny\r\n", b=b"x\ny\n")
    rows = (
        Row("a", digest(b"x\ny\n"), finished=True),
        Row("b", digest(b"x\r\ny\r\n"), finished=True),
    )
    assert journal.compare(found, rows).edited == ()


def test_the_answer_is_read_line_by_line_and_anything_else_passed_over() -> None:
    answer = '{"tables" : 2}\nNOTICE\n{"name" : "a", "checksum" : "c", "finished" : true}\n'
    assert journal.rows(answer) == (Row("a", "c", finished=True),)
    assert journal.tables(answer) == 2


def test_the_schema_of_the_url_is_quoted_in_the_query() -> None:
    query = journal.query('it\'s "x"')
    assert '\'"it\'\'s ""x""\'._prisma_migrations' not in query
    assert "schemaname = 'it''s \"x\"'" in query
    assert 'FROM "it\'s ""x"""._prisma_migrations' in query


def test_a_folder_that_is_not_there_has_no_migrations(tmp_path: Path) -> None:
    assert journal.scripts(tmp_path / "none") == {}
