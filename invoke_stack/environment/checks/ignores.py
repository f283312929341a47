"""What git and Docker keep out, and the lines that make them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from invoke_stack.dockerfile import ignore
from invoke_stack.environment.needs import Context
from invoke_stack.errors import StackError
from invoke_stack.process import Command, Completed
from invoke_stack.project import Project

TIMEOUT_S = 20


@dataclass(frozen=True, slots=True)
class Missing:
    """A line that an ignore file lacks.

    Attributes:
        path: the ignore file, which may not exist yet.
        line: what to write into it.
        subject: the env file that it is about, as shown.
    """

    path: Path
    file: str
    line: str
    subject: str


def tracked(project: Project) -> frozenset[str] | None:
    """Return the env files that git has, named from the root; None where git does not answer."""
    done = _git(project, "ls-files", "-z", "--", ":(glob)**/.env*")
    return None if done is None else frozenset(filter(None, done.stdout.split("\0")))


def unignored(project: Project, paths: Sequence[Path]) -> tuple[Path, ...] | None:
    """Return the files that git would offer to add; None where git does not answer."""
    if not paths:
        return ()
    names = "\0".join(str(path) for path in paths)
    words = ("check-ignore", "--no-index", "--stdin", "-z")
    done = _git(project, *words, fine=(0, 1), stdin=names.encode())
    if done is None:
        return None
    ignored = set(done.stdout.split("\0"))
    return tuple(path for path in paths if str(path) not in ignored)


def for_git(project: Project, paths: Sequence[Path]) -> tuple[Missing, ...] | None:
    """Return the lines that `.gitignore` lacks; None where git does not answer."""
    found = unignored(project, paths)
    if found is None:
        return None
    file = project.root / ".gitignore"
    shown = project.shown(file)
    return tuple(Missing(file, shown, path.name, project.shown(path)) for path in found)


def for_docker(
    project: Project, contexts: Iterable[Context], paths: Iterable[Path]
) -> tuple[Missing, ...]:
    """Return the lines that the build contexts' `.dockerignore` files lack."""
    found = [each for path in paths for each in _docker(project, contexts, path)]
    return tuple(dict.fromkeys(found))


def _docker(project: Project, contexts: Iterable[Context], path: Path) -> Iterator[Missing]:
    for context in contexts:
        if not path.is_relative_to(context.folder):
            continue
        file = ignore.file_of(context.folder, context.dockerfile)
        name = path.relative_to(context.folder).as_posix()
        if not ignore.excluded(name, ignore.patterns(file)):
            shown = project.shown(file)
            yield Missing(file, shown, f"**/{path.name}", project.shown(path))


def _git(
    project: Project, *words: str, fine: Sequence[int] = (0,), stdin: bytes | None = None
) -> Completed | None:
    command = Command(("git", "-C", str(project.root), *words), effect="read")
    try:
        done = project.runner.capture(command, timeout_s=TIMEOUT_S, stdin=stdin)
    except StackError:  # not installed, or hanging
        return None
    return done if done.code in fine else None
