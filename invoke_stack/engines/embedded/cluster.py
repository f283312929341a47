"""Making a service's data folder: the cluster, its database, its init scripts.

All of it happens in a folder of its own and is renamed at the end, so a run that was killed
leaves nothing that looks like a database. Until then the server has no port.
"""

from __future__ import annotations

import re
import secrets
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from invoke_stack import events, files
from invoke_stack.command import FOLDER, Command, Completed
from invoke_stack.engines.embedded import initscripts, postgres, processes
from invoke_stack.engines.embedded.account import Account
from invoke_stack.engines.embedded.postgres import Settings
from invoke_stack.errors import StackError, UsageError
from invoke_stack.project import Project

INITDB_S = 120
SCRIPT_S = 3600
START_S = 30
STOP_S = 30
POLL_S = 0.02
PARTIAL = ".partial"
ROOT = Path("/")
"""Where PostgreSQL starts: before version 16 it has to be able to come back there."""


@dataclass(frozen=True, slots=True)
class Making:
    """What a new cluster is made of.

    Attributes:
        data: where it has to be in the end.
        sockets: a folder that only its owner can enter.
        scripts: the init scripts, in order.
    """

    project: Project
    service: str
    programs: Path
    data: Path
    sockets: Path
    account: Account | None
    settings: Settings
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    scripts: tuple[Path, ...] = ()

    @property
    def numbers(self) -> tuple[int, int] | None:
        """The user and group that the server runs as."""
        return self.account.numbers if self.account else None


def make(making: Making, report: events.Report = events.silent) -> None:
    """Make the cluster with its database, and run the init scripts.

    Raises:
        StackError: one of the programs failed; nothing is left behind.
    """
    clear(making.project, making.data)
    partial = making.data.with_name(f"{making.data.name}.{secrets.token_hex(4)}{PARTIAL}")
    log = making.data.with_name("init.log")
    log.unlink(missing_ok=True)
    files.make_folder(partial, private=True)
    if making.account is not None:
        making.account.own(partial)
    try:
        _initdb(making, partial)
        with _serving(making, partial, log):
            _create(making)
            for script in making.scripts:
                report(events.Step(f"{making.service}: running {script.name}"))
                _run(making, script)
        _synced(making, partial)
        partial.rename(making.data)
    finally:
        # Still there only when something failed.
        shutil.rmtree(partial, ignore_errors=True)
    log.unlink(missing_ok=True)


def clear(project: Project, data: Path) -> None:
    """Remove what a killed run has left of a cluster that it was making."""
    for each in data.parent.glob(f"{data.name}.*{PARTIAL}"):
        processes.kill(project.runner, processes.working_in(project.runner, each), STOP_S)
        shutil.rmtree(each, ignore_errors=True)


def initdb_command(making: Making, partial: Path, secret: Path, locale: str) -> Command:
    """Return the call that makes the files of a cluster."""
    argv = postgres.initdb(making.settings, secret, locale)
    return Command(
        (str(making.programs / argv[0]), *argv[1:]),
        env={"TZ": making.environment.get("TZ") or "UTC"},
        cwd=ROOT,
        without=("PG*", "LC_*", "LANG", "LANGUAGE"),
        folder=partial,
        account=making.numbers,
    )


def _initdb(making: Making, partial: Path) -> None:
    secret = making.sockets / f"password.{secrets.token_hex(4)}"
    files.write(secret, making.settings.password + "\n")
    if making.account is not None:
        making.account.own(secret)
    try:
        for locale in postgres.LOCALES:
            command = initdb_command(making, partial, secret, locale)
            done = making.project.runner.capture(command, timeout_s=INITDB_S)
            if done.code == 0 or "invalid locale" not in done.stderr:
                break
    finally:
        secret.unlink(missing_ok=True)
    _require_made(making, done)


def _require_made(making: Making, done: Completed) -> None:
    where = f"service {making.service}"
    unnamed = _UNNAMED.search(done.stderr)
    if unnamed:  # such as in a container that was started with `--user 1234`
        text = (
            f"user {unnamed[1]} has no name on this machine, and PostgreSQL makes no data for one"
        )
        hint = (
            f"run it as a user that /etc/passwd has, or, as root: useradd --uid {unnamed[1]} stack"
        )
        raise UsageError(where, text, hint=hint)
    done.require(where, "initdb did not succeed", hint=_HINT)


