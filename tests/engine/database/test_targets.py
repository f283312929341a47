"""db.shell, db.url, db.wait and db.backup by service and by URL, through `inv`; and the rails."""

import functools
import json
import os
import pty
import secrets
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from argv import Watcher
from stacks import Project, free_port, processes, run_docker

from invoke_stack import settings
from invoke_stack.database import locate, rails
from invoke_stack.database.rails import Action, Consent
from invoke_stack.engines import opening
from invoke_stack.environment import declared
from invoke_stack.errors import RefusedError
from invoke_stack.process import SystemRunner
from invoke_stack.project import Project as Domain

CLIENTS = Path("/usr/lib/postgresql/15/bin")
COMPOSE = """
services:
  pg:
    image: postgres:16-alpine
    environment:
      POSTGRES_USER: app
      POSTGRES_PASSWORD: ${PASSWORD}
      POSTGRES_DB: shop
    ports: ["127.0.0.1:${PG_PORT}:5432"]
  web:
    image: node:22-slim
    profiles: [never]
    environment:
      DATABASE_URL: postgresql://app:${PASSWORD}@pg:5432/shop?schema=public&connection_limit=5
"""


# Asks the server behind a variable's URL whether it speaks TLS; PostgreSQL says N or S.
CALLS = """
import os, socket, struct, sys, urllib.parse
found = urllib.parse.urlsplit(os.environ[sys.argv[1]])
with socket.create_connection((found.hostname, found.port), 10) as link:
    link.sendall(struct.pack("!ii", 8, 80877103))
    print(found.hostname, found.port, link.recv(1).decode())
"""


@pytest.fixture(scope="module")
def sites(on_engine: Callable[..., Project]) -> Callable[[str], Project]:
    """One stack of each engine, made when a test first wants it."""
    return functools.cache(lambda engine: filled(on_engine(engine, compose=COMPOSE)))


@pytest.fixture
def site(sites: Callable[[str], Project], engine: str) -> Project:
    return sites(engine)


def filled(made: Project) -> Project:
    password = f"p@ss/{secrets.token_hex(8)}"
    quoted = password.replace("@", "%40").replace("/", "%2F")
    made.secrets.update(PASSWORD=password, QUOTED=quoted)
    port = made.ports["PG_PORT"] = free_port()
    made.write(
        ".env",
        f"PASSWORD={quoted}\nPG_PORT={port}\n"
        f"HOST_URL=postgresql://app:${{PASSWORD}}@localhost:{port}/shop?schema=public\n"
        "WRONG_URL=postgresql://app:wrong-pw-1@pg:5432/shop\n"
        "MISSING_URL=postgresql://app:${PASSWORD}@pg:5432/nope\n"
        f"POOLED_URL=postgresql://app:${{PASSWORD}}@localhost:{port}/shop?pgbouncer=true\n"
        "DIRECT_URL=postgresql://app:${PASSWORD}@pg/shop\n"
        "PROXY_URL=prisma+postgres://localhost:51213/?api_key=x\n",
    )
    made.up()
    made.inv("db.wait").ok()
    # The URLs hold the password percent-encoded: that of the role is the plain one.
    made.secrets["ROLE"] = password
    statement = f"ALTER ROLE app PASSWORD '{password}'; CREATE TABLE t AS SELECT 1 AS a, 'x' AS b"
    assert fed(made, statement, "db.shell") == (0, "", "")
    return made


