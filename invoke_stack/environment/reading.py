"""The compose files as Compose reads them, by itself or without it, and why it would not."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from invoke_stack.compose import bounded, commands, plugin
from invoke_stack.compose.commands import ComposeCall
from invoke_stack.compose.files import ComposeFiles
from invoke_stack.errors import MissingProgramError, StackError, UnreachableError, UsageError
from invoke_stack.project import Project

EVERY_PROFILE = "*"
CONFIG_TIMEOUT_S = 60

# Said by `docker` before Compose has looked at any file.
_OF_DOCKER = ("Failed to initialize", "docker --help", "config file", "Error loading config")


def tree(
    project: Project,
    found: ComposeFiles,
    environ: Mapping[str, str],
    meanwhile: Callable[[], object] = lambda: None,
) -> Mapping[str, Any]:
    """Return the reading of the files, not interpolated: Compose's own where there is Compose.

    Args:
        project: the project.
        found: its compose files.
        environ: what Compose gets as its environment.
        meanwhile: called while Compose reads, which takes it a tenth of a second.

    Raises:
        UsageError: Compose refuses the files or is no Compose; without it, they need Compose.
    """
    if project.settings.engine != "embedded":
        try:
            return _by_compose(project, found, environ, meanwhile)
        except MissingProgramError:
            pass
    whole = {**project.environ, **environ}
    return bounded.tree(bounded.Source(found.paths, found.folder, whole, project.shown))


def _by_compose(
    project: Project,
    found: ComposeFiles,
    environ: Mapping[str, str],
    meanwhile: Callable[[], object],
) -> Mapping[str, Any]:
    """Return what Compose prints.

    A plain `config` fails on a fresh clone, where values and env files are still missing.
    """
    call = ComposeCall(found.paths, found.folder, "", (EVERY_PROFILE,), environ)
    command = commands.config(call, interpolate=False)
    with project.runner.beside(command, timeout_s=CONFIG_TIMEOUT_S) as taken:
        meanwhile()
        done = taken()
    if done.code != 0:
        raise refused(project, found, done.stderr)
    try:
        document = json.loads(done.stdout)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, Mapping):
        raise UsageError(
            "docker compose config",
            "its answer is no JSON object",
            hint="check which docker comes first on PATH: docker compose version",
        )
    return document


def refused(project: Project, found: ComposeFiles, stderr: str) -> StackError:
    """Return the error for compose files that Compose does not accept."""
    lines = [line for line in stderr.splitlines() if line.strip() and "level=warning" not in line]
    last = lines[-1].strip() if lines else "docker compose config failed without a word"
    if "is not a docker command" in stderr or "unknown shorthand flag" in stderr:
        return plugin.absent(project)
    if "unable to resolve docker endpoint" in stderr:
        return UnreachableError(
            "docker context",
            last.rpartition("docker endpoint: ")[2],
            hint="docker context ls shows the contexts there are",
        )
    if any(word in stderr for word in _OF_DOCKER):
        words = next((line.strip() for line in lines if "--help" not in line), last)
        hint = "check DOCKER_HOST, DOCKER_CONFIG and DOCKER_CONTEXT: docker version"
        return UnreachableError("docker", project.secrets.hide(words), hint=hint)
    return _of_the_files(project, found, last)


def _of_the_files(project: Project, found: ComposeFiles, words: str) -> UsageError:
    text = project.secrets.hide(words).replace(f"{project.root}/", "").removeprefix("validating ")
    shown = ", ".join(project.shown(path) for path in found.paths)
    if text.startswith("invalid project name"):
        hint = "set another one: `name:` in the compose file, or COMPOSE_PROJECT_NAME"
        return UsageError("project name", text.removeprefix("invalid project name "), hint=hint)
    if text == "project name must not be empty":
        text = "the folder's name has no letter or digit that Compose can use"
        hint = f"write at the top of {project.shown(found.paths[0])}: name: app"
        return UsageError("project name", text, hint=hint)
    text = text.removeprefix(f"{shown}: ")
    return UsageError(shown, text, hint="correct the file, then run the task again")
