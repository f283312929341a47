"""`db.restore` on a real server: what comes back, what stays, what is refused."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import contents
import pytest

pytestmark = pytest.mark.engine

STATE = """
ALTER DATABASE {name} SET search_path TO "$user", "We ird", public;
ALTER DATABASE {name} SET app.jwt_secret TO 'canary-jwt\\b''c';
ALTER ROLE app IN DATABASE {name} SET statement_timeout TO '1h';
ALTER DATABASE {name} CONNECTION LIMIT 55;
COMMENT ON DATABASE {name} IS 'the user''s own: \\x';
CREATE ROLE {name}_owner; CREATE ROLE {name}_reader; CREATE ROLE {name}_guest;
ALTER DATABASE {name} OWNER TO {name}_owner;
REVOKE ALL ON DATABASE {name} FROM PUBLIC;
GRANT CONNECT ON DATABASE {name} TO {name}_reader WITH GRANT OPTION;
SET ROLE {name}_reader; GRANT CONNECT ON DATABASE {name} TO {name}_guest;
"""
CHANGE = """
DELETE FROM child; DROP VIEW v; CREATE TABLE later (x int); INSERT INTO later VALUES (1);
UPDATE "Ünï co;de" SET t = 'changed';
"""


@pytest.mark.both
def test_a_restore_brings_back_exactly_what_was_backed_up(
    shop: Any, stock_file: str
) -> None:  # A25, A43
    before = shop.content()
    shop.psql(CHANGE)
    changed = shop.content()

    done = shop.ok("restore", file=stock_file)

    assert shop.content() == before
    assert shop.psql("SELECT migration_name FROM _prisma_migrations").strip() == "20260101_init"
    assert done["database"] == shop.name
    assert shop.databases() == sorted([shop.name, done["kept"]])
    assert shop.site.psql(contents.CONTENT, done["kept"]) == changed


@pytest.mark.both
def test_a_backup_of_the_other_engine_restores(shop: Any, servers: Any, engine: str) -> None:
    other = "embedded" if engine == "docker" else "docker"

    shop.ok("restore", file=servers.file(other))

    assert shop.content() == servers.of(other).psql(contents.CONTENT, "stock")


@pytest.mark.both
def test_undo_brings_the_replaced_content_back_once(shop: Any, stock_file: str) -> None:  # A39
    shop.psql(CHANGE)
    before, state = shop.content(), shop.state()
    shop.ok("restore", file=stock_file)

    done = shop.ok("undo")
    code, _, err = shop.run("undo")

    assert shop.content() == before
    assert shop.state() == state
    assert shop.databases() == [shop.name]
    assert done["downtime"] < 1
    assert code == 2
    assert "nothing to undo" in err


def test_an_undo_counts_also_when_what_was_live_cannot_be_dropped(
    shop: Any, stock_file: str
) -> None:
    shop.psql(CHANGE)
    before = shop.content()
    shop.ok("restore", file=stock_file)
    shop.psql(
        "CREATE PUBLICATION p; CREATE SUBSCRIPTION blocks CONNECTION 'dbname=none' "
        "PUBLICATION p WITH (connect = false, slot_name = NONE)"
    )

    code, _, err = shop.run("undo")
    (left,) = shop.variants("new")
    shop.site.psql("DROP SUBSCRIPTION blocks", left)
    shop.ok("snapshot", name="clean")

    assert code == 0
    assert f"{left} is still there" in err
    assert shop.content() == before
    assert shop.variants("new") == []


def test_only_the_last_replaced_database_is_kept(shop: Any, stock_file: str) -> None:
    first = shop.ok("restore", file=stock_file)["kept"]
    second = shop.ok("restore", file=stock_file)["kept"]

    assert first != second
    assert shop.variants("old") == [second]


def test_a_backup_restores_into_an_empty_server(  # A1, A2
    shop: Any, stock_file: str, fresh: Any
) -> None:
    before = shop.content()
    fresh.compose("up", "--detach")
    assert fresh.run("wait", timeout_s=60)[0] == 0

    code, done, err = fresh.run("restore", file=stock_file)
    assert code == 0, err
    fresh.psql("CREATE DATABASE bare")
    words = ("exec", "-i", f"{fresh.name}-pg-1", "pg_restore", "-U", "app", "-d", "bare")
    fresh.docker(*words, stdin=Path(stock_file).read_bytes())

    assert fresh.psql(contents.CONTENT) == before
    assert fresh.psql(contents.CONTENT, "bare") == before
    assert done["database"] == "app"


@pytest.mark.both
def test_another_database_can_be_the_target(shop: Any, stock_file: str) -> None:
    before = shop.content()
    other = f"{shop.name}_copy"

    done = shop.ok("restore", file=stock_file, to_db=other)
    again = shop.ok("restore", file=stock_file, to_db=other)

    assert shop.site.psql(contents.CONTENT, other) == before
    assert done["kept"] == ""
    assert again["kept"].startswith(f"{other}__old_")
    assert shop.content() == before


def test_a_database_that_was_dropped_comes_back(shop: Any, stock_file: str) -> None:
    before, state = shop.content(), shop.state()
    shop.site.psql(f"DROP DATABASE {shop.name}")

    shop.ok("restore", file=stock_file)

    assert shop.content() == before
    assert shop.state() == state


def test_the_state_of_the_database_survives_an_exchange(
    shop: Any, stock_file: str
) -> None:  # A31, A30
    shop.site.psql(STATE.format(name=shop.name))
    state = shop.state()

    done = shop.ok("restore", file=stock_file)

    assert shop.state() == state
    assert "canary-jwt" in state
    shop.ok("undo")
    assert shop.state() == state
    assert done["kept"] not in shop.databases()


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_encoding_and_collation_are_those_of_the_live_database(  # A30
    shop: Any, stock_file: str, locale: str
) -> None:
    shop.site.psql(f"DROP DATABASE {shop.name}")
    made = f"CREATE DATABASE {shop.name} TEMPLATE template0 LC_COLLATE '{locale}' LC_CTYPE 'C'"
    shop.site.psql(f"{made} ENCODING 'UTF8'")
    state = shop.state()

    shop.ok("restore", file=stock_file)

    assert shop.state() == state
    assert f"|{locale}|C|" in state


def test_names_with_quotes_and_blanks_and_of_every_length(
    shops: Any, stock_file: str, odd: str
) -> None:  # A32
    for name in (f"{odd}-r", "ß" * 31):
        shop = shops(name)
        before = shop.content()
        shop.psql(CHANGE)

        done = shop.ok("restore", file=stock_file)

        assert shop.content() == before
        assert len(done["kept"].encode()) <= 63
        shop.ok("undo")
        assert shop.databases() == [name]


BROKEN = """
CREATE FUNCTION broken(a int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
  IF current_database() LIKE '%\\_\\_new\\_%' THEN RAISE 'no zebra here'; END IF; RETURN a; END $$;
CREATE INDEX zz ON part_b (broken(k));
"""


def test_a_restore_that_fails_at_its_end_changes_nothing(shop: Any) -> None:  # A26
    shop.psql(BROKEN)
    file, before = shop.backup(), shop.content()

    code, _, err = shop.run("restore", file=file)

    assert code == 1
    assert "no zebra here" in err
    assert shop.content() == before
    assert shop.databases() == [shop.name]


def owned_by_missing_roles(shop: Any) -> tuple[str, str, str]:
    owner, guest = f"{shop.name}_Gone", f"{shop.name}_guest"
    shop.psql(f'CREATE ROLE "{owner}"; CREATE ROLE {guest}; ALTER TABLE child OWNER TO "{owner}"')
    shop.psql(f"GRANT SELECT ON part TO {guest}")
    file = shop.backup()
    shop.psql(f'REASSIGN OWNED BY "{owner}" TO app; REVOKE ALL ON part FROM {guest}')
    shop.psql(f'DROP ROLE "{owner}"; DROP ROLE {guest}')
    return file, owner, guest


def test_missing_roles_are_named_before_anything_is_made(shop: Any) -> None:  # A28
    file, owner, guest = owned_by_missing_roles(shop)
    before = shop.content()

    code, _, err = shop.run("restore", file=file)

    assert code == 2
    assert f"missing here: {owner}, {guest}" in err
    assert "--create-roles" in err
    assert "--no-owner" in err
    assert shop.content() == before
    assert shop.databases() == [shop.name]


def test_missing_roles_are_made_or_done_without(shop: Any) -> None:  # A28
    file, owner, guest = owned_by_missing_roles(shop)

    shop.ok("restore", file=file, owner=False)
    assert "child|app" in shop.psql("SELECT tablename, tableowner FROM pg_tables")

    shop.ok("restore", file=file, create_roles=True)
    assert f"child|{owner}" in shop.psql("SELECT tablename, tableowner FROM pg_tables")
    assert shop.psql(f"SELECT has_table_privilege('{guest}', 'part', 'SELECT')").strip() == "t"
    logins = shop.psql("SELECT rolname, rolcanlogin FROM pg_roles")
    assert f"{owner}|f" in logins


def test_roles_that_were_made_go_when_the_restore_fails(shop: Any) -> None:
    shop.psql(BROKEN)
    file, owner, _ = owned_by_missing_roles(shop)

    assert shop.run("restore", file=file, create_roles=True)[0] == 1

    assert owner not in shop.psql("SELECT rolname FROM pg_roles")


def test_a_protected_database_is_refused(shop: Any, stock_file: str) -> None:  # A37
    shop.psql(f"ALTER DATABASE {shop.name} SET invoke_stack.protected = 'on'")
    before = shop.content()

    code, _, err = shop.run("restore", file=stock_file)

    assert code == 4
    assert "is protected" in err
    assert shop.content() == before


def test_a_question_names_source_target_and_what_is_kept(shop: Any, stock_file: str) -> None:  # A38

    err = shop.run("restore", file=stock_file)[2]

    question = err[err.index("asked:") :]
    assert f"replaces database {shop.name} of service pg with " in question
    assert Path(stock_file).name in question
    assert "back with: inv db.restore --undo" in question


@pytest.mark.both
def test_a_damaged_file_is_refused(shop: Any) -> None:  # A15
    file = Path(shop.backup())
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)

    code, _, err = shop.run("restore", file=str(file))

    assert code == 4
    assert "the content has changed" in err
    assert shop.databases() == [shop.name]


@pytest.mark.both
def test_a_user_without_the_right_is_told_and_may_go_in_place(shop: Any) -> None:
    user = f"{shop.name}_user"
    shop.site.psql(f"CREATE ROLE {user} LOGIN; DROP DATABASE {shop.name}")
    shop.site.psql(f"CREATE DATABASE {shop.name} OWNER {user}")
    shop.psql(f"SET ROLE {user}; CREATE TABLE mine (x int); INSERT INTO mine SELECT 1")
    limited = type(shop)(shop.site, shop.name, {"name": shop.name, "user": user})
    file = limited.backup()
    limited.psql("INSERT INTO mine VALUES (2)")

    code, _, err = limited.run("restore", file=file)
    assert code == 2
    assert f"ALTER ROLE {user} CREATEDB" in err
    assert "--in-place" in err

    code, _, err = limited.run("restore", file=file, in_place=True)
    assert code == 0, err
    assert "nothing is exchanged" in err
    assert "backup: " in err
    assert limited.psql("SELECT x FROM mine").split() == ["1"]
    assert shop.databases() == [shop.name]


def test_in_place_is_refused_to_a_user_who_needs_it_not(shop: Any, stock_file: str) -> None:
    code, _, err = shop.run("restore", file=stock_file, in_place=True)

    assert code == 2
    assert "not needed" in err


def test_a_dry_run_tells_the_plan_and_changes_nothing(shop: Any, stock_file: str) -> None:
    before = shop.content()

    code, _, err = shop.run("restore", file=stock_file, dry=True)

    assert code == 0
    assert "create the database" in err
    assert "keep the old one" in err
    assert shop.content() == before
    assert shop.databases() == [shop.name]


# The server tells the time: a client may wait for the processor before it looks at its clock.
CLIENT = """
while [ ! -e "/tmp/$1.stop" ]; do
  psql -XqAt -F ' ' -U app -d "$1" -c 'SELECT extract(epoch FROM clock_timestamp()),
    a.x || $$|$$ || b.x FROM swap_a a, swap_b b' 2>/dev/null
done
"""


def test_clients_see_one_content_or_the_other_and_wait_hardly(shop: Any) -> None:  # A27
    shop.psql("CREATE TABLE swap_a AS SELECT 1 AS x; CREATE TABLE swap_b AS SELECT 1 AS x")
    file = shop.backup()
    shop.psql("UPDATE swap_a SET x = 2; UPDATE swap_b SET x = 2")
    said: list[str] = []

    def client() -> None:
        words = ("exec", shop.site.container, "bash", "-c", CLIENT, "bash", shop.name)
        said.append(shop.site.docker(*words))

    clients = [threading.Thread(target=client) for _ in range(10)]
    for each in clients:
        each.start()
    time.sleep(0.5)
    done = shop.ok("restore", file=file)
    shop.site.docker("exec", shop.site.container, "touch", f"/tmp/{shop.name}.stop")  # noqa: S108
    for each in clients:
        each.join()

    answers = sorted(
        (float(line.split()[0]), line.split()[1]) for text in said for line in text.splitlines()
    )
    assert {answer for _, answer in answers} == {"1|1", "2|2"}
    last_old = max(at for at, answer in answers if answer == "2|2")
    first_new = min(at for at, answer in answers if answer == "1|1")
    assert last_old < first_new
    # The machine may be busy: what is measured without others is in the benchmark.
    assert first_new - last_old < max(1.5, done["downtime"])


def test_the_password_never_stands_in_a_command_line(shop: Any, canaries: Any) -> None:  # A34
    file = shop.backup()
    shop.psql(BROKEN.replace("RAISE 'no zebra here'", "PERFORM pg_sleep(0.005)"))
    file = shop.backup()
    seen = set()
    child = shop.start("restore", file=file)
    while child.poll() is None:
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                seen.add((folder / "cmdline").read_bytes())
            except OSError:
                continue
        time.sleep(0.05)
    out, err = child.communicate()

    assert child.returncode == 0, err
    assert any(b"pg_restore" in line for line in seen)
    for secret in canaries:
        assert not any(secret.encode() in line for line in seen)
        assert secret not in out + err


@pytest.mark.skipif(shutil.which("zstd") is None, reason="no zstd here")
@pytest.mark.parametrize("packer", ["", "gzip", "zstd"])
def test_a_plain_dump_restores(shop: Any, packer: str) -> None:
    file, before = plain(shop, "--clean", "--create"), shop.content()
    if packer:
        subprocess.run([packer, "-q", str(file)], check=True)
        file = file.with_name(file.name + {"gzip": ".gz", "zstd": ".zst"}[packer])
    shop.psql(CHANGE)

    code, _, err = shop.run("restore", file=str(file))

    assert code == 0, err
    assert shop.content() == before
    assert "left out: a statement about a whole database" in err
    assert "connect" in err


@pytest.mark.parametrize("flags", [("--clean",), ("--clean", "--if-exists"), ("--inserts",)])
def test_plain_dumps_of_other_makes_restore(shop: Any, flags: tuple[str, ...]) -> None:
    file, before = plain(shop, *flags), shop.content()
    shop.psql(CHANGE)

    shop.ok("restore", file=str(file))

    assert shop.content() == before


def test_one_database_out_of_a_dump_of_all(shop: Any) -> None:
    before = shop.content()
    words = ("exec", shop.site.container, "pg_dumpall", "-U", "app", "--clean")
    file = shop.site.root / "all.sql"
    pattern = f"--exclude-database={'b?g'}"
    file.write_text(shop.site.docker(*words, pattern) + "\n")
    shop.psql(CHANGE)
    others = shop.site.psql(contents.CONTENT, "app")

    shop.ok("restore", file=str(file))

    assert shop.content() == before
    assert shop.site.psql(contents.CONTENT, "app") == others


def test_a_plain_dump_that_fails_half_way_changes_nothing(shop: Any) -> None:
    file, before = plain(shop), shop.content()
    text = file.read_text()
    end = text.rindex("--\n-- PostgreSQL database dump complete")
    file.write_text(f"{text[:end]}SELECT 1 / 0;\n{text[end:]}")

    code, _, err = shop.run("restore", file=str(file))

    assert code == 1
    assert "division by zero" in err
    assert f":{text[:end].count(chr(10)) + 1}:" in err
    assert shop.content() == before
    assert shop.databases() == [shop.name]


def test_a_dump_of_one_schema_restores(shop: Any) -> None:
    words = ("exec", shop.site.container, "pg_dump", "-U", "app", "-n", "public", shop.name)
    shop.psql("DROP EXTENSION vector CASCADE")
    before = shop.content()
    for name, form in (("one.sql", "plain"), ("one.dump", "custom")):
        file = shop.site.root / name
        done = subprocess.run(
            ["docker", *words, "--large-objects", f"--format={form}"],
            capture_output=True,
            check=True,
        )
        file.write_bytes(done.stdout)
        shop.ok("restore", file=str(file))
        rows = [line for line in shop.content().splitlines() if "dd" not in line]
        assert rows == [line for line in before.splitlines() if "dd" not in line]


def plain(shop: Any, *flags: str) -> Path:
    words = ("exec", shop.site.container, "pg_dump", "-U", "app", *flags, shop.name)
    file: Path = shop.site.root / "old.sql"
    file.write_text(shop.site.docker(*words) + "\n")
    return file


def inv(server: Any, shop: Any, *words: str) -> subprocess.CompletedProcess[str]:
    (server.root / "tasks.py").write_text(
        "from invoke_stack import namespace\n\nns = namespace()\n"
    )
    environ = {**os.environ, "INVSTACK_DB_NAME": shop.name}
    return subprocess.run(
        [Path(sys.executable).with_name("inv"), *words],
        cwd=server.root,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_task_asks_for_yes_off_a_terminal_and_tells_what_it_did(  # A36, A38
    server: Any, shop: Any, stock_file: str
) -> None:
    before = shop.content()

    refused = inv(server, shop, "db.restore", "--file", stock_file)
    assert refused.returncode == 4
    assert f"db.restore replaces database {shop.name} of service pg with " in refused.stderr
    assert shop.databases() == [shop.name]

    done = inv(server, shop, "db.restore", "--file", stock_file, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    kept = json.loads(done.stdout)["kept"]
    assert kept in shop.databases()

    again = inv(server, shop, "db.restore", "--file", stock_file)
    assert f"{kept}, kept by an earlier run, is dropped" in again.stderr
    assert kept not in refused.stderr

    asked = inv(server, shop, "db.restore", "--undo")
    assert f"replaces database {shop.name} of service pg with {kept} (" in asked.stderr
    undone = inv(server, shop, "db.restore", "--undo", "--yes")
    assert undone.returncode == 0, undone.stderr
    assert undone.stdout == f"{shop.name}: as it was before\n"
    assert shop.content() == before


def test_snapshots_are_listed_beside_the_backups(server: Any, shop: Any) -> None:
    made = inv(server, shop, "db.snapshot", "--name", "beside")
    listed = inv(server, shop, "db.backups")
    gone = inv(server, shop, "db.snapshot", "--name", "beside", "--delete")
    empty = inv(server, shop, "db.backups", "--json")

    assert made.stdout == "beside\n", made.stderr
    assert "back with: inv db.rewind --name beside" in made.stderr
    assert "volatile (same volume)" in listed.stdout
    row = r"^beside .* \d{4}-\d\d-\d\d \d\d:\d\d  volatile"
    assert re.search(row, listed.stdout, re.MULTILINE)
    assert f"dropped {shop.name}__snap_beside" in gone.stderr
    assert json.loads(empty.stdout)["snapshots"] == []
    assert shop.databases() == [shop.name]
