"""The URL that a variable holds: `--target DIRECT_URL`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from invoke_stack.database import urls
from invoke_stack.database.urls import Address
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import UsageError
from invoke_stack.project import Project

_DIRECT = re.compile(r"DIRECT|UNPOOLED|NON_?POOL", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Keyed:
    """A URL and the variable that holds it.

    Attributes:
        text: as it is written.
        pooled: the variable that was asked for, where its URL leads to a pooler and this one
            does not; else "".
    """

    key: str
    text: str = field(repr=False)
    address: Address
    pooled: str = ""

    @property
    def note(self) -> str:
        """What the user should know about the choice, or ""."""
        return f"{self.pooled} leads to a pooler: using {self.key}" if self.pooled else ""


def find(project: Project, declared: Declared, key: str) -> Keyed:
    """Return the URL of a variable; of a pooler's, the only direct one of the same database.

    Raises:
        UsageError: no such variable, no PostgreSQL URL, or a pooler without a direct URL.
    """
    found = written(project, declared, key)
    if not found.address.pooled:
        return found
    direct = [
        each
        for each in known(declared)
        if _DIRECT.search(each.key)
        and not each.address.pooled
        and each.address.database == found.address.database
    ]
    if len({each.text for each in direct}) != 1:
        names = ", ".join(each.key for each in direct)
        text = "leads to a pooler, which dumps, migrations and sessions do not survive"
        hint = "set DIRECT_URL to the database's own address, then: --target DIRECT_URL"
        if names:
            hint = f"choose one of the direct ones with --target: {names}"
        raise UsageError(key, text, hint=hint)
    project.secrets.learn([direct[0].text, direct[0].address.password])
    return Keyed(direct[0].key, direct[0].text, direct[0].address, key)


def written(project: Project, declared: Declared, key: str) -> Keyed:
    """Return the URL of a variable, a pooler's too.

    Raises:
        UsageError: no such variable, or no PostgreSQL URL in it.
    """
    if "://" in key:
        project.secrets.learn([key])
        hint = "put the URL into an env file and name its variable: --target DIRECT_URL"
        raise UsageError("--target", "takes a variable's name, not a URL", hint=hint)
    values = _values(declared)
    if not values.get(key):
        names = ", ".join(each.key for each in known(declared)) or "none"
        state = "is empty or not set" if key in values else "is no variable of this project"
        hint = f"variables with a PostgreSQL URL: {names}"
        raise UsageError(f"--target {key}", state, hint=hint)
    project.secrets.learn([values[key]])
    found = Keyed(key, values[key], urls.parse(values[key], key))
    project.secrets.learn([found.address.password] if found.address.password else [])
    return found


def known(declared: Declared) -> Iterator[Keyed]:
    """Yield the variables that hold a PostgreSQL URL, by name."""
    for key, text in sorted(_values(declared).items()):
        try:
            yield Keyed(key, text, urls.parse(text, key))
        except UsageError:
            continue


def _values(declared: Declared) -> dict[str, str]:
    """Return every variable: the resolved env's, and those that services alone are given."""
    found: dict[str, str] = {}
    for service in declared.model.services.values():
        found |= {key: text or "" for key, text in service.environment.items()}
    for key, value in declared.env.values.items():
        if value.text is not None or key not in found:
            found[key] = value.text or ""
    return found
