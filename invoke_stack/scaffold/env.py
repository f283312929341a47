"""`env.init` and `env.sync`: state, plan, confirmation, writing."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from invoke_stack import events, files
from invoke_stack.environment import needs as stacks
from invoke_stack.environment import selection, templates
from invoke_stack.environment.checks import exposure, ignores
from invoke_stack.environment.checks.ignores import Missing
from invoke_stack.environment.layers import layer_paths
from invoke_stack.environment.needs import Needs
from invoke_stack.environment.secretgen import Generator
from invoke_stack.environment.selection import ALL, Selection
from invoke_stack.environment.templates import Target
from invoke_stack.errors import UsageError
from invoke_stack.project import Project
from invoke_stack.scaffold import lines, plan, proposal, rotation, volumes, writing
from invoke_stack.scaffold.ledger import Ledger, Make
from invoke_stack.scaffold.plan import Change

Confirm: TypeAlias = Callable[[str], None]
Volumes: TypeAlias = Callable[[Project, Needs], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Request:
    """What the flags of `env.init` ask for."""

    rotate: tuple[str, ...] = ()
    fix: bool = False
    only: Selection = ALL


@dataclass(frozen=True, slots=True)
class Result:
    """What was written, or with `--dry` would be.

    Attributes:
        missing: lines that ignore files lack; with `fix` they were added.
        open: env files that others can read; with `fix` they cannot any more.
    """

    mode: str
    changes: tuple[Change, ...]
    missing: tuple[Missing, ...] = ()
    too_open: tuple[str, ...] = ()
    other_modes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class World:
    """What lies outside the files: the engine's volumes, and chance."""

    volumes: Volumes = volumes.existing
    make: Make = Generator.make


def init(
    project: Project,
    request: Request,
    confirm: Confirm,
    report: events.Report,
    world: World | None = None,
) -> Result:
    """Create or complete the env files of a mode from their templates.

    Raises:
        UsageError: no template, one with a mistake in it, or no such folder or service.
        RefusedError: a rotation was not confirmed.
    """
    world = world or World()
    needs = stacks.find(project)
    if request.rotate and request.only:
        raise UsageError(
            "--rotate",
            "a secret is replaced wherever it stands, so --service and --dir do not go with it",
            hint="leave them out",
        )
    found = _targets(project, needs)
    meant = selection.chosen(project, request.only)
    selection.require([each for each in found if meant(each.folder)], request.only)
    with _locked(project):
        changes = (
            _rotated(project, request, needs, found, confirm, report, world)
            if request.rotate
            else _completed(project, needs, found, meant, report, world)
        )
    found = tuple(each for each in found if meant(each.folder))
    return _checked(project, request, needs, found, changes)


def sync(project: Project, only: Selection = ALL) -> Result:
    """Add the templates' new keys to the env files there are, commented out.

    Raises:
        UsageError: no template, one with a mistake in it, or no such folder or service.
    """
    needs = stacks.find(project)
    found = _targets(project, needs)
    meant = selection.chosen(project, only)
    selection.require([each for each in found if meant(each.folder)], only)
    with _locked(project):
        changes = tuple(
            each
            for target in found
            if meant(target.folder)
            and (each := plan.synced(target, _known(project, needs, target)))
        )
        _written(project, changes)
    return Result(needs.mode.name, changes)


def _targets(project: Project, needs: Needs) -> tuple[Target, ...]:
    found = templates.targets(project, needs)
    if found:
        return found
    others = templates.other_modes(project, needs)
    shown = ", ".join(project.shown(path) for path in others)
    raise UsageError(
        needs.mode.flag,
        "no template makes an env file of this mode",
        hint=f"of other modes: {shown}" if others else f"write {proposal.FILE}",
    )


@contextlib.contextmanager
def _locked(project: Project) -> Iterator[None]:
    if project.dry:
        yield
        return
    with files.lock(project.state / "env.lock", "env.init", wait_s=10):
        yield


def _completed(  # noqa: PLR0913 - the arguments of `init`
    project: Project,
    needs: Needs,
    found: Sequence[Target],
    meant: Callable[[Path], bool],
    report: events.Report,
    world: World,
) -> tuple[Change, ...]:
    held = functools.cache(lambda: world.volumes(project, needs))
    said = plan.existing(project, needs, found)
    ledger = Ledger(found, said, needs.password_keys, held=lambda: bool(held()), make=world.make)
    # With all targets in the ledger: what another folder has already is the same secret here.
    changes = tuple(plan.change(each, ledger) for each in found if meant(each.folder))
    project.secrets.learn(ledger.generated.values())
    for key in sorted(ledger.withheld):
        report(_withheld(key, held(), changes))
    _written(project, changes)
    return changes


def _withheld(key: str, names: Sequence[str], changes: Sequence[Change]) -> events.Warned:
    places = [each.file for each in changes if key in each.target.template.specs]
    return events.Warned(
        f"{key}: no new secret, because the volume {', '.join(names)} exists already and keeps "
        f"the password it was made with",
        f"write that password into {' and '.join(places)}; or start afresh without the data: "
        f"inv stack.down --volumes, then inv env.init",
    )


def _rotated(  # noqa: PLR0913 - the arguments of `init`
    project: Project,
    request: Request,
    needs: Needs,
    found: Sequence[Target],
    confirm: Confirm,
    report: events.Report,
    world: World,
) -> tuple[Change, ...]:
    changes: dict[Path, Change] = {}
    for key in request.rotate:
        done = rotation.plan(key, found, needs, world.make)
        confirm(done.question)
        if done.database:
            report(events.Warned(f"{key}: {rotation.KEEPS}"))
        _written(project, done.changes)
        changes |= {each.target.path: each for each in done.changes}
    return tuple(changes.values())


def _written(project: Project, changes: Sequence[Change]) -> None:
    if project.dry:  # the result is the plan
        return
    writing.sweep(changes)
    writing.write(changes)


def _checked(
    project: Project,
    request: Request,
    needs: Needs,
    found: Sequence[Target],
    changes: tuple[Change, ...],
) -> Result:
    paths = [each.path for each in found]
    secret = [each.path for each in found if any(s.sensitive for s in each.template.specs.values())]
    missing = (
        *(ignores.for_git(project, paths) or ()),
        *ignores.for_docker(project, needs.contexts, secret),
    )
    loose = [path for path in secret if exposure.too_open(path)]
    if request.fix and not project.dry:
        writing.ignore(missing)
        for path in loose:
            path.chmod(files.PRIVATE_FILE)
    return Result(
        needs.mode.name,
        changes,
        missing,
        tuple(project.shown(path) for path in loose),
        tuple(project.shown(path) for path in templates.other_modes(project, needs)),
    )


def _known(project: Project, needs: Needs, target: Target) -> dict[str, str]:
    """Return the keys that the env files of a target's family name already."""
    known: dict[str, str] = {}
    for path in layer_paths(target.folder, needs.mode, custom=project.custom_modes()):
        text = plan.text_of(path, project.shown(path)) or ""
        known |= lines.values(text.removeprefix("\ufeff"))
    return known