def fed(site: Project, text: str, *words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        site.command(*words),
        cwd=site.folder,
        env=site.environment(),
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.both
@pytest.mark.parametrize("target", ["", "DATABASE_URL", "HOST_URL", "POOLED_URL"])
def test_a_statement_prints_bare_rows_into_a_pipe(site: Project, target: str) -> None:
    flags = ("--target", target) if target else ()
    done = site.inv("db.shell", "-c", "SELECT a, b FROM t", *flags).ok()

    assert done.stdout == "1\tx\n"
    assert ("POOLED_URL leads to a pooler: using DIRECT_URL" in done.stderr) == (
        target == "POOLED_URL"
    )


@pytest.mark.both
def test_a_file_is_read_from_standard_input(site: Project) -> None:
    code, out, err = fed(site, "SELECT 1;\nSELECT 2;\n", "db.shell")

    assert (code, out, err) == (0, "1\n2\n", "")


@pytest.mark.both
def test_the_first_error_ends_it_and_the_line_is_named(site: Project) -> None:
    code, out, err = fed(site, "SELECT 1;\nSELECT 1/0;\nSELECT 3;\n", "db.shell")

    assert (code, out) == (1, "1\n")
    assert "psql:<stdin>:2: ERROR:  division by zero" in err
    assert "error: database shop: the client ended with code 3: a statement failed" in err


@pytest.mark.both
def test_a_wrong_password_is_unreachable_and_no_question(site: Project) -> None:
    done = site.inv("db.shell", "--target", "WRONG_URL", "-c", "SELECT 1")

    assert done.code == 6
    assert "wrong-pw-1" not in done.text
    assert done.error == "database shop: the connection failed or broke off"
    assert done.hint == "see whether it answers: inv db.wait --target WRONG_URL"


@pytest.mark.both
def test_waiting_by_url_tells_a_password_that_is_wrong_at_once(site: Project) -> None:
    done = site.inv("db.wait", "--target", "WRONG_URL", "--timeout", "30")

    assert done.code == 6
    assert done.error == "database shop: the server does not let user app in"
    assert done.seconds < 20


def test_waiting_by_url_succeeds_as_the_app_would(site: Project) -> None:
    assert site.inv("db.wait", "--target", "HOST_URL", "--json").ok().document["database"] == "shop"


@pytest.mark.both
def test_a_database_that_is_missing_is_waited_for_in_vain(site: Project) -> None:
    done = site.inv("db.wait", "--target", "MISSING_URL", "--timeout", "1")

    assert done.code == 6
    assert 'database "nope" does not exist' in done.stderr


@pytest.mark.parametrize(
    ("target", "words"),
    [("PROXY_URL", "Prisma's proxy"), ("PASSWORD", "no URL"), ("NOPE", "is no variable")],
)
def test_a_variable_without_a_database_is_refused(site: Project, target: str, words: str) -> None:
    done = site.inv("db.shell", "--target", target, "-c", "SELECT 1")

    assert done.code == 2
    assert words in done.error
    assert done.hint


@pytest.mark.both
@pytest.mark.parametrize(
    "words",
    [
        ("db.shell", "--target", "HOST_URL", "-c", "SELECT pg_sleep(1)"),
        ("db.backup", "--target", "HOST_URL"),
        ("db.restore", "--target", "HOST_URL", "--yes"),
        ("db.verify", "--restore"),
        ("db.wait", "--target", "HOST_URL"),
    ],
    ids=lambda words: words[0],
)
def test_the_password_is_in_no_argument(site: Project, words: tuple[str, ...]) -> None:  # A34
    site.inv("db.backup", "--fast").ok()
    watcher = Watcher(site.secrets.values())
    watcher.start()
    try:
        site.inv(*words).ok()
    finally:
        watcher.stop()

    assert watcher.rounds > 2
    assert watcher.seen == set()


@pytest.mark.both
def test_an_interrupted_statement_ends_in_the_server_too(site: Project) -> None:
    child = subprocess.Popen(
        site.command("db.shell", "-c", "SELECT pg_sleep(77)"),
        cwd=site.folder,
        env=site.environment(),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    running = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(77)'"
    while site.inv("db.shell", "-c", running).ok().stdout != "1\n":
        assert child.poll() is None
    os.killpg(child.pid, signal.SIGINT)
    child.communicate(timeout=30)

    assert child.returncode == 130
    assert site.inv("db.shell", "-c", running).ok().stdout == "0\n"
    assert not [line for line in processes(site.name) if "pg_sleep(77)" in line]


class Terminal:
    """`inv` on a terminal of its own."""

    def __init__(self, site: Project, *words: str) -> None:
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(site.folder)
            os.execve(  # noqa: S606 - the child of a terminal
                site.command()[0],
                site.command(*words),
                {**site.environment(), "TERM": "xterm"},
            )
        # Without a size psql takes every result for one that needs a pager.
        termios.tcsetwinsize(self.fd, (24, 120))

    def until(self, words: str, timeout: float = 30) -> None:
        limit = time.monotonic() + timeout
        while words not in self.text:
            assert time.monotonic() < limit, self.text
            if select.select([self.fd], [], [], 0.2)[0]:
                self.text += os.read(self.fd, 4096).decode(errors="replace")

    def type(self, text: str) -> None:
        self.text = ""
        os.write(self.fd, text.encode())

    def end(self) -> int:
        limit = time.monotonic() + 30
        while time.monotonic() < limit:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    os.read(self.fd, 4096)
                except OSError:
                    continue
        os.kill(self.pid, signal.SIGKILL)
        raise AssertionError(self.text)


@pytest.mark.both
def test_on_a_terminal_an_interrupt_cancels_the_query_and_not_the_shell(site: Project) -> None:
    shell = Terminal(site, "db.shell")
    shell.until("shop=#")
    shell.type("SELECT pg_sleep(60);\n")
    time.sleep(1)
    shell.type("\x03")
    shell.until("canceling statement")
    shell.type("SELECT 40 + 2;\n")
    shell.until("42")
    shell.type("\\q\n")

    assert shell.end() == 0


@pytest.mark.both
def test_the_url_is_masked_until_it_is_revealed(site: Project) -> None:
    port = site.ports["PG_PORT"]

    assert site.inv("db.url").ok().stdout == f"postgresql://app:***@localhost:{port}/shop\n"
    stack = site.inv("db.url", "--view", "stack", "--json").ok().document
    assert (stack["url"], stack["host"], stack["port"]) == (
        "postgresql://app:***@pg:5432/shop",
        "pg",
        5432,
    )
    revealed = subprocess.run(
        site.command("db.url", "--target", "DATABASE_URL", "--reveal"),
        cwd=site.folder,
        env=site.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert revealed.stdout == (
        f"postgresql://app:{site.secrets['QUOTED']}@localhost:{port}/shop"
        "?schema=public&connection_limit=5\n"
    )


@pytest.mark.both
def test_a_program_of_this_machine_gets_an_address_that_answers(site: Project) -> None:
    done = site.inv("env.run", "--", sys.executable, "-c", CALLS, "DIRECT_URL").ok()
    inside = ("env.run", "--service", "web", "--", sys.executable, "-c", CALLS, "DATABASE_URL")
    (shown,) = (each for each in site.inv("stack.urls", "--json").ok().document["urls"])

    assert done.stdout in {f"localhost {site.ports['PG_PORT']} {each}\n" for each in "NS"}
    assert site.inv(*inside).ok().stdout == done.stdout  # also what only `environment:` names
    assert (shown["service"], shown["published"]) == ("pg", site.ports["PG_PORT"])
    assert shown["url"] == f"postgresql://127.0.0.1:{site.ports['PG_PORT']}"


@pytest.mark.both
def test_a_backup_by_url_is_the_stacks_own(site: Project) -> None:
    document = site.inv("db.backup", "--target", "HOST_URL", "--json").ok().document

    assert document["manifest"]["target"]["service"] == "pg"
    assert document["manifest"]["contents"]["tables"] == 1


@pytest.fixture
def address(site: Project) -> str:
    """The container's own address: to this stack's files, a server somewhere else."""
    template = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    return run_docker("inspect", "-f", template, f"{site.name}-pg-1")


def far(site: Project, address: str) -> dict[str, str]:
    return {"FAR_URL": f"postgresql://app:{site.secrets['QUOTED']}@{address}:5432/shop"}


def test_a_server_elsewhere_is_reached_with_the_programs_of_the_container(
    site: Project, address: str
) -> None:
    environ = with_key(site, {**far(site, address), "PATH": bare_path(site)})
    done = site.inv("db.shell", "-c", "SELECT b FROM t", "--target", "FAR_URL", environ=environ)

    assert done.ok().stdout == "x\n"


def with_key(site: Project, environ: dict[str, str]) -> dict[str, str]:
    """Name the variable in a layer, which makes the process's own value count."""
    site.write(".env.development", "FAR_URL=postgresql://nobody@localhost/none\n")
    return environ


def bare_path(site: Project) -> str:
    """Return a PATH with docker and without PostgreSQL's programs."""
    folder = site.folder / "bin"
    folder.mkdir(exist_ok=True)
    for name in ("docker", "git", "sh"):
        found = subprocess.run(["which", name], capture_output=True, text=True, check=False)
        if found.stdout and not (folder / name).exists():
            (folder / name).symlink_to(found.stdout.strip())
    return str(folder)


@pytest.mark.skipif(not CLIENTS.is_dir(), reason="PostgreSQL 15's programs are not on this machine")
def test_an_older_dump_program_is_told_with_both_versions(site: Project, address: str) -> None:
    environ = {**far(site, address), "PATH": f"{CLIENTS}{os.pathsep}{bare_path(site)}"}
    environ["PGSERVICE"] = "elsewhere"  # the caller's own, which leads nowhere

    asked = site.inv(
        "db.shell", "-c", "SELECT b FROM t", "--target", "FAR_URL", environ=with_key(site, environ)
    )
    done = site.inv("db.backup", "--target", "FAR_URL", environ=environ)

    assert asked.ok().stdout == "x\n"
    assert done.code == 2
    assert done.error.startswith("database shop: pg_dump 15.")
    assert "cannot dump server 16" in done.error
    assert done.hint == "install PostgreSQL 16's client programs, first on PATH"


def judged(site: Project, key: str, consent: Consent, **environ: str) -> list[tuple[str, str]]:
    """Ask the rails about a restore, as a task would; return the questions."""
    env = site.environment(environ)
    own = settings.load([settings.Source("test", {"engine": env["INVSTACK_ENGINE"]})])
    project = Domain(site.folder, own, SystemRunner(env), env)
    stack = declared.load(project)
    asked: list[tuple[str, str]] = []
    with opening.open(project) as engine:
        found = locate.find(project, stack, engine, key)
        action = Action("db.restore", "replaces")
        rails.require(
            project, found, action, consent, lambda text, word="": asked.append((text, word))
        )
    return asked


@pytest.mark.both
def test_the_rails_know_size_tables_and_sessions(site: Project) -> None:
    ((text, word),) = judged(site, "", Consent())

    assert word == ""
    assert text.startswith("db.restore replaces database shop of service pg\n  in it now: 7.")
    assert "1 table" in text


def test_another_server_is_refused_until_it_is_named(site: Project, address: str) -> None:  # A35
    environ = with_key(site, {**far(site, address), "PATH": bare_path(site)})

    with pytest.raises(RefusedError, match=f"not this stack's: database shop at {address}"):
        judged(site, "FAR_URL", Consent(), **environ)
    ((text, word),) = judged(site, "FAR_URL", Consent(remote=True), **environ)
    assert (word, address in text) == ("shop", True)
    assert judged(site, "FAR_URL", Consent(remote=True, name="shop"), **environ) == []


def test_a_rehearsal_elsewhere_needs_the_name_and_works_there(site: Project, address: str) -> None:
    environ = with_key(site, {**far(site, address), "PATH": bare_path(site)})
    words = ("db.migrate", "--rehearse", "--target", "FAR_URL", "--json")
    migration = site.write("migrations/0001_more.sql", "INSERT INTO t SELECT * FROM t;\n")
    listed = ("db.shell", "-c", "SELECT datname FROM pg_database")
    before = site.inv(*listed).ok().stdout
    try:
        assert site.inv(*words, environ=environ).code == 4
        allowed = (*words, "--allow-remote", "--confirm", "shop")
        found = site.inv(*allowed, environ=environ).ok().document
    finally:
        migration.unlink()

    assert (found["verdict"], found["migrations"][0]["outcome"]) == ("passed", "applied")
    (change,) = found["tables"]
    assert (change["table"], change["after"]) == ("t", 2 * change["before"])
    assert site.inv(*listed).ok().stdout == before
    assert site.inv("db.shell", "-c", "SELECT b FROM t").ok().stdout == "x\n"


def test_a_marked_database_is_refused_from_wherever_it_is_reached(  # A37
    site: Project, address: str
) -> None:
    environ = with_key(site, {**far(site, address), "PATH": bare_path(site)})
    both = Consent(remote=True, name="shop")
    mark = "ALTER DATABASE shop %s invoke_stack.protected %s"
    site.inv("db.shell", "-c", mark % ("SET", "= 'on'")).ok()
    try:
        for key in ("", "HOST_URL", "FAR_URL"):
            with pytest.raises(RefusedError, match="is protected: marked on the server"):
                judged(site, key, both, **environ)
    finally:
        site.inv("db.shell", "-c", mark % ("RESET", "")).ok()
    assert judged(site, "HOST_URL", both)


@pytest.mark.both
def test_the_plan_of_a_dry_run_shows_no_password(site: Project) -> None:
    done = site.inv("--dry", "db.shell", "-c", "DROP TABLE t", "--target", "HOST_URL").ok()

    assert "psql" in done.stderr
    assert site.inv("db.shell", "-c", "SELECT count(*) FROM t").ok().stdout == "1\n"
    assert json.dumps(done.stdout) == '""'
