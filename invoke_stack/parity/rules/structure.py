"""PAR101-105: which processes there are, and which descriptions of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from invoke_stack.findings.model import Place, Severity
from invoke_stack.parity.declaration import Process
from invoke_stack.parity.parts import EnvVar
from invoke_stack.parity.repository import Candidate, Facts
from invoke_stack.parity.rule import Found, Outcome, Passed, places, rule
from invoke_stack.parity.rules import sides

_OWN = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "::1", "host.docker.internal", ""})  # noqa: S104 - names


@rule("PAR101", "Production process has no local counterpart", "error")
def missing_locally(facts: Facts) -> Iterator[Outcome]:
    """Find processes of production that never run on a laptop."""
    local = [each for layer in sides.layers(facts) for each in sides.apps(layer)]
    if not local:
        return
    for process in facts.pairing.only_production:
        if process.role == "static" or any(_same(process, each) for each in local):
            continue
        level: Severity | None = "warning" if process.role == "cron" else None
        message = f"{process.role} {process.name} runs in production and nowhere locally"
        where = places([process.src], [sides.local_file(facts)])
        fix = f"services:\n  {process.name}: …   (or parity.map, when it has another name)"
        yield Found(process.name, message, where, fix, level)


def _same(production: Process, local: Process) -> bool:
    """Tell whether a local process, profile-gated ones too, is this one by name or image."""
    if production.name == local.name:
        return True
    images = [each.image.value for each in (production, local)]
    return bool(images[0]) and len({sides.repository_name(each or "") for each in images}) == 1


@rule("PAR102", "Local process has no production counterpart", "error")
def missing_in_production(facts: Facts) -> Iterator[Outcome]:
    """Find processes of the project that production does not run."""
    paired = [each.local for each in facts.pairing.processes]
    production = list(sides.apps(facts.production))
    if not production:
        return
    for process in facts.pairing.only_local:
        if process.job or process.profiles or process.host_run or process.role == "static":
            continue
        if not _own(process, [*paired, *production]):
            continue
        message = f"{process.name} runs locally and nowhere in production"
        if process.command.value:
            message += f" ({process.command.value})"
        where = places([sides.production_file(facts)], [process.src])
        fix = f"a worker or service for {process.name} in production, or a profile locally"
        level: Severity | None = None if process.build is not None else "warning"
        yield Found(process.name, message, where, fix, level)
    if facts.pairing.processes and not facts.pairing.only_local:
        yield Passed("processes", "every local process has its counterpart in production")


def _own(process: Process, others: Iterable[Process]) -> bool:
    """Tell whether a process runs the project's code: built here, or an image of ours."""
    if process.build is not None:
        parsed = process.build.parsed
        copies = [each for stage in (parsed.stages if parsed else ()) for each in stage.copies]
        return parsed is None or any(not each.origin for each in copies)
    name = sides.repository_name(process.image.value or "")
    return any(name == sides.repository_name(each.image.value or "-") for each in others)


@rule("PAR103", "Number of web services differs")
def webs(facts: Facts) -> Iterator[Outcome]:
    """Compare how many services answer the browser."""
    production = [each for each in sides.apps(facts.production) if each.role == "web"]
    local = [
        each
        for each in sides.apps(facts.local)
        if each.role == "web" and each.build is not None and not each.profiles and not each.job
    ]
    if not production or not local or any(each.host_run for each in sides.apps(facts.local)):
        return
    counts = [_distinct(production), _distinct(local)]
    names = [sides.listed(each.name for each in side) for side in (production, local)]
    where = places([each.src for each in production], [each.src for each in local])
    if counts[0] == counts[1]:
        yield Passed("web", f"{counts[0]} on both sides: {names[0]}; {names[1]}", where)
        return
    message = (
        f"production has {counts[0]} web service(s) ({names[0]}), local {counts[1]} ({names[1]})"
    )
    yield Found("web", message, where, "one architecture on both sides")


def _distinct(processes: Iterable[Process]) -> int:
    builds = set()
    for each in processes:
        build = each.build
        place = (build.context.value, build.dockerfile.value) if build else (each.name, "")
        builds.add(place)
    return len(builds)


@rule("PAR104", "Address names a host that is not in the stack")
def strangers(facts: Facts) -> Iterator[Outcome]:
    """Find local addresses whose host nothing answers to."""
    known = sides.known_hosts(facts)
    for layer in sides.layers(facts):
        for process in sides.apps(layer):
            if process.host_run:
                continue
            for var in process.env.values():
                if not _strange(var, known):
                    continue
                host = var.address.host if var.address else ""
                message = f"{var.key} of {process.name} names {host}, which is not in the stack"
                fix = f"one of: {', '.join(sorted(known)[:8])}"
                yield Found(var.key, message, places((), [var.src]), fix)


def _strange(var: EnvVar, known: frozenset[str]) -> bool:
    if var.address is None or var.placeholder or var.origin not in {"literal", "interpolated"}:
        return False
    host = var.address.host
    plain = bool(host) and "." not in host and ":" not in host and host not in _OWN
    # A bare word without port or scheme is a name of something else as often as a host.
    sure = bool(var.address.scheme) or var.address.port is not None
    return plain and sure and host.replace("-", "").replace("_", "").isalnum() and host not in known


@rule("PAR105", "Competing stacks or targets")
def competing(facts: Facts) -> Iterator[Outcome]:
    """Say that production, or the local stack, is described more than once."""
    if facts.targets:
        names = [_named(each) for each in facts.targets]
        compared = sides.production_file(facts)
        message = f"production is described by {compared.file} (compared) and {', '.join(names)}"
        where = (*places([compared]), *_all("production", facts.targets))
        yield Found("production", message, where, f"production: {{file: {compared.file}}}")
    used = set(sides.builds(facts))
    rivals = [each for each in facts.stacks if each.builds & used]
    if rivals:
        compared = sides.local_file(facts)
        names = [_named(each) for each in rivals]
        built = sides.listed(path for each in rivals for path in each.builds & used)
        message = f"{compared.file} (compared) and {', '.join(names)} both build {built}"
        where = (*places((), [compared]), *_all("local", rivals))
        yield Found("local", message, where, f"local: {{base: [{compared.file}]}}")
    if not facts.targets and not rivals:
        yield Passed("descriptions", "production and the local stack are each described once")


def _named(candidate: Candidate) -> str:
    return candidate.files[0] if candidate.files else candidate.reader


def _all(side: str, candidates: Iterable[Candidate]) -> tuple[Place, ...]:
    return tuple(Place(side, file) for each in candidates for file in each.files[:1])
