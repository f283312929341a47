from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from invoke_stack.database.values import Facts
from invoke_stack.doctor import database
from invoke_stack.doctor.server import Server

if TYPE_CHECKING:
    from conftest import Examine


def server(image: str, major: int = 16, **details: object) -> Server:
    facts = Facts(f"{major}.4", major, details)
    return Server("db", image, "postgres", facts, 100.0, 101.0)


@pytest.mark.parametrize(
    ("image", "state"), [("postgres:16-alpine", "ok"), ("postgres", "ok"), ("postgres:17", "error")]
)
def test_a_server_of_another_major_than_the_files_name_is_an_error(image: str, state: str) -> None:
    found = database.judged(server(image))

    assert found.state == state
    assert state == "ok" or "set its image to PostgreSQL 16 again" in found.fix


def test_an_upgrade_is_proposed_where_there_is_one() -> None:
    assert database.judged(server("postgres:17")).fix.startswith("inv db.upgrade ")
    assert "upgrade" not in database.judged(server("postgres:15")).fix


@pytest.mark.parametrize(
    ("said", "lines"),
    [
        ("pg_dump (PostgreSQL) 15.8 (Debian 15.8-0)", 1),
        ("pg_dump (PostgreSQL) 16.1", 0),
        ("pg_dump (PostgreSQL) 17.0", 0),
        ("", 0),
    ],
)
def test_programs_of_this_machine_that_are_too_old_are_an_info(said: str, lines: int) -> None:
    found = list(database.client(server("postgres:16"), said))

    assert [each.state for each in found] == ["info"] * lines
    assert all(each.fix == "install postgresql-client-16" for each in found)


def test_extensions_are_read_out_of_the_migrations(tmp_path: Path) -> None:
    first, second = tmp_path / "1.sql", tmp_path / "2.sql"
    first.write_text('-- CREATE EXTENSION no;\ncreate extension if not exists "uuid-ossp";\n')
    second.write_text('CREATE EXTENSION citext;\nCREATE EXTENSION "uuid-ossp";\n')

    assert database.asked_for([first, second]) == {"uuid-ossp": first, "citext": second}


def test_without_migrations_no_extension_is_asked_for(examine: Examine) -> None:
    assert not list(database.extensions(examine()))


def test_a_stack_without_a_database_is_told_nothing(examine: Examine) -> None:
    assert not list(database.answers(examine()))


def test_a_server_knows_its_extensions_where_it_says_so() -> None:
    assert server("postgres:16", available=["citext"]).available == {"citext"}
    assert server("postgres:16").available == frozenset()
    assert server("postgres:16", available=None).available == frozenset()
