"""The files that readers and rules may look at: those of the repository, and no others.

What git ignores on one machine is not there for anybody, so the verdict is the same on every
machine. Nothing outside the project is read, whatever a link or a `../..` says.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar, cast

from invoke_stack import rights
from invoke_stack.dockerfile.model import Dockerfile
from invoke_stack.dockerfile.parser import parse
from invoke_stack.errors import StackError, UsageError
from invoke_stack.process import Command, Runner, SystemRunner
from invoke_stack.project import Project

T = TypeVar("T")

LARGEST = 2 * 1024 * 1024
"""No file that declares a stack is larger; bytes."""
_MOST = 200_000
_SKIPPED = frozenset({".git", "node_modules", ".invoke-stack", ".venv", "__pycache__"})
_GIT_TIMEOUT_S = 20
_NEEDED = frozenset({
    "PATH", "HOME", "DOCKER_CONFIG", "XDG_CONFIG_HOME", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT",
    "SYSTEMDRIVE", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES",
    "COMSPEC", "PATHEXT",
})  # fmt: skip


class Workspace:
    """A repository's files, each read at most once.

    Args:
        project: whose root and settings are used.

    Attributes:
        root: the project's root, links resolved.
        files, folders: from the root, with forward slashes.
        runner: starts programs with a clean environment, so that a developer's shell cannot
            change the verdict.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.root = project.root.resolve()
        self.files = frozenset(_files(project, self.root))
        self.folders = frozenset(_folders(self.files))
        self.runner = _clean_runner(project)
        self._made: dict[str, object] = {}
        self._texts: dict[str, str] = {}
        self._dockerfiles: dict[str, Dockerfile] = {}

    def has(self, path: str) -> bool:
        """Tell whether a path from the root is a file or folder of the repository."""
        name = normal(path)
        return name in self.files or name in self.folders

    def named(self, *names: str) -> tuple[str, ...]:
        """Return the files of these base names, the ones nearest to the root first."""
        found = [each for each in self.files if posixpath.basename(each) in names]
        return tuple(sorted(found, key=lambda each: (each.count("/"), each)))

    def below(self, folder: str) -> tuple[str, ...]:
        """Return the files below a folder, sorted."""
        head = "" if normal(folder) == "." else f"{normal(folder)}/"
        return tuple(sorted(each for each in self.files if each.startswith(head)))

    def text(self, path: str) -> str:
        """Return a file's text, without a byte order mark.

        Raises:
            UsageError: it is no file of the repository, too large, not UTF-8 or not readable.
        """
        name = normal(path)
        if name not in self._texts:
            self._texts[name] = self._read(name)
        return self._texts[name]

    def dockerfile(self, path: str) -> Dockerfile:
        """Return a Dockerfile, parsed.

        Raises:
            UsageError: it cannot be read, or is no Dockerfile.
        """
        name = normal(path)
        if name not in self._dockerfiles:
            self._dockerfiles[name] = parse(self.text(name), name)
        return self._dockerfiles[name]

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Return what ``make`` returns, made only the first time for a name."""
        if name not in self._made:
            self._made[name] = make()
        return cast("T", self._made[name])

    def readable(self, path: str) -> bool:
        """Tell whether `text` would succeed."""
        try:
            self.text(path)
        except StackError:
            return False
        return True

    def _read(self, name: str) -> str:
        if name.startswith(("../", "/")):
            raise UsageError(name, "lies outside the project", hint="name a file of the project")
        path = self.root / name
        try:
            inside = path.resolve(strict=True).is_relative_to(self.root)
            regular = path.is_file()
            size = path.stat().st_size
        except (OSError, RuntimeError) as problem:
            reason = getattr(problem, "strerror", "") or "a circle of links"
            raise UsageError(name, f"cannot be read: {reason.lower()}") from None
        if not inside:
            raise UsageError(name, "is a link to outside the project", hint="put a file there")
        if not regular or size > LARGEST:
            what = f"larger than {LARGEST >> 20} MB" if regular else "not a file"
            raise UsageError(name, what, hint="name another file in the settings")
        return _decoded(path, name)


def normal(path: str) -> str:
    """Return a path from the root in its one spelling: no `./`, no trailing slash."""
    return posixpath.normpath(path.replace("\\", "/")) if path else "."


def joined(folder: str, path: str) -> str:
    """Return a path that is written relative to a folder, from the root."""
    return normal(posixpath.join(folder, path))


def _decoded(path: Path, name: str) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = problem.object[: problem.start].count(b"\n") + 1
        raise UsageError(f"{name}:{line}", "not UTF-8", hint="save it as UTF-8") from None
    except OSError as problem:
        reason = (problem.strerror or "unknown reason").lower()
        hint = rights.way_out(path, problem)
        raise UsageError(name, f"cannot be read: {reason}", hint=hint) from None


def _clean_runner(project: Project) -> Runner:
    """Return this machine's runner with a clean environment; any other one is what it is."""
    real = isinstance(project.runner, SystemRunner)
    return SystemRunner(_clean(project.environ)) if real else project.runner


def _clean(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what a program needs to start, and nothing that could change its answer."""
    return {key: value for key, value in environ.items() if key.upper() in _NEEDED}


def _files(project: Project, root: Path) -> Iterator[str]:
    """Yield what git tracks or would track; without git, what is there."""
    tracked = _from_git(project, root)
    names = _walked(root) if tracked is None else tracked
    for count, name in enumerate(names):
        if count >= _MOST:
            return
        yield name


def _from_git(project: Project, root: Path) -> list[str] | None:
    words = ("ls-files", "-z", "-t", "--cached", "--others", "--exclude-standard")
    command = Command(("git", "-C", str(root), *words), cwd=root, effect="read")
    if not any((each / ".git").exists() for each in (root, *root.parents)):
        return None
    try:
        done = _clean_runner(project).capture(command, timeout_s=_GIT_TIMEOUT_S)
    except StackError:
        return None
    if done.code != 0:
        return None
    listed = [each for each in done.stdout.split("\0") if each]
    # `?` is what git would add: a developer's own env file is not meant to be.
    names = [each[2:] for each in listed if each[0] != "?" or not _is_personal(each[2:])]
    # A deleted file stays in the index until it is staged.
    return [each for each in names if os.path.lexists(root / each)]


def _walked(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(each for each in folders if each not in _SKIPPED)
        head = Path(folder).relative_to(root).as_posix()
        for name in sorted(each for each in names if not _is_personal(each)):
            yield name if head == "." else f"{head}/{name}"


def _is_personal(path: str) -> bool:
    """Tell whether a file holds one developer's values, unless it is committed."""
    name = posixpath.basename(path)
    return name == ".env" or (name.startswith(".env.") and name.endswith(".local"))


def _folders(files: frozenset[str]) -> Iterator[str]:
    yield "."
    seen: set[str] = set()
    for name in files:
        folder = posixpath.dirname(name)
        while folder and folder not in seen:
            seen.add(folder)
            yield folder
            folder = posixpath.dirname(folder)
