"""Updating running services as their files change: Compose's own `develop.watch`."""

from __future__ import annotations

from collections.abc import Sequence

from invoke_stack.engines import docker, opening
from invoke_stack.environment import declared as loading
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import UnreachableError, UsageError
from invoke_stack.project import Project
from invoke_stack.stack import images, known, override, preflight, state

FORM = "develop: {watch: [{action: sync, path: ./src, target: /app/src}]}"


def watched(declared: Declared, chosen: Sequence[str]) -> tuple[str, ...]:
    """Return the services to watch: the chosen ones, or every one that says what to do.

    Raises:
        UsageError: there is none, or a chosen one does not exist or does not say.
    """
    active = declared.active()
    for name in chosen:
        if name not in declared.model.services:
            raise preflight.no_such_service(
                preflight.project_files(declared), declared.model.services, name
            )
    able = tuple(sorted(name for name, each in active.items() if each.watched))
    unable = [name for name in chosen if name not in able]
    if unable or not able:
        where = unable[0] if unable else f"mode {declared.mode.name}"
        text = "has no `develop.watch`" if unable else "no service has a `develop.watch`"
        files = preflight.project_files(declared)
        raise UsageError(where, text, hint=f"write below the service in {files}: {FORM}")
    return tuple(chosen) or able


def watch(project: Project, chosen: Sequence[str]) -> int:
    """Watch until interrupted; return Compose's exit code.

    The stack has to be up: what is watched is what runs, in the mode it runs in.

    Raises:
        UsageError: nothing to watch.
        UnreachableError: a watched service is not running.
    """
    opening.docker_only(project, "stack.watch", "a dev server watches by itself: inv env.run --")
    declared = loading.load(project, mode=state.known_mode(project))
    services = watched(declared, chosen)
    preflight.variables(project, declared)
    with docker.connect(project) as engine:
        ours = known.Known(declared.name, declared.files.folder, declared.model, declared)
        running = {c.service for c in known.containers(project, ours, engine) if c.running}
        still = [name for name in services if name not in running]
        if still:
            raise UnreachableError(still[0], "is not running", hint="inv stack.up")
        checks = images.checks(declared, engine, preflight.services(declared, services))
        fast = checks if project.settings.override and engine.probes_early else {}
    with override.applied(project, declared, fast) as call:
        return project.runner.attach(call.command("watch", "--no-up", *services))
