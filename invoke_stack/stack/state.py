"""What the state folder remembers of the last `stack.up`, and who owns a project name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from invoke_stack import files
from invoke_stack.engines.choice import RECORD, STATE
from invoke_stack.engines.containers import Container
from invoke_stack.errors import RefusedError
from invoke_stack.project import Project


def remember(
    project: Project, *, name: str, mode: str, folder: Path, engine: str = "docker"
) -> None:
    """Write down which stack was brought up last, and on which engine."""
    document = {
        "schema": 1,
        "project": name,
        "mode": mode,
        "engine": engine,
        "folder": str(folder),
    }
    files.write(project.state / RECORD, json.dumps(document, indent=2) + "\n")


def ended(project: Project, name: str) -> None:
    """Write down that nothing of a stack is up any more: its mode is not meant by default.

    Else a later task without a flag would read the env files of, say, production.
    """
    if _record(project).get("project") == name:
        _change(project, "mode")


def emptied(project: Project) -> None:
    """Write down that no engine keeps data of the stack any more: the next may be any."""
    if _record(project):
        _change(project, "engine")


def _change(project: Project, forgotten: str) -> None:
    text = json.dumps({**_record(project), forgotten: ""}, indent=2)
    files.write(project.state / RECORD, f"{text}\n")


def last_mode(project: Project) -> str:
    """Return the mode of the last `stack.up`, or "" once that was taken down."""
    return str(_record(project).get("mode") or "")


def last_name(project: Project) -> tuple[str, Path]:
    """Return the Compose project of the last `stack.up` and its folder, or ""."""
    known = _record(project)
    return str(known.get("project") or ""), Path(str(known.get("folder") or project.root))


def _record(project: Project) -> dict[str, object]:
    return files.read_json(project.root / STATE / RECORD)


def running_mode(project: Project, found: Sequence[Container]) -> str:
    """Return the mode that is running: from the labels, else from the state folder, else ""."""
    labels = [each.mode for each in found if each.mode]
    return labels[0] if labels else last_mode(project) if found else ""


def known_mode(project: Project) -> str:
    """Return the mode to read names by: a flag wins, then what runs."""
    return "" if project.mode_flag else last_mode(project)


def require_own(found: Sequence[Container], folder: Path, name: str) -> None:
    """Refuse to touch containers of another folder that chose the same project name.

    Raises:
        RefusedError: some container was made from other compose files.
    """
    for each in found:
        if each.folder and Path(each.folder).resolve() != folder.resolve():
            hint = (
                "give one of the two another name: `name:` in its compose file, "
                "or COMPOSE_PROJECT_NAME"
            )
            if not Path(each.folder).exists():
                hint = f"that folder is not there; if it was moved: docker compose -p {name} down"
            raise RefusedError(name, f"containers of this name belong to {each.folder}", hint=hint)
