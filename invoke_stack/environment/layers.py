"""Env files of a folder: which ones a mode reads, in which order, and their templates."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_stack import rights
from invoke_stack.environment.collecting import put_off
from invoke_stack.environment.dotenv import Assignment, assignments, decode, statements
from invoke_stack.environment.marks import Mark, marks, named, noting
from invoke_stack.errors import UsageError
from invoke_stack.modes import BUILT_IN, Mode

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

TEMPLATE_SUFFIXES = (".example", ".sample", ".template", ".dist")

PLATFORMS = frozenset(
    {"aws", "azure", "cloudflare", "fly", "gcp", "heroku", "netlify", "railway", "render", "vercel"}
)


@dataclass(frozen=True, slots=True)
class Layer:
    """One env file with a rank.

    Attributes:
        file: its name as shown: relative to the project root, with forward slashes.
        path: where it is.
        assignments: what it says, in the order of its lines.
        marks: the marks in its comments, by key.
    """

    file: str
    path: Path
    assignments: tuple[Assignment, ...]
    marks: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys it names, each once."""
        return tuple(dict.fromkeys(each.key for each in self.assignments))


def layer_paths(folder: Path, mode: Mode, *, custom: Iterable[Mode] = ()) -> tuple[Path, ...]:
    """Return the env files in a folder that a mode reads, lowest rank first.

    A lone `.env.local` is a layer of every mode: a project whose only env file it is means
    it for everything, also for tests.

    Raises:
        UsageError: one is a link whose target is gone, or no file: nobody means to run without.
    """
    for name in mode.layers:
        if (folder / name).is_symlink() and not (folder / name).exists():
            raise UsageError(
                str(folder / name), "a link to nothing", hint="correct the link, or remove it"
            )
        refuse_other_than_file(folder / name, str(folder / name))
    present = [name for name in _names((mode, *custom)) if (folder / name).is_file()]
    if present == [".env.local"]:
        return (folder / ".env.local",)
    return tuple(folder / name for name in mode.layers if name in present)


def refuse_other_than_file(path: Path, file: str, what: str = "an env file") -> None:
    """Refuse what is there and is no file: reading a named pipe or a device might never end.

    Raises:
        UsageError: a folder, a named pipe, a socket or a device.
    """
    if path.exists() and not path.is_file():
        found = "a folder" if path.is_dir() else "a named pipe, a socket or a device"
        hint = "move it, and put a file with NAME=value lines in its place"
        raise UsageError(file, f"{found} where {what} is expected", hint=hint)


@put_off()
def read(path: Path, root: Path, *, allow: Collection[str] = ()) -> Layer:
    """Read one env file.

    Raises:
        UsageError: it cannot be read, or a line of it is refused.
    """
    file = shown(path, root)
    refuse_other_than_file(path, file)
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = f"cannot be read: {(error.strerror or 'unknown reason').lower()}"
        raise UsageError(file, reason, hint=rights.way_out(path, error)) from None
    # Taken apart once, as that is the better half of the time.
    marked: dict[str, tuple[Mark, ...]] = {}
    parsed = noting(statements(decode(data, file)), marked)
    return Layer(file, path, assignments(parsed, file, allow=allow), named(marked.items()))


def shown(path: Path, root: Path) -> str:
    """Return a path as people see it: relative to the root, with forward slashes."""
    try:
        return Path(os.path.relpath(path, root)).as_posix()
    except ValueError:  # another drive on Windows
        return path.as_posix()


def templates(folder: Path) -> dict[str, Path]:
    """Return the templates in a folder by the name of the file they make.

    `.env.production.example` makes `.env.production`. With two templates for one file the
    suffix that comes first in `TEMPLATE_SUFFIXES` wins.

    Raises:
        UsageError: one is no file: reading a named pipe might never end.
    """
    found: dict[str, Path] = {}
    for suffix in TEMPLATE_SUFFIXES:
        for path in sorted(folder.glob(f".env*{suffix}")):
            target = path.name.removesuffix(suffix)
            if target == ".env" or target.startswith(".env."):
                refuse_other_than_file(path, str(path), "a template")
                if path.is_file():
                    found.setdefault(target, path)
    return found


def leftover(folder: Path, *, custom: Iterable[Mode] = ()) -> dict[str, Path]:
    """Return the templates whose target is no layer of any mode, such as `.env.docker`.

    One named after a hosting platform (`.env.render.example`) tells what is set over there: it
    makes no file here.
    """
    known = _names(custom)
    return {t: path for t, path in templates(folder).items() if unclaimed(t, known)}


def unclaimed(target: str, known: Collection[str]) -> bool:
    """Tell whether a template's target is no layer of a mode (``known``), nor a platform's."""
    return target not in known and target.rpartition(".")[2] not in PLATFORMS


def template_marks(
    folders: Iterable[Path],
    mode: Mode,
    known: Collection[str],
    *,
    custom: Iterable[Mode] = (),
) -> dict[str, dict[str, str]]:
    """Return the keys of a mode's templates with their marks.

    A template of another mode adds no key, but what it marks as a secret is one in every mode.

    Args:
        folders: where templates lie.
        mode: whose layers the templates make.
        known: keys that some layer names.
        custom: the project's own modes.
    """
    found: dict[str, dict[str, str]] = {}
    for folder in dict.fromkeys(folders):
        left = leftover(folder, custom=custom)
        for target, path in templates(folder).items():
            own = target in mode.layers or target in left
            for key, marked in _template(path).items():
                if own or key in known:
                    found.setdefault(key, {}).update(marked)
    return found


def template_keys(path: Path) -> tuple[str, ...]:
    """Return the keys that a template names; none of one that cannot be read."""
    return tuple(_template(path))


def _template(path: Path) -> Mapping[str, Mapping[str, str]]:
    try:
        return marks(decode(path.read_bytes(), path.name))
    except (OSError, UsageError):  # a broken template is its own checks' matter
        return {}


def _names(custom: Iterable[Mode]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for mode in (*BUILT_IN, *custom) for name in mode.layers))
