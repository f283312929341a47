"""Which variables the app needs, and who declares them: what PAR301-303 compare."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from invoke_stack.parity.declaration import Process
from invoke_stack.parity.parts import EnvVar
from invoke_stack.parity.repository import Facts, Template
from invoke_stack.parity.rules import sides
from invoke_stack.parity.values import Src

_INFRASTRUCTURE = re.compile(
    r"(?:POSTGRES|POSTGRESQL|PG|PGADMIN|MYSQL|MARIADB|MINIO|MONGO_INITDB|REDIS_COMMANDER|ADMINER|"
    r"E2E|TEST|TESTS|CI|CHOKIDAR|WATCHPACK|COMPOSE|DOCKER|BUILDKIT|TURBO|CYPRESS|PLAYWRIGHT)_.*|"
    r"(?:.*_)?(?:HOST_PORT|EXPOSED_PORT)|PGDATA|TZ|DEBUG_PORT"
)
_PLATFORM = re.compile(
    r"PORT|HOST|HOSTNAME|PATH|NODE_ENV|NODE_VERSION|NODE_OPTIONS|PYTHON_VERSION|RUBY_VERSION|"
    r"GO_VERSION|BUN_VERSION|PNPM_VERSION|WEB_CONCURRENCY|NEXT_TELEMETRY_DISABLED|NPM_CONFIG_.*|"
    r"PYTHON(?:UNBUFFERED|DONTWRITEBYTECODE|PATH)|PIP_.*|POETRY_.*|UV_.*|RENDER(?:_.*)?|"
    r"(?:.*_)?PLAN|GUNICORN_.*|UVICORN_.*|(?:.*_)?(?:WORKERS|TIMEOUT|CONCURRENCY|MEM_LIMIT)|"
    r"(?:NODE_)?MAX_OLD_SPACE_SIZE|HUSKY|SKIP_.*|DISABLE_TELEMETRY|DO_NOT_TRACK"
)
_TESTING = re.compile(r"(?:^|[._-])(?:test|tests|testing|e2e|ci|cypress|playwright)(?:$|[._-])")
_HERE = frozenset({"host.docker.internal"})


@dataclass(frozen=True, slots=True)
class Needed:
    """A variable that the app needs.

    Attributes:
        required: it cannot do without; None when nobody says.
        where: what says so.
    """

    key: str
    required: bool | None
    sensitive: bool
    where: tuple[Src, ...]


def infrastructure(key: str) -> bool:
    """Tell whether a key belongs to a container, a test or a tool rather than to the app."""
    return _INFRASTRUCTURE.fullmatch(key) is not None


def platform(key: str) -> bool:
    """Tell whether a key tunes the platform or the runtime rather than the app."""
    return _PLATFORM.fullmatch(key) is not None


def declared(facts: Facts) -> frozenset[str]:
    """Return every key that production declares, for any process or group."""
    keys: set[str] = set()
    for process in facts.production.processes.values():
        keys |= {key for key, var in process.env.items() if var.origin != "template"}
    for group in facts.production.groups.values():
        keys |= set(group)
    return frozenset(keys)


def given(process: Process) -> frozenset[str]:
    """Return the keys that one process of production gets."""
    args = set(process.build.args) if process.build else set()
    return frozenset({*process.env, *args})


def needed(facts: Facts) -> dict[str, Needed]:
    """Return what production has to declare and does not, by key."""
    everywhere = declared(facts) | _aimed_here(facts) | _host_ports(facts) | _built_in(facts)
    found: dict[str, Needed] = {}
    for item in (*_schemas(facts), *_local(facts), *_templates(facts)):
        if item.key in everywhere or infrastructure(item.key) or platform(item.key):
            continue
        known = found.get(item.key)
        found[item.key] = _merged(known, item) if known else item
    return found


def _aimed_here(facts: Facts) -> frozenset[str]:
    """Return the keys that some local file points at the developer's own machine."""
    keys = [each.keys for each in facts.repository.templates]
    keys += [process.env for layer in sides.layers(facts) for process in sides.apps(layer)]
    return frozenset(
        key
        for each in keys
        for key, var in each.items()
        if var.address is not None and var.address.host in _HERE
    )


