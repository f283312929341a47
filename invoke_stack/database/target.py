"""The database that a `db.*` task acts on: a service of this stack, or what a URL leads to."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from invoke_stack.compose import families
from invoke_stack.compose.model import Model, Service
from invoke_stack.database import provider as providers
from invoke_stack.database.provider import Provider
from invoke_stack.database.values import Login, Place
from invoke_stack.engines.containers import Container
from invoke_stack.engines.embedded import record
from invoke_stack.engines.engine import Engine, EngineName
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import StackError, UnreachableError
from invoke_stack.process import Command, Completed
from invoke_stack.project import Project

APPLICATION = "invoke_stack"
"""The name that our short queries carry in the server's list of sessions."""

QUERY_S = 60


@dataclass(frozen=True, slots=True)
class Target:
    """A database, and where its client programs run.

    For the stack's own no published port is needed: everything runs inside the container, with
    its own programs, and the official images let a local user in without a password. Without
    Docker it is the same over the server's socket, with the programs that the server came with.

    Attributes:
        project: the Compose project's name.
        service: the stack's service, "" for a database that is not the stack's.
        container: the engine's id of the container that the programs run in; "" for this machine.
        place: what the rails go by.
        host: `host:port` for people, of a database that a URL leads to.
        key: the variable whose URL that is, or "".
        programs: the folder of its client programs on this machine, None for those on PATH or in
            the container.
        address: variables that lead its clients to it from this machine, if it is the stack's;
            `PGDATA` is where its data lies here.
    """

    project: str
    service: str
    container: str
    provider: Provider
    login: Login
    place: Place = "stack"
    host: str = ""
    key: str = ""
    programs: Path | None = None
    address: Mapping[str, str] = field(default_factory=dict)

    @property
    def database(self) -> str:
        """The database's name."""
        return self.login.database

    @property
    def where(self) -> str:
        """The service, or host and port, as errors name it."""
        return f"service {self.service}" if self.place == "stack" else self.host

    def inside(
        self,
        argv: tuple[str, ...],
        *,
        application: str = APPLICATION,
        fed: bool = False,
        read: bool = False,
    ) -> Command:
        """Return the call that runs a client.

        Args:
            argv: what a provider built.
            application: the name of its session.
            fed: it reads our stdin; without, it cannot swallow the caller's.
            read: it changes nothing and also runs in a dry run.
        """
        session = self.provider.session(self.login, application)
        effect: Literal["read", "write"] = "read" if read else "write"
        if not self.container:
            # The caller's own PGSERVICE or PGHOSTADDR would lead to another server.
            env, clean = {**self.address, **session}, ("PG*",)
            return Command(argv, env=env, effect=effect, without=clean, programs=self.programs)
        # Names only: docker takes the values from its own environment, which `ps` does not show.
        names = [word for name in session for word in ("--env", name)]
        feed = ("--interactive",) if fed else ()
        words = ("docker", "exec", *feed, *names, self.container, *argv)
        return Command(words, env=session, effect=effect)


def find(project: Project, declared: Declared, engine: Engine) -> Target:
    """Return the stack's database.

    Raises:
        UsageError: there is none, there are several, or no provider knows it.
        UnreachableError: it does not run.
    """
    service = service_of(project, declared)
    container = running(engine, declared.name, service.name)
    # What the container was made with is true also when the files have changed since.
    environment = {**_known(service.environment), **engine.environment(container.id)}
    provider = providers.find(service, project.settings.db.providers)
    login = provider.login(environment, project.settings.db.user, project.settings.db.name)
    project.secrets.learn([login.password] if login.password else [])
    target = Target(declared.name, service.name, "", provider, login)
    return served(project, target, engine, container)


def served(project: Project, target: Target, engine: Engine, container: Container) -> Target:
    """Return the target with the clients of a database that runs: in its container, or here."""
    programs = engine.programs(container.id)
    if programs is None:
        return dataclasses.replace(target, container=container.id)
    data = record.home(project, container.service).data
    address = {**engine.address(container.id), "PGDATA": str(data)}
    return dataclasses.replace(target, container="", programs=programs, address=address)


