"""The values that flags take, as far as files tell them at once.

A shell waits for these while somebody types. So nothing is parsed that a glance at its lines does
not tell, no program is started and no engine asked; what cannot be read has no values.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from invoke_stack import files, modes
from invoke_stack.compose import files as compose
from invoke_stack.database import names
from invoke_stack.errors import StackError
from invoke_stack.project import Project

PAGES = Path(__file__).resolve().parents[1] / "parity" / "pages"
LARGEST = 1 << 20
"""Bytes of a file that are looked at."""

_KEY = re.compile(r"^(?:export\s+)?([A-Za-z_]\w*)\s*=", re.MULTILINE)
_ASIDE = re.compile(r"^#\s?([A-Z][A-Z0-9_]*)=", re.MULTILINE)
_VARIABLE = re.compile(r"(?<!\$)\$\{?([A-Za-z_]\w*)")
_SECTION = re.compile(r"""^(?P<indent>[ ]*)["']?(?P<name>[\w.-]+)["']?[ ]*:""")


def services(project: Project) -> tuple[str, ...]:
    """Return the services that the compose files of the mode name."""
    found = (name for path in _compose(project) for name in sections(_text(path), "services"))
    return tuple(sorted(set(found)))


def sections(text: str, top: str) -> Iterator[str]:
    """Yield the names one level below a top-level one of a YAML text."""
    inside, depth = False, 0
    for line in text.splitlines():
        found = _SECTION.match(line)
        if found is None:
            continue
        indent = len(found["indent"])
        if indent == 0:
            inside, depth = found["name"] == top, 0
        elif inside and indent <= (depth or indent):
            depth = indent
            yield found["name"]


def keys(project: Project) -> tuple[str, ...]:
    """Return the variables that env files, their templates and compose files name."""
    found: set[str] = set()
    for path in _env_files(project):
        text = _text(path)
        found |= {*_KEY.findall(text), *_ASIDE.findall(text)}
    for path in _compose(project):
        found |= set(_VARIABLE.findall(_text(path)))
    return tuple(sorted(found))


def url_keys(project: Project) -> tuple[str, ...]:
    """Return the variables whose name says that they hold a database's URL."""
    return tuple(key for key in keys(project) if key.endswith(("_URL", "_URI", "_DSN")))


def backups(project: Project) -> tuple[str, ...]:
    """Return `latest` and the files of the backups, where there are any."""
    root = project.root / project.settings.db.directory
    found = sorted({each for folder in (root, *_folders(root)) for each in _dumps(folder)})
    return ("latest", *found) if found else ()


def snapshots(project: Project) -> tuple[str, ...]:
    """Return the snapshots that were there when one was last made or looked at."""
    listed = files.read_json(project.root / ".invoke-stack" / "snapshots.json").get("snapshots")
    rows = listed if isinstance(listed, list) else []
    found = {str(each["name"]) for each in rows if isinstance(each, dict) and each.get("name")}
    return tuple(sorted(found))


def rules() -> tuple[str, ...]:
    """Return the IDs of the parity rules that have a page here."""
    return tuple(sorted(each.removesuffix(".md") for each in _listed(PAGES, ".md")))


def formats() -> tuple[str, ...]:
    """Return what `--format` of a checker takes."""
    from invoke_stack.findings import writers

    return writers.FORMATS


def severities() -> tuple[str, ...]:
    """Return what `--fail-on` takes."""
    from invoke_stack.findings import model

    return model.SEVERITIES


def dump_formats() -> tuple[str, ...]:
    """Return what `db.backup --format` takes."""
    return ("custom", "plain", "plain.gz")


def views() -> tuple[str, ...]:
    """Return what `--view` takes."""
    return ("host", "stack")


def shells() -> tuple[str, ...]:
    """Return what `stack.completion --shell` takes."""
    from invoke_stack.completion import scripts

    return scripts.SHELLS


def known_modes(project: Project) -> tuple[str, ...]:
    """Return every mode, the project's own included."""
    return tuple(dict.fromkeys((*(each.name for each in modes.BUILT_IN), *project.settings.modes)))


def _compose(project: Project) -> tuple[Path, ...]:
    with suppress(StackError, OSError):
        return compose.find(project, project.mode(), project.environ).paths
    return ()


def _env_files(project: Project) -> Iterator[Path]:
    folders = {project.root, project.root / project.settings.env.directory}
    folders |= {path.parent for path in _compose(project)}
    for folder in sorted(folders):
        yield from (folder / name for name in _listed(folder) if name.startswith(".env"))


def _dumps(folder: Path) -> Iterator[str]:
    """Yield what `db.backups` lists: archives, and scripts that have a manifest."""
    listed = set(_listed(folder))
    for name in listed:
        if name.endswith(names.ARCHIVE) or (
            name.endswith(names.SUFFIXES) and f"{name}.json" in listed
        ):
            yield name


def _listed(folder: Path, suffix: str = "") -> tuple[str, ...]:
    with suppress(OSError):
        return tuple(sorted(each.name for each in folder.iterdir() if each.name.endswith(suffix)))
    return ()


def _folders(folder: Path) -> tuple[Path, ...]:
    with suppress(OSError), os.scandir(folder) as entries:
        return tuple(Path(each.path) for each in entries if each.is_dir(follow_symlinks=False))
    return ()


def _text(path: Path) -> str:
    with suppress(OSError), path.open(encoding="utf-8", errors="replace") as stream:
        return stream.read(LARGEST) if path.is_file() else ""
    return ""
