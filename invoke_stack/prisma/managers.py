"""The package manager of a package, and how each one runs a script or the local `prisma`.

What the four do with arguments and with a program that is not installed was measured with npm 11,
pnpm 10, yarn 4 and bun 1.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from invoke_stack.errors import UsageError
from invoke_stack.project import Project

NAMES = ("npm", "pnpm", "yarn", "bun")
LOCKS = {
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
    "bun.lock": "bun",
    "bun.lockb": "bun",
    "package-lock.json": "npm",
    "npm-shrinkwrap.json": "npm",
}
QUIET: Mapping[str, str] = {
    # Nothing may fetch a manager in another version, a package, or news about a new version.
    "COREPACK_ENABLE_NETWORK": "0",
    "COREPACK_ENABLE_DOWNLOAD_PROMPT": "0",
    "NPM_CONFIG_OFFLINE": "true",
    "NPM_CONFIG_UPDATE_NOTIFIER": "false",
    "YARN_ENABLE_NETWORK": "0",
    "CHECKPOINT_DISABLE": "1",
    "PRISMA_HIDE_UPDATE_MESSAGE": "1",
}


@dataclass(frozen=True, slots=True)
class Manager:
    """A package manager and how it was found; ``doubt`` says what contradicts it."""

    name: str
    reason: str
    doubt: str = ""

    @property
    def install(self) -> str:
        """The command that installs what is missing."""
        return "npm ci" if "package-lock" in self.reason else f"{self.name} install"


def find(project: Project, folder: Path) -> Manager:
    """Return the package manager of a folder: setting, then fields and lock files going up.

    Raises:
        UsageError: the setting names none of the four.
    """
    chosen = project.settings.db.manager
    if chosen:
        if chosen not in NAMES:
            hint = f"one of {', '.join(NAMES)}"
            raise UsageError("stack.db.manager", f"no such package manager: {chosen}", hint=hint)
        return Manager(chosen, "setting stack.db.manager")
    root = project.root
    above = [folder, *(each for each in folder.parents if each == root or root in each.parents)]
    # A stray package-lock.json inside a pnpm workspace says nothing about the workspace.
    if any((each / "pnpm-workspace.yaml").is_file() for each in above):
        return Manager("pnpm", "pnpm-workspace.yaml")
    found = next((each for path in above for each in _in(path)), None)
    return found or Manager("npm", "nothing says otherwise")


def _in(folder: Path) -> Iterator[Manager]:
    """Yield what one folder says: its field first, then its lock files."""
    locks = [(name, manager) for name, manager in LOCKS.items() if (folder / name).is_file()]
    field = _field(folder)
    if field:
        others = [name for name, manager in locks if manager != field]
        yield Manager(field, "package.json", f"{others[0]} says otherwise" if others else "")
    elif locks:
        name, manager = locks[0]
        others = [each for each, other in locks if other != manager]
        yield Manager(manager, name, f"{others[0]} says otherwise" if others else "")


def _field(folder: Path) -> str:
    try:
        document = json.loads((folder / "package.json").read_text("utf-8"))
        engines = document.get("devEngines") or {}
        said = document.get("packageManager") or engines.get("packageManager", {}).get("name")
    except (OSError, ValueError, AttributeError):
        return ""
    name = str(said or "").partition("@")[0]
    return name if name in NAMES else ""


def offline(manager: str) -> dict[str, str]:
    """Return the environment in which a manager uses what is installed, or fails."""
    # npm warns about an option that only pnpm has.
    own = {"NPM_CONFIG_MANAGE_PACKAGE_MANAGER_VERSIONS": "false"} if manager == "pnpm" else {}
    return {**QUIET, **own}


def script(manager: str, name: str, arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Return the call of a package's script.

    npm drops options that do not follow `--`; the others hand `--` on to the program, which
    then ignores the options behind it.
    """
    between = ("--",) if manager == "npm" and arguments else ()
    return (manager, "run", name, *between, *arguments)


def local(manager: str, arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Return the call of the installed `prisma` that downloads nothing when there is none."""
    heads = {
        "npm": ("npm", "exec", "--no", "--"),
        "pnpm": ("pnpm", "exec"),
        "yarn": ("yarn", "run"),
        "bun": ("bun", "x", "--no-install"),
    }
    return (*heads[manager], "prisma", *arguments)
