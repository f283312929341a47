"""`env.run`: a program on this machine with the resolved values in the form it can use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from invoke_stack import events
from invoke_stack.compose import files
from invoke_stack.compose.model import Model
from invoke_stack.environment import declared, layers, selection, shown, views
from invoke_stack.environment.lint import apps
from invoke_stack.environment.selection import ALL, Selection
from invoke_stack.environment.values import ResolvedEnv
from invoke_stack.errors import StackError, UsageError
from invoke_stack.events import Report
from invoke_stack.process import Command
from invoke_stack.project import Project
from invoke_stack.redaction import is_sensitive


def command(words: Sequence[str], values: Mapping[str, str], folder: Path) -> Command:
    """Return the call of a program in a folder with the values in its environment."""
    return Command(tuple(words), env=dict(values), cwd=folder)


def run(
    project: Project,
    words: Sequence[str],
    here: Path,
    report: events.Report = events.silent,
    *,
    only: Selection = ALL,
) -> int:
    """Run a program with the host view of the resolved env and return its exit code.

    Args:
        project: the project.
        words: the program and its arguments, word for word.
        here: where the caller stands; the program runs there.
        report: told which values are handed over as written.
        only: run it in this folder instead, or with what this service gets: `env_file:`, then
            `environment:`, as a container of it would.

    Unless a service is named, the values are those of the nearest folder with env files of its
    own, from that place upwards; at the latest those of the project.

    Raises:
        UsageError: nothing to run, no such program, folder or service, or a Next.js app that would
            change a value it is handed.
    """
    if not words:
        raise UsageError("env.run", "nothing to run", hint="inv env.run -- COMMAND")
    place = selection.folder(project, only.folder) if only.folder else here.resolve()
    env = shown.selected(project, only)[0][1] if only.service else _nearest(project, place)
    project.secrets.learn(env.secrets())
    values = host_view(project, env, report)
    if only.service:
        values |= own_values(project, only.service, report)
    refuse_second_expansion(project, place, {**project.environ, **values})
    return project.runner.attach(command(words, values, place))


def _nearest(project: Project, place: Path) -> ResolvedEnv:
    families = shown.families(project)
    by_folder = {(project.root / name).resolve(): env for name, env in families}
    by_folder[project.root.resolve()] = families[0][1]
    for folder in (place, *place.parents):
        if folder in by_folder:
            return by_folder[folder]
    return families[0][1]


def host_view(
    project: Project, env: ResolvedEnv, report: events.Report = events.silent
) -> dict[str, str]:
    """Return what is exported, with the URLs that a program on this machine reaches."""
    values, extra = env.exported(), project.settings.env.rewrite
    keys = [key for key in values if views.has_views(key, extra=extra)]
    try:
        files.find(project, project.mode(), {**project.environ, **values})
    except UsageError:  # no stack, so no services whose address could be meant
        return values
    try:
        stack = declared.load(project).model if keys else None
    except StackError as problem:
        report(events.Warned(f"URLs are handed over as written: {problem}", problem.hint))
        return values
    if stack is not None:
        _seen_from_here(project, values, keys, stack, report)
    project.secrets.learn([values[key] for key in keys if env.values[key].sensitive])
    return values


def own_values(
    project: Project, service: str, report: events.Report = events.silent
) -> dict[str, str]:
    """Return what a service's `environment:` sets, with URLs as this machine reaches them."""
    stack = declared.load(project)
    passed = stack.env.exported()  # a key without a value is Compose's own
    given = stack.model.services[service].environment.items()
    found = {key: passed.get(key) if text is None else text for key, text in given}
    values = {key: text for key, text in found.items() if text is not None}
    keys = [key for key in values if views.has_views(key, extra=project.settings.env.rewrite)]
    _seen_from_here(project, values, keys, stack.model, report)
    project.secrets.learn([values[key] for key in keys if is_sensitive(key, values[key])])
    return values


def _seen_from_here(
    project: Project, values: dict[str, str], keys: Sequence[str], stack: Model, report: Report
) -> None:
    """Change the values of these keys to what a program on this machine reaches."""
    ports, services = stack.ports(), stack.services
    for key in keys:
        try:
            values[key] = views.to_host(
                key, values[key], ports, extra=project.settings.env.rewrite, services=services
            )
        except UsageError as problem:
            report(events.Warned(f"{problem}; handed over as written", problem.hint))


def refuse_second_expansion(project: Project, place: Path, values: Mapping[str, str]) -> None:
    """Refuse to start in a Next.js app whose own env files name a key with a `$` in its value.

    Next.js expands what the process hands it once more, and no escape survives that.

    Raises:
        UsageError: naming the line to remove.
    """
    if not apps.is_next_app(place):
        return
    node = values.get("NODE_ENV") or "development"
    found = list(apps.expanded_again(place, node, values))
    if not found:
        return
    lines = [f"{layers.shown(path, project.root)}:{line}: {key}" for path, line, key in found]
    where, _, key = lines[0].rpartition(": ")
    raise UsageError(
        where,
        f"ENV-NEXT-PROC: {key}: {apps.EXPANDED_AGAIN}",
        hint=apps.FIX,
        detail=tuple(lines[1:]),
    )