def service_of(project: Project, declared: Declared) -> Service:
    """Return the database service: the named one, or the only one of the mode."""
    settings = project.settings.db
    if settings.service:
        return families.only(declared.model, "db", settings.service)
    active = declared.active()
    # The built-in families tell the rest apart, with the error for none and for several.
    configured = providers.loaded(settings.providers)
    found = [each for each in active.values() if any(p.recognises(each) for p in configured)]
    if len(found) == 1:
        return found[0]
    model: Model = dataclasses.replace(declared.model, services=active)
    return families.only(model, "db", "")


def is_database(project: Project, service: Service) -> bool:
    """Return whether the service is the named database, or one that a provider recognises."""
    known = (*providers.loaded(project.settings.db.providers), *providers.built_in())
    named = service.name == project.settings.db.service
    return named or any(provider.recognises(service) for provider in known)


def at_stake(project: Project, declared: Declared, engine: Engine) -> tuple[str, ...]:
    """Return the database services that have a container or a volume, of every profile."""
    made = {each.service for each in engine.containers(declared.name)}
    volumes = {
        each.name.removeprefix(f"{declared.name}_") for each in engine.volumes(declared.name)
    }
    if engine.name == "embedded":  # data outlives its process also without a named volume
        made |= volumes
    return tuple(
        name
        for name, service in sorted(declared.model.services.items())
        if is_database(project, service)
        and (name in made or not volumes.isdisjoint(service.volumes))
    )


def pointed_at(project: Project, service: str) -> Project:
    """Return the project with another database service than its settings say."""
    if service == project.settings.db.service:
        return project
    db = dataclasses.replace(project.settings.db, service=service, name="", user="")
    return dataclasses.replace(project, settings=dataclasses.replace(project.settings, db=db))


def container_of(engine: Engine, project: str, service: str) -> Container | None:
    """Return the service's container, a running one first, or None."""
    found = [each for each in engine.containers(project) if each.service == service]
    return min(found, key=lambda each: not each.running, default=None)


def running(engine: Engine, project: str, service: str) -> Container:
    """Return the service's container.

    Raises:
        UnreachableError: it has none that runs.
    """
    container = container_of(engine, project, service)
    if container is None or not container.running:
        raise stopped(service, container, engine.name)
    return container


def stopped(
    service: str, container: Container | None, engine: EngineName = "docker"
) -> UnreachableError:
    """Return the error for a service that does not run."""
    state = "has no container" if engine == "docker" else "is not running"
    if container is not None:
        state = f"is not running ({container.state})"
    return UnreachableError(f"service {service}", state, hint="start it with: inv stack.up")


def with_database(target: Target, database: str) -> Target:
    """Return another database of the same server, for the same user."""
    login = dataclasses.replace(target.login, database=database)
    return dataclasses.replace(target, login=login)


def ask(
    project: Project,
    target: Target,
    statements: str,
    *,
    read: bool = True,
    timeout_s: float = QUERY_S,
) -> str:
    """Run statements through the provider's client and return what it prints.

    Raises:
        StackError: the database did not answer, or refused them.
    """
    command = target.inside(target.provider.client(), fed=True, read=read)
    done = project.runner.capture(command, timeout_s=timeout_s, stdin=statements.encode())
    return answer(project, target, done)


def answer(project: Project, target: Target, done: Completed) -> str:
    """Return what a client has printed.

    Raises:
        StackError: it did not succeed.
    """
    if done.code != 0:
        raise failed(project, target, done)
    return done.stdout


def failed(project: Project, target: Target, done: Completed) -> StackError:
    """Return the error for a client that did not succeed."""
    words = project.secrets.hide(done.stderr.strip() or done.stdout.strip())
    known = target.provider.explain(target.login, words)
    if known is not None:
        return known
    argv = done.command.argv
    program = argv[argv.index(target.container) + 1 if target.container else 0]
    text = f"{program} ended with code {done.code}"
    return StackError(f"database {target.database}", text, detail=tuple(words.splitlines()[-8:]))


def _known(environment: Mapping[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in environment.items() if value is not None}
