"""Where Prisma runs: on this machine, in a running service, or in a container made for it."""

from __future__ import annotations

import dataclasses
import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from invoke_stack.compose.commands import ComposeCall
from invoke_stack.database.migrating import Place
from invoke_stack.environment import declared as loading
from invoke_stack.environment import resolve, views
from invoke_stack.errors import UsageError
from invoke_stack.prisma import builder, inside, managers, scripts
from invoke_stack.prisma.inside import Found
from invoke_stack.prisma.managers import Manager
from invoke_stack.prisma.package import Package
from invoke_stack.process import Command
from invoke_stack.project import Project

Kind = Literal["host", "service", "one-off"]


@dataclass(frozen=True, slots=True)
class Spot:
    """A place where Prisma can be called.

    Attributes:
        kind: on this machine, in a running service, or in a container made for the call.
        label: what messages call it.
        package: the package on this machine.
        manager: its package manager.
        env: what Prisma gets: the database's URL and the resolved env, secrets included.
        found: where Prisma lies inside a container.
        stack: the Compose project.
        service: the service whose container or image it is.
        container: the running container's id.
        call: the Compose call that makes a container, where one has to be made.
    """

    kind: Kind
    label: str
    package: Package
    manager: Manager
    env: Mapping[str, str] = field(repr=False)
    found: Found | None = None
    stack: str = ""
    service: str = ""
    container: str = ""
    call: ComposeCall | None = field(default=None, repr=False)

    @property
    def major(self) -> int:
        """The major version of the Prisma that runs there."""
        version = self.found.version if self.found else ""
        return int(version.split(".")[0]) if version[:1].isdigit() else self.package.major

    @property
    def version(self) -> str:
        """The version of the Prisma that runs there."""
        return (self.found.version if self.found else "") or self.package.version

    def path(self, path: Path | None, default: str = "prisma/schema.prisma") -> str:
        """Return a file of the package as Prisma is told it: from the package's folder."""
        if path is None:
            return default
        return Path(os.path.relpath(path, self.package.folder)).as_posix()

    def prisma(self, arguments: tuple[str, ...], *, read: bool = False) -> Command:
        """Return the call of Prisma itself."""
        if self.found is None:
            return self._here(self._local(arguments), read=read)
        words = (self.found.program, *arguments)
        if self.call is None:
            return inside.execute(self.container, self.found, words, self.env, read=read)
        flags = inside.mounts(self.package, self.found)
        return inside.one_off(
            self.call, self.service, self.found, words, self.env, flags=flags, read=read
        )

    def run(self, action: str, arguments: tuple[str, ...] = ()) -> Command:
        """Return the call of an action: the project's own script for it, else Prisma."""
        name = scripts.choose(action, self.package.scripts, arguments=bool(arguments))
        if name and self.found is None:
            return self._here(managers.script(self.manager.name, name, arguments))
        return self.prisma((*scripts.WORDS[action], *arguments))

    def _local(self, arguments: tuple[str, ...]) -> tuple[str, ...]:
        """Return the installed program: found on PATH, as the managers find it.

        They take half a second for that, so they are asked only where nothing else can know.
        """
        names = ("prisma", "prisma.cmd")
        if any((each / name).exists() for each in binaries(self.package.folder) for name in names):
            return ("prisma", *arguments)
        return managers.local(self.manager.name, arguments)

    def _here(self, words: tuple[str, ...], *, read: bool = False) -> Command:
        folder = self.package.folder
        return Command(words, env=self.env, cwd=folder, effect="read" if read else "write")


@contextmanager
def chosen(
    project: Project, place: Place, package: Package, *, writes: bool = False
) -> Iterator[Spot]:
    """Yield where Prisma runs for a database: here, in a running service, in a new container.

    Args:
        project: the project.
        place: the database.
        package: the package that owns Prisma.
        writes: it writes files of the project, such as a new migration.

    Raises:
        UsageError: it is installed nowhere, or nothing that has it reaches the database.
    """
    manager = managers.find(project, package.folder)
    if place.host and installed(package) and interpreted(project, manager):
        yield here(project, place, package, manager)
        return
    spot = Spot(
        "service", "", package, manager, _stack_env(place, package), stack=place.declared.name
    )
    found = inside.running(project, place, package)
    if found is None:
        with builder.made(project, place, package) as made:
            if made is None:
                raise nowhere(project, place, package, manager)
            yield _made(spot, made)
        return
    container, at = found
    spot = dataclasses.replace(
        spot,
        label=f"service {container.service}",
        found=at,
        service=container.service,
        container=container.id,
    )
    with place.compose() if writes else nullcontext() as call:
        yield dataclasses.replace(spot, call=call)


