"""What may be done to which database: the one place that refuses, or has the user asked.

A rail knows three kinds of place. The stack's own database may be changed after a question.
Any other, also one that answers on this machine (it may be a tunnel to production), needs
`--allow-remote` and its name, typed or as `--confirm NAME`. One that its owner has protected,
by a mark on the server or by its name, is never replaced, whatever the flags say.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from invoke_stack import sizes
from invoke_stack.database import target as targets
from invoke_stack.database.target import Target
from invoke_stack.database.values import Place, Stakes
from invoke_stack.errors import RefusedError
from invoke_stack.project import Project

NEVER = ("template0", "template1")
MAINTENANCE = "postgres"
"""Clients connect to it to make and drop the others: it may be migrated, never replaced."""


@dataclass(frozen=True, slots=True)
class Action:
    """What is about to happen.

    Attributes:
        task: the task's name, such as "db.restore".
        text: what it does to the database, as a sentence goes on: "replaces", "applies 2
            migrations to".
        destroys: data that is there now will be gone, or out of use.
        source: where the new content comes from, or "".
        kept: what remains of the old content and how to get it back, or "".
    """

    task: str
    text: str
    destroys: bool = True
    source: str = ""
    kept: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """The database that it happens to; ``host`` is a service's name or `host:port`."""

    database: str
    host: str
    place: Place = "stack"
    stakes: Stakes = field(default_factory=Stakes)


@dataclass(frozen=True, slots=True)
class Consent:
    """What `--allow-remote` and `--confirm NAME` say."""

    remote: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What the user is asked: yes or no, or the ``word`` to type; `--yes` never types it."""

    text: str
    word: str = ""


class Confirm(Protocol):
    """Whoever asks the user; raises `RefusedError` unless the answer is the right one."""

    def __call__(self, question: str, word: str = "") -> None: ...  # noqa: D102


def require(  # noqa: PLR0913 - what every changing task gets
    project: Project,
    target: Target,
    action: Action,
    consent: Consent,
    confirm: Confirm,
    stakes: Stakes | None = None,
) -> Subject:
    """Return what is at stake once the action is allowed; call it before anything is changed.

    Args:
        project: the project.
        target: the database.
        action: what is about to happen to it.
        consent: what the flags say.
        confirm: asks the user.
        stakes: what the server has said already; it is asked where that is None.

    Raises:
        RefusedError: the database is protected, a flag is missing, or the user said no.
    """
    found = subject(project, target, stakes)
    asked = judge(found, action, consent, project.settings.db.protected)
    if asked is not None:
        confirm(asked.text, asked.word)
    return found


def subject(project: Project, target: Target, stakes: Stakes | None = None) -> Subject:
    """Return the target as the rails see it, its mark and sizes read from the server."""
    if stakes is None:
        answer = targets.ask(project, target, target.provider.stakes())
        stakes = target.provider.read_stakes(answer)
    return Subject(target.database, target.host or target.service, target.place, stakes)


def judge(
    subject: Subject, action: Action, consent: Consent, patterns: Sequence[str] = ()
) -> Question | None:
    """Return what to ask first; None where the action needs no question.

    Args:
        subject: the database.
        action: what is about to happen to it.
        consent: what the flags say.
        patterns: names that protect: shell patterns for a name, a host, or one word of either.

    Raises:
        RefusedError: no answer could allow it.
    """
    where = f"database {subject.database}"
    if subject.database in NEVER or (action.destroys and subject.database == MAINTENANCE):
        text = f"{action.task} never touches it: the server itself needs it"
        hint = "name the app's own database: setting stack.db.name, or the URL behind --target"
        raise RefusedError(where, text, hint=hint)
    guard = protection(subject, patterns)
    if guard and action.destroys:
        raise RefusedError(where, f"is protected: {guard.reason}", hint=guard.remedy)
    if consent.name and consent.name != subject.database:
        text = f"--confirm {consent.name} names another one"
        raise RefusedError(where, text, hint=f"this is {_place(subject)}")
    foreign = subject.place == "remote" or (subject.place == "loopback" and action.destroys)
    if foreign and not consent.remote:
        text = f"is not this stack's: {_place(subject)}"
        hint = f"if it is the one you mean: --allow-remote --confirm {subject.database}"
        raise RefusedError(where, text, hint=hint)
    if not (foreign or guard or action.destroys):
        return None
    if foreign or guard:
        named = consent.name == subject.database
        return None if named else Question(question(subject, action), subject.database)
    return Question(question(subject, action))


def question(subject: Subject, action: Action) -> str:
    """Return what is asked: what, to which database, how much is in it, what is kept."""
    source = f" with {action.source}" if action.source else ""
    lines = [f"{action.task} {action.text} {_place(subject)}{source}"]
    if content := _content(subject.stakes):
        lines.append(f"  in it now: {content}")
    if action.destroys or action.kept:
        lines.append(f"  kept: {action.kept or 'nothing'}")
    return "\n".join([*lines, "go on?"])


@dataclass(frozen=True, slots=True)
class Guard:
    """Why a database is protected, and how its owner lifts that."""

    reason: str
    remedy: str


def protection(subject: Subject, patterns: Sequence[str]) -> Guard | None:
    """Return what protects a database, or None.

    A pattern is compared with whole words (`prod` fits `shop_prod`, not `products`) and with
    the whole name. The host counts where it is not a service of this stack.
    """
    if subject.stakes.protected:
        name = subject.database.replace('"', '""')
        remedy = f'lift it in psql: ALTER DATABASE "{name}" RESET invoke_stack.protected'
        return Guard("marked on the server by invoke_stack.protected", remedy)
    names = [subject.database] if subject.place == "stack" else [subject.database, subject.host]
    for name in names:
        words = [name.casefold(), *re.split(r"[^a-z0-9]+", name.casefold())]
        for pattern in patterns:
            if pattern and any(fnmatch.fnmatchcase(word, pattern.casefold()) for word in words):
                reason = f"{name} fits {pattern} of the setting stack.db.protected"
                return Guard(reason, "if it is meant, set for this one run: INVSTACK_DB_PROTECTED=")
    return None


def _place(subject: Subject) -> str:
    if subject.place == "stack":
        return f"database {subject.database} of service {subject.host}"
    tunnel = " (this machine, or a tunnel)" if subject.place == "loopback" else ""
    return f"database {subject.database} at {subject.host}{tunnel}"


def _content(stakes: Stakes) -> str:
    parts = []
    if stakes.bytes >= 0:
        parts.append(sizes.shown(stakes.bytes))
    if stakes.tables >= 0:
        parts.append(_counted(stakes.tables, "table"))
    if stakes.sessions > 0:
        parts.append(f"{_counted(stakes.sessions, 'session')} connected")
    return ", ".join(parts)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
