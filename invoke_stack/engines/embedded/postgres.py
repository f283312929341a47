"""PostgreSQL's command lines, and what its own files say about it."""

from __future__ import annotations

import contextlib
import re
import shlex
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from invoke_stack.command import FOLDER
from invoke_stack.compose import families
from invoke_stack.compose.model import Mount
from invoke_stack.engines.embedded.mounts import inside
from invoke_stack.errors import StackError, UsageError

LOOPBACK = "127.0.0.1"
PORT = 5432
SCRIPTS = "/docker-entrypoint-initdb.d"
LOCALES = ("en_US.UTF-8", "C.UTF-8", "C")
"""The official image's locale, then what most systems have, then what all have."""

READY = "ready"
State = Literal["ready", "starting", ""]
_HELLO = bytes((0, 0, 0, 23, 0, 3, 0, 0)) + b"user\0postgres\0\0"
"""The first message of a client, of protocol 3.0: its length, the version, who it is.
https://www.postgresql.org/docs/current/protocol-message-formats.html"""
_NOT_NOW = b"C57P03\0"
"""`cannot_connect_now` in an error message."""
_LINES = 8
# What names a place; ours counts, because there is no container around it.
_PLACED = {"-D": 2, "-k": 2, "-h": 2, "-p": 2}
_OURS = ("data_directory", "listen_addresses", "port", "unix_socket_directories")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the service's environment says, as the official image reads it.

    https://github.com/docker-library/docs/tree/master/postgres
    """

    user: str
    database: str
    method: str
    initdb: tuple[str, ...]
    password: str = field(default="", repr=False)


def settings(service: str, environment: Mapping[str, str]) -> Settings:
    """Return the settings in a service's environment.

    Raises:
        UsageError: no password and no `trust`, or a way of giving one that needs a container.
    """
    for key in ("POSTGRES_PASSWORD", "POSTGRES_USER", "POSTGRES_DB", "POSTGRES_INITDB_ARGS"):
        if environment.get(f"{key}_FILE") and not environment.get(key):
            hint = f"set {key} itself in an env file"
            raise UsageError(service, f"{key}_FILE names a file inside a container", hint=hint)
    method = environment.get("POSTGRES_HOST_AUTH_METHOD", "")
    password = families.first(environment, families.POSTGRES_PASSWORD)
    if not password and method != "trust":
        text = "POSTGRES_PASSWORD is empty, and PostgreSQL does not start without one"
        hint = "inv env.init makes one where a template asks for it; or set it yourself"
        raise UsageError(service, text, hint=hint)
    user = families.first(environment, families.POSTGRES_USER) or "postgres"
    return Settings(
        user=user,
        database=families.first(environment, families.POSTGRES_DATABASE) or user,
        method=method or "scram-sha-256",
        initdb=_initdb_words(service, environment.get("POSTGRES_INITDB_ARGS", "")),
        password=password,
    )


def _initdb_words(service: str, text: str) -> tuple[str, ...]:
    where = f"{service}: POSTGRES_INITDB_ARGS"
    try:
        words = tuple(shlex.split(text))
    except ValueError as problem:
        raise UsageError(where, "is no list of words", hint="close the quote") from problem
    for word in words:
        if re.match(r"-[DXW]|--(pgdata|waldir|pwfile|pwprompt)", word):
            hint = "leave it away: the embedded engine chooses the places and sets the password"
            raise UsageError(where, f"{word} is not possible without a container", hint=hint)
    return words


def initdb(wanted: Settings, secret: Path, locale: str) -> tuple[str, ...]:
    """Return the call that makes a cluster; a later word wins over an earlier one."""
    return (
        "initdb",
        *("-D", FOLDER, "-U", wanted.user, "--encoding=UTF8", f"--locale={locale}"),
        *(f"--auth-host={wanted.method}", "--no-sync"),
        *((f"--pwfile={secret}",) if wanted.password else ()),
        *wanted.initdb,
        # Only its owner can enter the socket's folder.
        "--auth-local=trust",
    )


def server(command: Sequence[str], mounts: Sequence[Mount], name: str) -> tuple[str, ...]:
    """Return the declared command line with paths of this machine in it.

    Args:
        command: the words of `command:`; none for the image's own.
        mounts: what the service sees of this machine.
        name: what `ps` shows beside each process.

    Raises:
        UsageError: it starts something else than the server.
    """
    words = list(command)
    for name_of in ("docker-entrypoint.sh", "postgres"):
        if words and Path(words[0]).name == name_of:
            words = words[1:]
    if words and not words[0].startswith("-"):
        text = f"its command starts {words[0]}, and the embedded engine starts postgres alone"
        hint = "write `command: postgres -c NAME=VALUE`, or run it on Docker"
        raise UsageError("engine: embedded", text, hint=hint)
    kept = _without_places(words)
    return ("postgres", "-c", f"cluster_name={name[:63]}", *(inside(w, mounts) for w in kept))


def _without_places(words: Sequence[str]) -> list[str]:
    kept: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        value = rest[0] if rest else ""
        if word in _PLACED or (word in ("-c", "-C") and value.partition("=")[0].strip() in _OURS):
            rest = rest[1:]
        elif word.lstrip("-").removeprefix("c").partition("=")[0].replace("-", "_") in _OURS:
            continue
        else:
            kept.append(word)
    return kept


def placed(argv: Sequence[str], sockets: Path, port: int, hosts: str) -> tuple[str, ...]:
    """Return the whole command line; the server lets the last of several equal options win."""
    options = {
        "listen_addresses": hosts,
        "port": str(port),
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
    }
    words = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
    return (argv[0], "-D", FOLDER, *argv[1:], *words)


def state(data: Path, pid: int) -> str:
    """Return what the server with this number wrote about itself, as `starting` or `ready`."""
    lines = _pid_file(data)
    ours = len(lines) >= _LINES and lines[0] == str(pid)
    return lines[_LINES - 1].strip() if ours else "starting"


def on_loopback(data: Path) -> bool:
    """Return whether the server got the address that it was to have first."""
    lines = _pid_file(data)
    return len(lines) > 5 and lines[5].strip() == LOOPBACK  # noqa: PLR2004 - the sixth line


def _pid_file(data: Path) -> list[str]:
    """Return the lines of `postmaster.pid`; their meaning has been the same since version 10.

    https://github.com/postgres/postgres/blob/master/src/include/utils/pidfile.h
    """
    with contextlib.suppress(OSError):
        return (data / "postmaster.pid").read_text(errors="replace").splitlines()
    return []


def answers(port: int, timeout_s: float) -> State:
    """Return what a server on a port of this machine says to a client that begins to log in.

    It tells before it asks for a password whether it takes anybody now: it does not while it
    starts, stops, or recovers from the end of one of its processes.
    """
    try:
        with socket.create_connection((LOOPBACK, port), timeout_s) as probe:
            probe.settimeout(timeout_s)
            probe.sendall(_HELLO)
            said = probe.recv(512)
    except OSError:
        return ""
    return "starting" if _NOT_NOW in said else "ready" if said[:1] in (b"R", b"E") else ""


def version_of(data: Path) -> int:
    """Return the major version that made a cluster, 0 where there is none."""
    with contextlib.suppress(OSError, ValueError):
        return int((data / "PG_VERSION").read_text().split(".")[0])
    return 0


def require_whole(data: Path) -> None:
    """Require what every cluster has and no server starts without.

    Raises:
        StackError: somebody else removed it; we only ever rename a whole cluster into place.
    """
    for name in ("PG_VERSION", "global/pg_control"):
        if not (data / name).is_file():
            hint = (
                "put it back, or begin anew: inv stack.down --volumes --no-backup, then "
                "inv stack.up and inv db.restore"
            )
            raise StackError(str(data), f"is no whole database: it has no {name}", hint=hint)