def _made(spot: Spot, made: builder.Made) -> Spot:
    label = f"a container of {made.service}'s stage {made.stage}"
    return dataclasses.replace(
        spot,
        kind="one-off",
        label=label,
        found=made.found,
        service=made.service,
        call=made.call,
    )


def nowhere(project: Project, place: Place, package: Package, manager: Manager) -> UsageError:
    """Return the error for a Prisma that cannot be called for a database."""
    where = project.shown(package.folder)
    if not installed(package):
        text = "prisma is not installed here, and no service of the stack has it"
        step = manager.install if where == "." else f"cd {shlex.quote(where)} && {manager.install}"
        return UsageError(project.shown(package.folder / "package.json"), text, hint=step)
    if place.host and not interpreted(project, manager):
        return no_node()
    port = f"{place.target.service}: " if place.target else ""
    return UsageError(
        where,
        "nothing that has Prisma reaches the database: it publishes no port",
        hint=f'{port}ports: ["127.0.0.1:5432:5432"], or install prisma in a build stage',
    )


def installed(package: Package) -> bool:
    """Return whether this machine has what it takes to call Prisma in the package."""
    folders = (package.folder, *package.folder.parents)
    return package.installed is not None or any((each / ".pnp.cjs").is_file() for each in folders)


def interpreted(project: Project, manager: Manager) -> bool:
    """Return whether this machine has what runs Prisma: Node, which bun can stand in for."""
    path = project.environ.get("PATH", os.defpath)
    return manager.name == "bun" or shutil.which("node", path=path) is not None


def no_node() -> UsageError:
    """Return the error for a Prisma that is installed where nothing can run it."""
    text = "not installed or not on PATH; Prisma needs it, and no service of the stack has Prisma"
    return UsageError("node", text, hint="install it from https://nodejs.org/en/download")


def here(project: Project, place: Place, package: Package, manager: Manager) -> Spot:
    """Return the spot on this machine."""
    env = _host_env(project, place, package)
    bins = [str(each) for each in binaries(package.folder)]
    path = os.pathsep.join([*bins, project.environ.get("PATH", os.defpath)])
    env |= managers.offline(manager.name) | {"PATH": path}
    return Spot("host", "this machine", package, manager, env)


def binaries(folder: Path) -> list[Path]:
    """Return the folders of installed programs, from a package's own upwards."""
    every = (each / "node_modules" / ".bin" for each in (folder, *folder.parents))
    return [each for each in every if each.is_dir()]


def keys(place: Place, package: Package) -> tuple[str, ...]:
    """Return the variables that must carry the database's URL."""
    return tuple(dict.fromkeys((*place.keys, *package.keys)))


def _host_env(project: Project, place: Place, package: Package) -> dict[str, str]:
    declared = place.declared
    values = {**declared.env.exported()}
    for folder in reversed([package.folder, *package.folder.parents]):
        if project.root in folder.parents:  # env files of the package's own, say `backend/.env`
            own = loading.family(project, folder, declared.mode)
            if own:
                found = resolve.resolve(declared.mode, own, project.environ, project.overrides)
                project.secrets.learn(found.secrets())
                values |= found.exported()
    ports, extra = declared.model.ports(), project.settings.env.rewrite
    for key in [each for each in values if views.has_views(each, extra=extra)]:
        try:
            values[key] = views.to_host(key, values[key], ports, extra=extra)
        except UsageError:  # a service without a port: whoever needs it will say so
            continue
    # Where nothing here gets to the database, Prisma's config still wants a URL to be there.
    return values | dict.fromkeys(keys(place, package), place.host or place.stack)


def _stack_env(place: Place, package: Package) -> dict[str, str]:
    return {**managers.QUIET, **dict.fromkeys(keys(place, package), place.stack)}
