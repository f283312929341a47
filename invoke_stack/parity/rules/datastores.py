"""PAR201-206: databases, caches, brokers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from invoke_stack.findings.model import Severity
from invoke_stack.parity.declaration import Datastore
from invoke_stack.parity.pairing import StorePair
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.rule import Found, Outcome, Passed, Unknown, places, rule
from invoke_stack.parity.rules import sides
from invoke_stack.parity.values import Val, Version, version

_HOSTED = re.compile(
    r"(?:^|\.)(?:render\.com|neon\.tech|supabase\.(?:co|com)|rds\.amazonaws\.com|"
    r"cache\.amazonaws\.com|upstash\.io|mongodb\.net|planetscale\.com|psdb\.cloud|aivencloud\.com|"
    r"database\.azure\.com|redis-cloud\.com|redislabs\.com|railway\.app|rlwy\.net|fly\.dev|"
    r"cockroachlabs\.cloud|ondigitalocean\.com)$|^dpg-"
)
_VALKEY_LIKE = 7
"""The last Redis major that Valkey is a drop-in for."""


@rule("PAR201", "Database major differs", "error", "high")
def majors(facts: Facts) -> Iterator[Outcome]:
    """Compare the majors of the databases that production and the laptop run."""
    seen = set()
    for pair in _pairs(facts):
        if pair.local.kind not in sides.SQL:
            continue
        seen.add(pair.local.kind)
        yield from _major(facts, pair)
    for store in facts.local.datastores.values():
        answer = facts.answers.get(f"{store.kind}_major", "")
        if store.kind in sides.SQL and store.kind not in seen and answer:
            wanted = Val(version(str(answer)))
            yield from _compared(store.engine, wanted, store)


def _pairs(facts: Facts) -> tuple[StorePair, ...]:
    return facts.pairing.datastores


def _major(facts: Facts, pair: StorePair) -> Iterator[Outcome]:
    production = pair.production.version
    answer = facts.answers.get(f"{pair.local.kind}_major", "")
    if not production.known and answer:
        production = Val(version(str(answer)), production.src)
    if not production.known or (production.value and production.value.major is None):
        major = pair.local.version.value.major if pair.local.version.value else None
        message = f"the major of production's {pair.production.engine} is not known"
        fix = f"facts: {{{pair.local.kind}_major: {major or '…'}}}"
        where = places([pair.production.src], [pair.local.version])
        yield Unknown(pair.production.name, message, fix, where)
        return
    yield from _compared(pair.local.engine, production, pair.local)


def _compared(engine: str, production: Val[Version], local: Datastore) -> Iterator[Outcome]:
    theirs, ours = production.value, local.version.value
    if theirs is None or ours is None or theirs.major is None or ours.major is None:
        return
    where = places([production], [local.version])
    if theirs.major == ours.major:
        yield Passed(local.name, f"{engine} {theirs.major} on both sides", where)
        return
    message = f"{engine} major differs: production {theirs.major}, local {ours.major}"
    yield Found(local.name, message, where, _image(local, theirs.major))


def _image(local: Datastore, major: int) -> str:
    """Return the `image:` line that runs that major."""
    image = local.image.value or local.engine
    tag = sides.tag(image)
    flavour = re.sub(r"^[0-9][0-9.]*", "", tag)
    head = image.removesuffix(f":{tag}") if tag else image
    return f"image: {head}:{major}{flavour}"


@rule("PAR202", "Datastore version not pinned", "warning", "high")
def unpinned(facts: Facts) -> Iterator[Outcome]:
    """Find databases whose version is whatever is newest on the day they are made."""
    locals_ = {pair.production.name: pair.local for pair in facts.pairing.datastores}
    for store in facts.production.datastores.values():
        if store.kind not in sides.SQL or store.external:
            continue
        if store.version.declared and not _floats(store.version):
            yield Passed(store.name, f"pinned to {store.version.value}", places([store.version]))
            continue
        if f"{store.kind}_major" in facts.answers:
            continue
        yield _production_floats(store, locals_.get(store.name))
    for layer in sides.layers(facts):
        for store in layer.datastores.values():
            floats = store.kind in sides.STORES and _floats(store.version)
            if floats and not store.external and not store.profiles:
                image = store.image.value or store.engine
                message = f"local {store.name} runs {image}, whatever that is today"
                fix = f"image: {sides.repository_name(image)}:<the version production runs>"
                yield Found(store.name, message, places((), [store.version]), fix)


def _floats(found: Val[Version]) -> bool:
    return found.value is not None and found.value.major is None and found.value.floating


def _production_floats(store: Datastore, local: Datastore | None) -> Found:
    ours = local.version.value if local else None
    message = f"production's {store.engine} has no version, so a new one gets the newest"
    fix = "state the version in the production file"
    if ours is not None and ours.major is not None and local is not None:
        message += f"; local runs {ours.major}"
        if store.kind == "postgres":
            fix = f'postgresMajorVersion: "{ours.major}"   (cannot be changed after creation)'
    where = places([store.version, store.src], [local.version] if local else [])
    return Found(store.name, message, where, fix)


@rule("PAR204", "Key-value engine, version or eviction differ", "info")
def keyvalues(facts: Facts) -> Iterator[Outcome]:
    """Compare caches: engine, major, and what they do when they are full."""
    for pair in facts.pairing.datastores:
        if pair.production.kind != "keyvalue" or pair.production.external:
            continue
        told = [*_engines(pair), *_policies(pair)]
        where = places(
            [pair.production.version, pair.production.policy, pair.production.src],
            [pair.local.version, pair.local.policy, pair.local.src],
        )
        if not told:
            yield Passed(pair.local.name, "same engine, version and eviction", where)
            continue
        evicts = (pair.production.policy.value or "").startswith("allkeys")
        jobs = evicts and _queues(facts)
        if jobs:
            told.append("a queue loses jobs when keys are evicted")
        major = pair.local.version.value.major if pair.local.version.value else None
        redis = pair.local.engine == "redis" and pair.production.engine == "valkey"
        newer = redis and (major is None or major > _VALKEY_LIKE)
        fix = "maxmemoryPolicy: noeviction" if jobs else _command(pair)
        level: Severity | None = "warning" if jobs or newer else None
        yield Found(pair.local.name, "; ".join(told), where, fix, level)


def _command(pair: StorePair) -> str:
    policy = pair.production.policy.value
    return f"command: redis-server --maxmemory-policy {policy}" if policy else "the same image"


def _engines(pair: StorePair) -> Iterator[str]:
    theirs, ours = pair.production.version.value, pair.local.version.value
    majors = [each.major if each else None for each in (theirs, ours)]
    if pair.production.engine != pair.local.engine or (all(majors) and majors[0] != majors[1]):
        stores = zip((pair.production, pair.local), majors, strict=True)
        names = [f"{store.engine} {major or ''}".strip() for store, major in stores]
        yield f"production runs {names[0]}, local {names[1]}"


def _policies(pair: StorePair) -> Iterator[str]:
    theirs = pair.production.policy.value
    ours = pair.local.policy.value or "noeviction"
    if theirs and theirs != ours:
        yield f"eviction {theirs} in production, {ours} locally"


def _queues(facts: Facts) -> bool:
    names = {"bullmq", "bull", "bee-queue", "celery", "rq", "sidekiq", "resque"}
    return any(names & set(each.dependencies) for each in facts.repository.packages.values())


@rule("PAR205", "Database image with extensions", "info")
def extensions(facts: Facts) -> Iterator[Outcome]:
    """Find extensions that the local image brings and production may not have."""
    used = {name.split("-")[0] for each in facts.repository.schemas for name in each.extensions}
    for layer in sides.layers(facts)[:1]:
        for store in layer.datastores.values():
            for name in sorted(store.extensions):
                created = name in used or _creates(facts, name)
                if created:
                    message = f"migrations create {name}: production's database must offer it"
                    fix = f"CREATE EXTENSION IF NOT EXISTS {name};   (try it on production)"
                else:
                    message = f"the local image brings {name}, which no schema or migration uses"
                    fix = _image_without(store)
                schemas = [each.src for each in facts.repository.schemas if each.extensions]
                yield Found(store.name, message, places((), [store.version, *schemas]), fix)


def _image_without(store: Datastore) -> str:
    major = store.version.value.major if store.version.value else None
    return f"image: postgres:{major}-alpine" if major else "image: postgres:<major>-alpine"


def _creates(facts: Facts, name: str) -> bool:
    wanted = re.compile(
        rf"create\s+extension\s+(?:if\s+not\s+exists\s+)?[\"']?{name}\b", re.IGNORECASE
    )
    for each in facts.repository.migrations:
        for path in facts.repository.workspace.below(each.folder):
            if path.endswith((".sql", ".py", ".rb", ".js", ".ts")) and wanted.search(
                facts.repository.workspace.text(path)
            ):
                return True
    return False


@rule("PAR206", "Local stack uses the production datastore", "error", "high")
def borrowed(facts: Facts) -> Iterator[Outcome]:
    """Find hosted databases in what the laptop uses."""
    seen = set()
    for layer in sides.layers(facts):
        for process in layer.processes.values():
            for var in process.env.values():
                host = var.address.host if var.address else ""
                known = var.src in seen or var.placeholder or var.origin == "template"
                if known or not _HOSTED.search(host):
                    continue
                seen.add(var.src)
                domain = ".".join(host.split(".")[-2:])
                message = f"{var.key} of {process.name} points to a hosted datastore (*.{domain})"
                yield Found(var.key, message, places((), [var.src]), "a service of the stack")
    for file in facts.repository.templates:
        for var in () if file.template else file.keys.values():
            host = var.address.host if var.address else ""
            store = var.address is not None and bool(sides.store_of(var.key))
            if store and not var.placeholder and _HOSTED.search(host):
                domain = ".".join(host.split(".")[-2:])
                message = f"{var.key} in {file.file} points to a hosted datastore (*.{domain})"
                yield Found(var.key, message, places((), [var.src]), "a service of the stack")
