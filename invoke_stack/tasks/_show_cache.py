"""Results of the cache tasks as text or JSON."""

from __future__ import annotations

from invoke_stack import sizes
from invoke_stack.cache.flush import Flushed
from invoke_stack.cache.info import Info
from invoke_stack.tasks._task import Run


def info(run: Run, service: str, found: Info) -> None:
    """Print what a cache says about itself."""
    if run.json:
        run.console.document({"service": service, **found.mapping()})
        return
    limit = f"of {sizes.shown(found.limit)}, then {found.policy}" if found.limit else "no limit"
    rows = [
        ("server", f"{found.name} {found.version}, up {found.uptime_s} s"),
        ("memory", f"{sizes.shown(found.memory)}, {limit}"),
        ("survives a restart", found.persistence),
        ("clients", str(found.clients)),
        ("lookups", f"{found.hits} hits, {found.misses} misses, {found.evicted} evicted"),
    ]
    for number, each in found.databases.items():
        rows.append((f"keys of db {number}", f"{each.keys}, {each.expires} expire"))
    if not found.databases:
        rows.append(("keys", "0"))
    run.console.table((f"service {service}", ""), rows)


def flushed(run: Run, done: Flushed) -> None:
    """Print how many keys are gone."""
    if run.json:
        removed = {str(number): count for number, count in done.removed.items()}
        run.console.document({"service": done.service, "removed": removed})
        return
    if not done.removed:
        if not run.project.dry:
            run.console.note(f"{done.service}: no keys there")
        return
    for number, count in done.removed.items():
        run.console.result(f"removed {count} key{'s' * (count != 1)} of db {number}")
