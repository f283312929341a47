"""`cache.flush`: the keys of this stack's cache, after a question that counts them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from invoke_stack.cache import info, target
from invoke_stack.cache.target import Cache
from invoke_stack.engines.engine import Engine
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import RefusedError, StackError, UsageError
from invoke_stack.events import Planned, Report, silent
from invoke_stack.process import Command
from invoke_stack.project import Project

ALL = -1
FLUSH_S = 120


@dataclass(frozen=True, slots=True)
class Flushed:
    """How many keys were removed, by database number."""

    service: str
    removed: Mapping[int, int]


def flush(  # noqa: PLR0913 - what, and who is asked and told
    project: Project,
    declared: Declared,
    docker: Engine,
    confirm: Callable[[str], None],
    db: int = ALL,
    report: Report = silent,
) -> Flushed:
    """Remove every key of one database inside the cache, or of all of them.

    Raises:
        UsageError: there is no cache service, or no such database.
        RefusedError: the app's cache is not this stack's, or the user said no.
        UnreachableError: it does not answer, or lets nobody in.
        StackError: the server refused.
    """
    if db < ALL:
        raise UsageError("--db", f"no database {db}", hint="a number from 0; see inv cache.info")
    cache = own(project, declared, docker)
    found = info.info(project, cache)
    keys = {number: each.keys for number, each in found.databases.items()}
    meant = {number: count for number, count in keys.items() if db in {ALL, number}}
    if not sum(meant.values()):
        return Flushed(cache.service, {})
    confirm(question(cache, f"{found.name} {found.version}", meant, everything=db == ALL))
    command = flush_command(cache, db)
    done = project.runner.capture(command, timeout_s=FLUSH_S)
    if project.dry:
        report(Planned(f"remove {_counted(meant)} of service {cache.service}"))
        return Flushed(cache.service, {})
    words = project.secrets.hide(f"{done.stderr}\n{done.stdout}".strip())
    target.require(cache, done.code, words)
    if done.stdout.strip() != "OK":  # an older client ends with 0 all the same
        raise StackError(f"service {cache.service}", f"refused: {words}", hint="inv cache.shell")
    return Flushed(cache.service, meant)


def flush_command(cache: Cache, db: int) -> Command:
    """Return the call that removes the keys."""
    return cache.inside(("FLUSHALL",)) if db == ALL else cache.inside(("FLUSHDB",), db=db)


def own(project: Project, declared: Declared, docker: Engine) -> Cache:
    """Return the stack's cache, once it is sure that the app's is this one.

    Raises:
        RefusedError: every URL that the app has leads to another cache.
    """
    try:
        service = target.service_of(project, declared)
    except UsageError as problem:
        if elsewhere := target.no_cache(problem, declared):
            text = f"{elsewhere} is not a service of this stack"
            raise RefusedError("cache.flush", text, hint="use that server's own tools") from None
        raise
    links = target.links(declared, service)
    if links and not any(each.own for each in links):
        text = f"{links[0].shown} leads to another cache than service {service.name} of this stack"
        hint = f"if the stack's is meant, for this run: --set {links[0].key}=redis://{service.name}"
        raise RefusedError("cache.flush", text, hint=hint)
    return target.find(project, declared, docker)


def question(cache: Cache, version: str, meant: Mapping[int, int], *, everything: bool) -> str:
    """Return what is asked: how many keys of which databases, where."""
    scope = ", of all databases" if everything and len(meant) > 1 else ""
    return (
        f"cache.flush removes {_counted(meant)}{scope} in service {cache.service} ({version})\n"
        "  kept: nothing; what the app keeps there (sessions, queues) goes too\n"
        "go on?"
    )


def _counted(meant: Mapping[int, int]) -> str:
    parts = [f"{count:,} key{'s' * (count != 1)} of db {number}" for number, count in meant.items()]
    return " and ".join(parts)