@contextmanager
def _serving(making: Making, partial: Path, log: Path) -> Iterator[None]:
    """Run the server on its socket alone, for as long as the block lasts."""
    argv = postgres.placed(making.argv, making.sockets, postgres.PORT, "")
    command = Command(
        (str(making.programs / argv[0]), *argv[1:], "-c", "fsync=off"),
        cwd=ROOT,
        without=("PG*",),
        account=making.numbers,
        folder=partial,
    )
    runner = making.project.runner
    pid = runner.detach(command, log)
    known = processes.identify(runner, pid)
    try:
        deadline = time.monotonic() + START_S
        while postgres.state(partial, pid) != postgres.READY:
            if known is None or not processes.alive(runner, known) or time.monotonic() > deadline:
                words = tuple(log.read_text(errors="replace").splitlines()[-8:])
                text = "did not start while its data was made"
                raise StackError(f"service {making.service}", text, hint=_START, detail=words)
            time.sleep(POLL_S)
        yield
    finally:
        if known is not None:
            stops = (signal.SIGINT, getattr(signal, "SIGQUIT", signal.SIGTERM))
            processes.end(runner, known, *stops, patience_s=STOP_S)


def client(making: Making, database: str) -> Command:
    """Return a `psql` on the socket of the server that is being made, as its owner."""
    words = ("--no-psqlrc", "--no-password", "-v", "ON_ERROR_STOP=1", "--quiet")
    return Command(
        (str(making.programs / "psql"), *words),
        env=_address(making, database),
        without=("PG*",),
    )


def _address(making: Making, database: str) -> dict[str, str]:
    return {
        "PGHOST": str(making.sockets),
        "PGPORT": str(postgres.PORT),
        "PGUSER": making.settings.user,
        "PGDATABASE": database,
    }


def _create(making: Making) -> None:
    name = making.settings.database
    if name == "postgres":
        return
    quoted = name.replace('"', '""')
    done = making.project.runner.capture(
        client(making, "postgres"),
        timeout_s=INITDB_S,
        stdin=f'CREATE DATABASE "{quoted}";'.encode(),
    )
    done.require(f"service {making.service}", f"database {name} could not be created")


def _run(making: Making, script: Path) -> None:
    where = f"{making.service}: {making.project.shown(script)}"
    if script.suffix == ".sh":
        # As in the image: with the service's environment, and clients that reach the server.
        path = f"{making.programs}:{making.project.environ.get('PATH', '')}"
        env = {
            **making.environment,
            "POSTGRES_USER": making.settings.user,
            "POSTGRES_DB": making.settings.database,
            **_address(making, making.settings.database),
            "PATH": path,
        }
        shell = Command(
            ("bash", *initscripts.options(script), str(script)),
            env=env,
            cwd=script.parent,
            without=("PG*",),
        )
        done = making.project.runner.capture(shell, timeout_s=SCRIPT_S)
    else:
        command = client(making, making.settings.database)
        text = initscripts.sql(script, where)
        done = making.project.runner.capture(command, timeout_s=SCRIPT_S, stdin=text)
    words = tuple(making.project.secrets.hide(done.stderr.strip()).splitlines()[-8:])
    if done.code != 0:
        hint = "correct it, then: inv stack.up   (nothing of this database was kept)"
        raise StackError(where, f"ended with code {done.code}", hint=hint, detail=words)


def _synced(making: Making, partial: Path) -> None:
    """Have all of it on the disk before it gets its name."""
    words = (str(making.programs / "initdb"), "--sync-only", "-D", FOLDER)
    command = Command(words, cwd=ROOT, without=("PG*",), account=making.numbers, folder=partial)
    done = making.project.runner.capture(command, timeout_s=INITDB_S)
    done.require(f"service {making.service}", "its data could not be written to the disk")


_START = "correct what it names, such as an option in `command:`, then: inv stack.up"
_HINT = "check POSTGRES_INITDB_ARGS, and room on the disk"
_UNNAMED = re.compile(r"could not look up effective user ID (\d+)")
