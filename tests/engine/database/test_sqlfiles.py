"""Plain SQL migrations against a real server; every test has a database of its own."""

import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.database import target as targets
from invoke_stack.database import url
from invoke_stack.database.migrating import Development, Place, State, Tool
from invoke_stack.database.sqlfiles import journal
from invoke_stack.database.sqlfiles.tool import NO_DRIFT, SqlFiles
from invoke_stack.engines import opening
from invoke_stack.environment import declared
from invoke_stack.errors import BusyError, ExitCode, StackError, UsageError
from invoke_stack.events import Event, Step, silent
from invoke_stack.project import Project

pytestmark = pytest.mark.engine


@dataclass(frozen=True)
class Bench:
    """A project folder, a database that does not exist yet, and the tool."""

    site: Any
    project: Project
    place: Place
    database: str
    tool: SqlFiles = SqlFiles()  # noqa: RUF009 - frozen

    def write(self, **files: str) -> None:
        folder = self.project.root / "migrations"
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            (folder / f"{name.removeprefix('m')}.sql").write_text(text)

    def deploy(self, report: Callable[[Event], None] = silent) -> None:
        self.tool.deploy(self.project, self.place, report)

    def state(self) -> State:
        return self.tool.state(self.project, self.place, silent, quick=True)

    def query(self, statement: str) -> str:
        return str(self.site.psql(statement, self.database))


@pytest.fixture
def bench(site: Any) -> Iterator[Bench]:
    project = site.project()
    stack = declared.load(project)
    with opening.open(project) as engine:
        found = targets.find(project, stack, engine)
        inside = url.find(project, stack, engine, view="stack").text
        whole = Place(stack, engine, found, host="", stack=inside)
        name = f"sql {secrets.token_hex(4)}"
        bench = Bench(site, project, whole.renamed(name), name)
        yield bench
        site.psql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE);')


ONE = "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1);"  # no last line end
TWO = "ALTER TABLE a ADD word text DEFAULT 'it''s -- ok'; -- a comment at the end"


@pytest.mark.both
def test_files_are_applied_in_order_to_a_database_that_does_not_exist_yet(bench: Bench) -> None:
    assert isinstance(bench.tool, Tool)
    bench.write(m0001_a=ONE, m0002_word=TWO, m0010_last="CREATE VIEW v AS SELECT word FROM a")

    bench.deploy()

    assert bench.query("SELECT word FROM v") == "it's -- ok"
    names = ("0001_a", "0002_word", "0010_last")
    assert bench.state() == State("sql", applied=names, notes=(NO_DRIFT,))
    assert bench.state().clean
    bench.deploy()
    assert bench.query("SELECT count(*) FROM a") == "1"


@pytest.mark.both
def test_what_is_pending_unknown_or_edited_is_seen(bench: Bench) -> None:
    bench.write(m0001_a=ONE, m0002_word=TWO)
    bench.deploy()
    folder = bench.project.root / "migrations"
    (folder / "0002_word.sql").unlink()
    bench.write(m0001_a=f"{ONE} -- edited", m0003_more="SELECT 1")

    found = bench.state()

    assert (found.pending, found.edited, found.unknown) == (
        ("0003_more",),
        ("0001_a",),
        ("0002_word",),
    )
    with pytest.raises(UsageError, match="0001_a: was edited after it was applied") as caught:
        bench.deploy()
    assert "--applied 0001_a" in caught.value.hint
    bench.tool.resolve(bench.project, bench.place, "0001_a", silent, applied=True)
    assert bench.state().edited == ()


def test_other_line_ends_are_no_edit(bench: Bench) -> None:
    bench.write(m0001_a="CREATE TABLE a (\n id int);\n")
    bench.deploy()
    (bench.project.root / "migrations/0001_a.sql").write_bytes(b"CREATE TABLE a (\r\n id int);\r\n")

    assert bench.state().clean


def test_a_failure_leaves_nothing_of_its_file_and_is_noted(bench: Bench) -> None:
    bench.write(m0001_a=ONE, m0002_bad="CREATE TABLE b ();\n\nSELECT 1/0;\nCREATE TABLE c ();")

    with pytest.raises(StackError) as caught:
        bench.deploy()

    assert str(caught.value) == "migrations/0002_bad.sql:3: division by zero"
    assert caught.value.code == ExitCode.FAILED
    assert bench.query("SELECT to_regclass('b') IS NULL AND to_regclass('c') IS NULL") == "t"
    found = bench.state()
    assert (found.applied, found.pending, found.failed) == (("0001_a",), ("0002_bad",), ())
    assert "0002_bad failed and left nothing: division by zero" in found.notes
    bench.write(m0002_bad="CREATE TABLE b ();")
    bench.deploy()
    assert bench.state().clean


def test_outside_a_transaction_a_failure_blocks_until_it_is_resolved(bench: Bench) -> None:
    text = "-- no transaction\nCREATE TABLE b (id int);\nCREATE INDEX CONCURRENTLY i ON b (nope);"
    bench.write(m0001_b=text)
    with pytest.raises(StackError, match=r"0001_b\.sql:3: column .nope. does not exist"):
        bench.deploy()

    assert bench.state().failed == ("0001_b",)
    with pytest.raises(StackError, match="parts of it may be in the database") as caught:
        bench.deploy()
    assert "--rolled-back 0001_b" in caught.value.hint
    bench.query("DROP TABLE b")
    bench.tool.resolve(bench.project, bench.place, "0001_b", silent, applied=False)
    bench.write(m0001_b=text.replace("nope", "id"))
    bench.deploy()

    assert bench.state().clean
    assert bench.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass") == "t"


