"""The cache that a `cache.*` task acts on: one service of this stack.

It is reached in its container; without Docker, over this machine's loopback.
"""

from __future__ import annotations

import itertools
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from invoke_stack.compose import families
from invoke_stack.compose.model import Model, Service
from invoke_stack.database.target import running
from invoke_stack.engines.engine import Engine
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import StackError, UnreachableError, UsageError
from invoke_stack.process import Command
from invoke_stack.project import Project

PORT = 6379
ASK_S = 30
PASSWORDS = ("REDIS_PASSWORD", "VALKEY_PASSWORD", "KEYDB_PASSWORD", "DFLY_requirepass")
ARGUMENTS = ("REDIS_ARGS", "VALKEY_EXTRA_FLAGS", "REDIS_EXTRA_FLAGS")
REDIS = "redis-cli"
_CLIENTS = {"valkey": "valkey-cli", "keydb": "keydb-cli"}
_SCHEMES = frozenset({"redis", "rediss", "valkey", "valkeys"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_VARIABLE = re.compile(r"\$(?:\{(\w+)[^}]*\}|(\w+))")
_NO_PROGRAM = (126, 127)  # as docker exec and shells end
_REFUSED = re.compile(r"NOAUTH|WRONGPASS|invalid password|NOPERM")


@dataclass(frozen=True, slots=True)
class Login:
    """Whom to connect as; "" where the server wants no password, or has one user."""

    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Cache:
    """A cache that runs; in a container no published port is needed.

    Attributes:
        container: the engine's id of the container that the client runs in; "" for this machine.
        programs: the folder of the client on this machine, None for the container's own.
        address: `REDIS_HOST` and `REDIS_PORT` of the server on this machine.
    """

    service: str
    container: str
    client: str
    login: Login
    programs: Path | None = None
    address: Mapping[str, str] = field(default_factory=dict)

    def inside(
        self, words: Sequence[str] = (), *, db: int = 0, fed: bool = False, read: bool = False
    ) -> Command:
        """Return the call of the cache's client; the password is no argument.

        Args:
            words: the client's own flags, then the command to send.
            db: the number of the database inside the cache.
            fed: it reads commands from our stdin.
            read: it changes nothing and also runs in a dry run.
        """
        env = {"REDISCLI_AUTH": self.login.password} if self.login.password else {}
        names = [word for name in env for word in ("--env", name)]
        user = ("--user", self.login.user) if self.login.user else ()
        number = ("-n", str(db)) if db else ()
        feed = ("--interactive",) if fed else ()
        argv = ("docker", "exec", *feed, *names, self.container, self.client)
        if not self.container:
            host, port = self.address["REDIS_HOST"], self.address["REDIS_PORT"]
            argv = (self.client, "-h", host, "-p", port)
        return Command(
            (*argv, *user, *number, *words),
            env,
            effect="read" if read else "write",
            without=() if self.container else ("REDISCLI_AUTH",),
            programs=self.programs,
        )


@dataclass(frozen=True, slots=True)
class Link:
    """A variable whose URL leads to a cache; ``own``: to this stack's."""

    key: str
    shown: str
    own: bool
    login: Login


def find(project: Project, declared: Declared, engine: Engine) -> Cache:
    """Return the stack's cache.

    Raises:
        UsageError: there is none, or there are several.
        UnreachableError: it does not run.
    """
    service = service_of(project, declared)
    container = running(engine, declared.name, service.name)
    login = _login(engine.environment(container.id), engine.command(container.id))
    if not login.password:
        ours = [each for each in links(declared, service) if each.own]
        login = next((each.login for each in ours if each.login.password), login)
    project.secrets.learn([login.password] if login.password else [])
    program = _CLIENTS.get(families.image_name(service.image), REDIS)
    programs = engine.programs(container.id)
    if programs is None:
        return Cache(service.name, container.id, program, login)
    client = _installed(programs, (program, REDIS, *_CLIENTS.values()))
    return Cache(service.name, "", client, login, programs, engine.address(container.id))


def _installed(programs: Path, names: Sequence[str]) -> str:
    """Return the client that a server on this machine came with: they speak the same language."""
    return next((each for each in names if shutil.which(each, path=str(programs))), REDIS)


def service_of(project: Project, declared: Declared) -> Service:
    """Return the cache service: the named one, or the only one of the mode."""
    model: Model = replace(declared.model, services=declared.active())
    chosen = project.settings.cache.service
    return families.only(declared.model if chosen else model, "cache", chosen)


def links(declared: Declared, service: Service | None) -> tuple[Link, ...]:
    """Return the variables whose URL leads to a cache: the resolved env's and the services'."""
    values: dict[str, str | None] = {}
    for each in declared.active().values():
        values |= each.environment
    values |= {key: value.text for key, value in declared.env.values.items() if value.text}
    found = (_link(key, text or "", service) for key, text in sorted(values.items()))
    return tuple(each for each in found if each is not None)


def ask(project: Project, cache: Cache, commands: Sequence[str], *, db: int = 0) -> str:
    """Send commands that only read, one to a line, and return what they print.

    Raises:
        UnreachableError: it does not answer, or lets nobody in.
    """
    text = "".join(f"{each}\n" for each in commands)
    command = cache.inside(db=db, fed=True, read=True)
    done = project.runner.capture(command, timeout_s=ASK_S, stdin=text.encode())
    words = project.secrets.hide(f"{done.stderr}\n{done.stdout}".strip())
    require(cache, done.code, words)
    return done.stdout


def require(cache: Cache, code: int, words: str) -> None:
    """Raise what the client's last words mean, unless it got in and succeeded."""
    where, detail = f"service {cache.service}", tuple(words.splitlines()[-4:])
    first = words.split("\n# ", 1)[0]  # further down, INFO counts errors by their names
    if _REFUSED.search(first):
        hint = "set REDIS_PASSWORD for the service, or the password in REDIS_URL"
        raise UnreachableError(where, "the cache does not let us in", hint=hint, detail=detail)
    if "Could not connect" in first or "LOADING" in first:
        hint = f"read its log with: inv stack.logs -s {cache.service}"
        raise UnreachableError(where, "the cache does not answer", hint=hint, detail=detail)
    if code in _NO_PROGRAM:
        hint = "is it the cache? its name is the setting stack.cache.service"
        raise UsageError(where, f"has no {cache.client}", hint=hint, detail=detail)
    if code != 0:
        raise StackError(where, f"{cache.client} ended with code {code}", detail=detail)


def no_cache(problem: UsageError, declared: Declared) -> str:
    """Return where the project's cache is when it is none of this stack's services, or ""."""
    elsewhere = links(declared, None)
    return elsewhere[0].shown if elsewhere and "no cache" in problem.message else ""


def _login(environment: Mapping[str, str], started: Sequence[str]) -> Login:
    """Return the password that the container was made with."""
    words = list(_words(started))
    for name in ARGUMENTS:
        words += environment.get(name, "").split()
    for flag, value in itertools.pairwise(words):
        if flag.lstrip("-").casefold() == "requirepass" and value:
            # `sh -c 'redis-server --requirepass "$REDIS_PASSWORD"'`
            return Login(password=_VARIABLE.sub(lambda v: environment.get(v[1] or v[2], ""), value))
    return Login(password=next((environment[n] for n in PASSWORDS if environment.get(n)), ""))


def _words(started: Sequence[str]) -> Iterator[str]:
    for each in started:
        if " " not in each:
            yield each
            continue
        try:
            yield from shlex.split(each)
        except ValueError:  # a shell text that only a shell can read
            yield from each.split()


def _link(key: str, text: str, service: Service | None) -> Link | None:
    try:
        parts = urlsplit(text)
        port = parts.port or PORT
    except ValueError:
        return None
    if parts.scheme.casefold() not in _SCHEMES:
        return None
    host = parts.hostname or "localhost"
    own = service is not None and (
        (host, port) in {(service.name, each.target) for each in service.ports}
        or (host, port) == (service.name, PORT)
        or (host in _LOOPBACK and port in {each.published for each in service.ports})
    )
    login = Login(unquote(parts.username or ""), unquote(parts.password or ""))
    return Link(key, f"{key} ({host}:{port})", own, login)
