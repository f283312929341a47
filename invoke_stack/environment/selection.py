"""Which folders' env files a task looks at: those of `--dir`, those of `--service`, or all."""

from __future__ import annotations

from collections.abc import Callable, Sized
from dataclasses import dataclass
from pathlib import Path

from invoke_stack.environment import declared
from invoke_stack.environment import needs as stacks
from invoke_stack.errors import UsageError
from invoke_stack.project import Project


@dataclass(frozen=True, slots=True)
class Selection:
    """What the flags name; nothing means every folder.

    Attributes:
        service: a service; its folders are those of its `env_file:`, else its build context.
        folder: a folder, named from the root.
    """

    service: str = ""
    folder: str = ""

    def __bool__(self) -> bool:
        return bool(self.service or self.folder)


ALL = Selection()


def chosen(project: Project, selection: Selection) -> Callable[[Path], bool]:
    """Return what tells whether a folder is meant.

    Raises:
        UsageError: no such folder or service, or a service without env files of its own.
    """
    if not selection:
        return lambda _: True
    main = declared.main_folder(project)
    named = {folder(project, selection.folder)} if selection.folder else set()
    own = set(_of_service(project, selection.service)) if selection.service else named
    found = own & named if named else own
    # The project's own env files may lie elsewhere than in its root.
    found |= {main} if project.root.resolve() in found else set()
    return lambda each: each.resolve() in found


def require(found: Sized, selection: Selection) -> None:
    """Refuse flags that leave nothing to look at.

    Raises:
        UsageError: naming the flag.
    """
    if selection and not len(found):
        flag, name = ("--dir", selection.folder) if selection.folder else ("--service", "")
        raise UsageError(
            flag,
            f"no env file or template in {name or f'the folders of {selection.service}'}",
            hint="inv env.show lists the folders with env files",
        )


def folder(project: Project, name: str) -> Path:
    """Return a folder that is named from the root.

    Raises:
        UsageError: there is none.
    """
    found = (project.root / name).resolve()
    if not found.is_dir():
        raise UsageError("--dir", f"no such folder: {name}", hint="name it from the root")
    return found


def _of_service(project: Project, name: str) -> tuple[Path, ...]:
    needs = stacks.find(project)
    if name not in needs.folders:
        known = ", ".join(sorted(needs.folders)) or needs.problem or "none"
        raise UsageError("--service", f"no such service: {name}", hint=f"services: {known}")
    if not needs.folders[name]:
        raise UsageError(
            "--service",
            f"{name} has no `env_file:` and is built from no folder",
            hint="name the folder of its env files: --dir FOLDER",
        )
    return needs.folders[name]