def test_what_is_applied_is_not_said_to_be_rolled_back(bench: Bench) -> None:
    bench.write(m0001_a=ONE)
    bench.deploy()

    with pytest.raises(UsageError, match="0001_a: is applied, not failed"):
        bench.tool.resolve(bench.project, bench.place, "0001_a", silent, applied=False)
    assert bench.state().clean


@pytest.mark.parametrize("text", ["SELECT 'open;", "SELECT 1; /* open", "SELECT $$open;"])
def test_a_quote_that_is_never_closed_is_no_success(bench: Bench, text: str) -> None:
    bench.write(m0001_open=text)

    with pytest.raises(StackError, match=r"migrations/0001_open"):
        bench.deploy()
    assert bench.state().applied == ()


def test_a_file_that_moves_the_search_path_and_the_role_changes_nothing_else(
    bench: Bench,
) -> None:
    bench.write(
        m0001_dumped=(
            "SELECT pg_catalog.set_config('search_path', '', false);\n"
            "SET ROLE pg_read_all_data;\nSELECT 1;"
        ),
        m0002_a=ONE,
    )

    bench.deploy()

    assert bench.state().clean
    assert bench.query("SELECT tableowner FROM pg_tables WHERE tablename = 'a'") == "app"


def test_rows_in_copy_format_are_taken_as_they_are(bench: Bench) -> None:
    bench.write(m0001_a="CREATE TABLE a (w text);\nCOPY a FROM stdin;\nit's \\\\x\n\\N\n\\.\n")

    bench.deploy()

    assert bench.query("SELECT count(*), count(w) FROM a") == "2|1"


@pytest.mark.both
def test_two_runs_at_once_apply_every_file_once(bench: Bench) -> None:
    slow = "SELECT pg_sleep(0.3); CREATE TABLE t%d ();"
    bench.write(**{f"m000{n}_t": slow % n for n in (1, 2, 3)})
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(bench.deploy) for _ in range(2)]
        problems = [each.exception() for each in both]

    assert problems == [None, None]
    assert bench.state().applied == ("0001_t", "0002_t", "0003_t")


def test_a_lock_that_is_held_for_long_is_busy(bench: Bench) -> None:
    bench.write(m0001_a=ONE)
    bench.deploy()
    bench.write(m0002_b="CREATE TABLE b ();")
    holding = threading.Thread(
        target=bench.query, args=(f"SELECT pg_advisory_lock({journal.LOCK}), pg_sleep(4)",)
    )
    holding.start()
    try:
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        while bench.query(held) == "0":
            pass
        with pytest.raises(BusyError, match="another migration run holds the lock"):
            SqlFiles(wait_s=1).deploy(bench.project, bench.place, silent)
    finally:
        holding.join()
    assert bench.state().pending == ("0002_b",)
    assert bench.state().notes == (NO_DRIFT,)


@pytest.mark.both
def test_the_seed_runs_whole_or_not_at_all(bench: Bench) -> None:
    bench.write(m0001_a=ONE)
    bench.deploy()
    assert bench.tool.seed(bench.project, bench.place, silent) is False
    seed = bench.project.root / "seed.sql"
    seed.write_text("INSERT INTO a VALUES (2);\nINSERT INTO a VALUES ('x');\n")
    with pytest.raises(StackError, match=r"^seed\.sql:2: invalid input syntax"):
        bench.tool.seed(bench.project, bench.place, silent)
    assert bench.query("SELECT count(*) FROM a") == "1"
    seed.write_text("INSERT INTO a VALUES (2)")

    told: list[Event] = []
    assert bench.tool.seed(bench.project, bench.place, told.append) is True
    assert bench.query("SELECT sum(id) FROM a") == "3"
    assert told == [Step("seeding from seed.sql")]


def test_a_name_makes_the_next_file_and_an_empty_one_is_not_applied(bench: Bench) -> None:
    bench.write(m0001_a=ONE)
    bench.tool.develop(bench.project, bench.place, Development("Add posts!"), silent)
    path: Path = bench.project.root / "migrations/0002_add_posts.sql"

    assert path.read_text() == "-- Add posts!\n"
    assert bench.state().applied == ("0001_a",)
    with pytest.raises(UsageError, match=r"0002_add_posts\.sql: has no statement yet"):
        bench.tool.develop(bench.project, bench.place, Development(), silent)
    path.write_text("CREATE TABLE posts ();")
    bench.tool.develop(bench.project, bench.place, Development(), silent)
    assert bench.state().clean


@pytest.mark.both
def test_the_password_is_in_no_process_and_no_message(bench: Bench, canaries: Any) -> None:
    told: list[Event] = []
    bench.write(m0001_a=f"DO $$ BEGIN RAISE NOTICE 'it is {canaries[0]}'; END $$;")

    bench.deploy(told.append)

    assert any("it is ***" in str(each) for each in told)
    assert canaries[0] not in str(told)
