"""Values that would silently be empty, and the one that a database cannot start without."""

from __future__ import annotations

from collections.abc import Sequence

from invoke_stack import events
from invoke_stack.compose import families
from invoke_stack.engines.containers import Container
from invoke_stack.engines.engine import Engine
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import UsageError

PASSWORD = "POSTGRES_PASSWORD"  # noqa: S105 - the name of the variable


def unset(declared: Declared) -> str:
    """Return what to say about variables that Compose will replace by nothing, or ""."""
    if not declared.undefined:
        return ""
    places = ", ".join(f"{each.name} ({each.file}:{each.line})" for each in declared.undefined)
    return f"not set anywhere, so empty: {places}"


def warn(declared: Declared, report: events.Report) -> None:
    """Warn about variables that Compose will replace by nothing."""
    empty = unset(declared)
    if empty:
        report(events.Warned(empty, "inv env.check tells what belongs there"))


def passwords(
    declared: Declared, engine: Engine, found: Sequence[Container], wanted: Sequence[str]
) -> None:
    """Refuse to make a database's volume without a password: the server would not start.

    Raises:
        UsageError: a database without a volume has an empty POSTGRES_PASSWORD.
    """
    started = {each.service for each in found}
    for name in wanted:
        service = declared.model.services[name]
        known = service.environment
        empty = known.get(PASSWORD) == "" and "POSTGRES_HOST_AUTH_METHOD" not in known
        if not empty or name in started or not families.is_database(service):
            continue
        volumes = {each.name for each in engine.volumes(declared.name)}
        if not volumes & {f"{declared.name}_{each}" for each in service.volumes}:
            raise UsageError(
                name,
                f"{PASSWORD} is empty, and PostgreSQL does not start without one",
                hint="inv env.init makes one where a template asks for it; or set it yourself",
            )
