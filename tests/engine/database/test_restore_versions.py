"""Dumps between servers of other majors, and collations that only one of them has."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import contents
import pytest

pytestmark = pytest.mark.engine

CREATE = """CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'
LOCALE_PROVIDER {provider} {provider}_LOCALE '{locale}' {more};"""


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory, newer_compose: Any) -> Iterator[Any]:
    """A PostgreSQL 17 with the mixed content, as far as it has the extensions."""
    site = newer_compose(tmp_path_factory.mktemp("newer"))
    try:
        site.compose("up", "--detach")
        assert site.run("wait", timeout_s=60)[0] == 0
        site.psql("CREATE TABLE kept AS SELECT 1 AS x")
        yield site
    finally:
        site.compose("down", "--volumes", "--timeout", "1")


def dumped(newer: Any, database: str, form: str) -> Path:
    """Fill a database on the newer server, but for what needs the extension, and dump it."""
    newer.psql(f"CREATE DATABASE {database}")
    text = contents.MIXED.replace("CREATE EXTENSION vector;", "").replace(
        "CREATE TABLE emb (id int, v vector(3)); INSERT INTO emb VALUES (1, '[1,2,3]');", ""
    )
    newer.psql(text, database)
    words = ["docker", "exec", newer.container, "pg_dump", "-U", "app", f"--format={form}"]
    file: Path = newer.root / f"{database}.{form}.sql"
    file.write_bytes(subprocess.run([*words, database], capture_output=True, check=True).stdout)
    return file


def test_an_archive_of_a_newer_server_is_refused(shop: Any, newer: Any) -> None:  # A22, A23
    file, before = dumped(newer, "archive", "custom"), shop.content()

    for force in (False, True):
        code, _, err = shop.run("restore", file=str(file), force=force)

        assert code == 4
        assert "archive 1.16 needs the programs of version 17 or newer" in err
    assert shop.content() == before
    assert shop.databases() == [shop.name]


def test_a_plain_dump_of_a_newer_server_needs_force(shop: Any, newer: Any) -> None:  # A23
    file, before = dumped(newer, "plain", "plain"), shop.content()

    code, _, err = shop.run("restore", file=str(file))
    assert code == 4
    assert "made from PostgreSQL 17" in err
    assert "this server is 16" in err
    assert shop.content() == before

    shop.ok("restore", file=str(file), force=True)
    rows = [line for line in shop.content().splitlines() if "child|" in line]
    assert rows == [
        line for line in newer.psql(contents.CONTENT, "plain").splitlines() if "child|" in line
    ]


def test_an_older_archive_goes_into_a_newer_server(shop: Any, newer: Any) -> None:
    shop.psql("DROP EXTENSION vector CASCADE")
    file = shop.backup()
    newer.psql("CREATE DATABASE older")

    code, _, err = newer.run("restore", file=file, settings={"db": {"name": "older"}})

    assert code == 0, err
    mine = [line for line in shop.content().splitlines() if "child|" in line]
    assert mine == [
        line for line in newer.psql(contents.CONTENT, "older").splitlines() if "child|" in line
    ]


def test_an_extension_that_is_not_there_is_named_before_anything(  # A29
    stock_file: str, newer: Any
) -> None:
    newer.psql("CREATE DATABASE bare")

    code, _, err = newer.run("restore", file=stock_file, settings={"db": {"name": "bare"}})

    assert code == 2
    assert "does not have: vector" in err
    found = newer.psql("SELECT datname FROM pg_database").split()
    assert not [each for each in found if each.startswith("bare__")]


@pytest.mark.parametrize(
    ("provider", "locale", "more"),
    [("icu", "de-AT-u-co-phonebk", "ICU_RULES '&V << w <<< W'"), ("builtin", "C.UTF-8", "")],
)
def test_the_collation_provider_stays(  # A30
    newer: Any, provider: str, locale: str, more: str
) -> None:
    name = f"words_{provider}"
    newer.psql(CREATE.format(name=name, provider=provider, locale=locale, more=more))
    newer.psql("CREATE TABLE w AS SELECT 'ä' AS w", name)
    settings = {"db": {"name": name}}
    code, made, err = newer.run("backup", settings=settings, fast=True)
    assert code == 0, err
    state = newer.psql(contents.DATABASE, name)
    assert locale in state

    code, _, err = newer.run("restore", file=made["file"], settings=settings)
    assert code == 0, err
    assert newer.psql(contents.DATABASE, name) == state

    newer.psql(f"DROP DATABASE {name} WITH (FORCE)")
    code, _, err = newer.run("restore", file=made["file"], settings=settings)
    assert code == 0, err
    without_rules = newer.psql(contents.DATABASE, name)
    assert without_rules == state
