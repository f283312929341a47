"""PAR203: datastores, brokers and helpers that one side has and the other has not."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from invoke_stack.findings.model import Severity
from invoke_stack.parity.declaration import Datastore, Process
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.rule import Found, Outcome, Passed, places, rule
from invoke_stack.parity.rules import sides

_CLIENTS = {
    "keyvalue": frozenset(
        {"redis", "ioredis", "bullmq", "bull", "connect-redis", "celery", "rq", "sidekiq"}
    ),
    "queue": frozenset({"amqplib", "kafkajs", "nats", "pika", "kombu", "celery"}),
    "mongo": frozenset({"mongodb", "mongoose", "pymongo"}),
    "mysql": frozenset({"mysql", "mysql2", "pymysql", "mysqlclient"}),
    "clickhouse": frozenset({"@clickhouse/client"}),
}
_LOCAL = "runs locally and not in production"
_FIX = "the same in production, or accept it with the reason"
_PROVIDERS = {"postgresql": "postgres", "mysql": "mysql", "mongodb": "mongo"}


@rule("PAR203", "Datastore or broker on one side only, or another engine")
def lonely(facts: Facts) -> Iterator[Outcome]:
    """Compare which datastores there are."""
    yield from _other_engine(facts)
    for store in facts.pairing.stores_only_production:
        if not store.external and store.kind in sides.STORES and not _clash(facts, store):
            level: Severity | None = "error" if store.referenced else None
            users = sides.listed(name for name, _ in store.referenced)
            message = f"{store.engine} {store.name} is in production and not in the local stack"
            message += f"; {users} needs it" if users else ""
            where = places([store.src], [sides.local_file(facts)])
            yield Found(store.name, message, where, f"a {store.engine} service locally", level)
    yield from _only_local(facts)
    yield from _schemas(facts)
    for pair in facts.pairing.datastores:
        message = f"{pair.local.kind} on both sides ({pair.reason})"
        yield Passed(pair.local.name, message, places([pair.production.src], [pair.local.src]))


def _other_engine(facts: Facts) -> Iterator[Outcome]:
    for theirs in facts.pairing.stores_only_production:
        ours = _clash(facts, theirs)
        if ours is not None:
            message = f"production stores in {theirs.engine}, local in {ours.engine}"
            where = places([theirs.src], [ours.version, ours.src])
            yield Found(theirs.name, message, where, f"image: {theirs.engine}:…", "error")


def _clash(facts: Facts, store: Datastore) -> Datastore | None:
    """Return the local database that stands where production has one of another engine."""
    sql = [each for each in facts.pairing.stores_only_local if each.kind in sides.SQL]
    same = store.kind in sides.SQL and not store.external
    return sql[0] if same and len(sql) == 1 else None


def _only_local(facts: Facts) -> Iterator[Outcome]:
    """Yield what only the laptop has; a database is PAR003's unless production has another."""
    taken = {pair.local.name for pair in facts.pairing.datastores}
    kinds = {each.kind for each in facts.production.datastores.values()}
    seen: set[str] = set()
    pairs = facts.pairing.processes
    names = {each.name for each in sides.apps(facts.production)}
    names |= {pair.local.name for pair in pairs}
    images = {
        sides.repository_name(each.image.value or "-")
        for pair in pairs
        for each in (pair.local, pair.production)
    }
    for layer in sides.layers(facts):
        for store in layer.datastores.values():
            paired = store.name in taken or store.name in seen
            if paired or store.kind in {*kinds, *sides.SQL, "mail"} or store.profiles:
                continue
            seen.add(store.name)
            yield _local(facts, store)
        for process in layer.processes.values():
            if process.name not in seen and _helper(process, names, images):
                seen.add(process.name)
                message = f"{process.name} ({process.image.value or 'built here'})"
                where = places([sides.production_file(facts)], [process.src])
                yield Found(process.name, message, where, _FIX, group=_LOCAL)


def _local(facts: Facts, store: Datastore) -> Found:
    packages = facts.repository.packages.values()
    clients = _CLIENTS.get(store.kind, frozenset())
    client = next((name for each in packages for name in sorted(clients & set(each.dependencies))),
                  "")  # fmt: skip
    production = [sides.production_file(facts)]
    if client and store.referenced:
        keys = sorted({key for _, key in store.referenced})
        named = store.name if store.name == store.engine else f"{store.engine} {store.name}"
        message = f"{named} runs locally ({', '.join(keys)}), the code uses "
        message += f"{client}, and production has none"
        used = [var.src for process in facts.local.processes.values()
                for key, var in process.env.items() if key in keys]  # fmt: skip
        lines = [each.dependencies[client].src for each in packages if client in each.dependencies]
        where = places(production, [store.src, *used, *lines[:1]])
        return Found(store.name, message, where, _FIX, "error")
    keys = sorted({key for _, key in store.referenced})
    used = [var.src for process in facts.local.processes.values()
            for key, var in process.env.items() if key in keys]  # fmt: skip
    message = store.name if store.name == store.engine else f"{store.name} ({store.engine})"
    return Found(store.name, message, places(production, [store.src, *used]), _FIX, group=_LOCAL)


def _helper(process: Process, names: AbstractSet[str], images: AbstractSet[str]) -> bool:
    """Tell whether a local process is a service of others that the app may depend on.

    Args:
        process: the local process.
        names: of what production runs and of what is paired with it.
        images: repositories of the project's own images.
    """
    aside = process.dev_tool or process.profiles or process.job or process.host_run
    if aside or process.name in names:
        return False
    if process.build is not None:
        return process.build.parsed is not None and not _copies(process)
    image = sides.repository_name(process.image.value or "")
    return bool(image) and image not in images and process.role not in {"worker", "job"}


def _copies(process: Process) -> bool:
    parsed = process.build.parsed if process.build else None
    return any(not each.origin for stage in (parsed.stages if parsed else ())
               for each in stage.copies)  # fmt: skip


def _schemas(facts: Facts) -> Iterator[Outcome]:
    for schema in facts.repository.schemas:
        kind = _PROVIDERS.get(schema.provider.value or "", "")
        if kind and not _has(facts, kind) and any(sides.apps(facts.local)):
            message = f"the schema needs {schema.provider.value}, and the local stack has none"
            where = places((), [schema.provider, sides.local_file(facts)])
            fix = f"a {kind} service in {sides.local_file(facts)}"
            yield Found(kind, message, where, fix, "error")
            return


def _has(facts: Facts, kind: str) -> bool:
    """Tell whether something local is that database, or a public address stands for it."""
    for layer in sides.layers(facts):
        if any(each.kind == kind for each in layer.datastores.values() if not each.external):
            return True
        for process in layer.processes.values():
            for var in process.env.values():
                host = var.address.host if var.address else ""
                if "." in host and not var.placeholder and sides.store_of(var.key) == "postgres":
                    return True
    return False