def _host_ports(facts: Facts) -> frozenset[str]:
    """Return the variables that only choose a port of the host."""
    lines = {
        (port.src.file, port.src.line)
        for layer in sides.layers(facts)
        for each in sides.everything(layer)
        for port in each.ports
    }
    used = (each for layer in sides.layers(facts) for each in layer.variables)
    return frozenset(
        each.name for each in used if (each.file, each.line) in lines and "PORT" in each.name
    )


def _built_in(facts: Facts) -> frozenset[str]:
    """Return the build-time variables that production's images have a default for."""
    builds = [each.build for each in facts.production.processes.values() if each.build]
    stages = [stage for each in builds if each.parsed for stage in each.parsed.stages]
    words = [pair for stage in stages for pair in (*stage.args.items(), *stage.env.items())]
    return frozenset(key for key, word in words if sides.public(key) and word.value)


def _merged(one: Needed, two: Needed) -> Needed:
    states = (one.required, two.required)
    required = True if True in states else None if None in states else False
    where = tuple(dict.fromkeys((*one.where, *two.where)))
    return Needed(one.key, required, one.sensitive or two.sensitive, where)


def _schemas(facts: Facts) -> Iterator[Needed]:
    for schema in facts.repository.schemas:
        for key, src in schema.env.items():
            yield Needed(key, required=True, sensitive=False, where=(src,))


def _local(facts: Facts) -> Iterator[Needed]:
    """Yield what the local counterparts of production's processes are given."""
    for pair in facts.pairing.processes:
        for key, var in pair.local.env.items():
            if key in given(pair.production) or var.origin in {"image", "platform"}:
                continue
            if _aside(facts, var):
                continue
            yield Needed(key, _required(var), sides.secret_name(key), (var.src,))


def _templates(facts: Facts) -> Iterator[Needed]:
    roots = {"."} | {str(each.root.value or ".") for each in sides.apps(facts.production)}
    for template in facts.repository.templates:
        if not template.template or not _of_the_app(facts, template, roots):
            continue
        for key, var in template.keys.items():
            if not _aside(facts, var):
                yield Needed(key, _required(var), sides.secret_name(key), (var.src,))


def _of_the_app(facts: Facts, template: Template, roots: set[str]) -> bool:
    if _TESTING.search(template.file.casefold()) or _TESTING.search(template.target.casefold()):
        return False
    files = {each.path for layer in sides.layers(facts) for process in sides.apps(layer)
             for each in process.env_files}  # fmt: skip
    return template.folder in roots or template.target in files


def _required(var: EnvVar) -> bool | None:
    if var.required is not None:
        return var.required
    empty = var.commented or (var.origin == "template" and not (var.value or var.masked))
    # `${X:-default}`: the project says itself that it may be left out.
    return False if empty or var.origin == "interpolated" else None


def _aside(facts: Facts, var: EnvVar) -> bool:
    """Tell whether a variable only serves the laptop, or is another rule's."""
    host = var.address.host if var.address else ""
    return host in _HERE or _addresses(facts, var)


def _addresses(facts: Facts, var: EnvVar) -> bool:
    """Tell whether it points to a datastore that production lacks: PAR203 says that."""
    lonely = {name for each in facts.pairing.stores_only_local if each.kind not in sides.SQL
              for name in (each.name, *each.names)}  # fmt: skip
    kinds = {each.kind for each in facts.pairing.stores_only_local} - sides.SQL
    host = var.address.host if var.address else ""
    return host in lonely or (sides.store_of(var.key) in kinds)


def provided(process: Process) -> Mapping[str, EnvVar]:
    """Return what a local process gets, build arguments included."""
    args = process.build.args if process.build else {}
    return {**args, **process.env}
