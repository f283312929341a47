"""What is to be upgraded: the service, its volume, both versions."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from invoke_stack.compose.model import Service
from invoke_stack.database import provider as providers
from invoke_stack.database import target as targets
from invoke_stack.database.logins import DATA
from invoke_stack.database.postgres import Postgres
from invoke_stack.database.target import Target
from invoke_stack.database.upgrading import images, volumes
from invoke_stack.database.upgrading.volumes import Volume
from invoke_stack.engines.containers import Container
from invoke_stack.engines.docker import Docker
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import StackError, UsageError
from invoke_stack.events import Report
from invoke_stack.project import Project

TASK = "db.upgrade"
UNDO = f"inv {TASK} --undo"


@dataclass(frozen=True, slots=True)
class Subject:
    """One service and its volume.

    Attributes:
        container: the service's container, running or not.
        volume: what is in its volume.
        folder: where in the volume the image would have its cluster.
        new: major version of the service's image.
        environment: what the service's container gets; it may hold a password.
        target: the service's database, as the `db.*` tasks see it; its container may not run.
    """

    project: str
    service: Service
    container: Container
    volume: Volume
    folder: str
    new: str
    target: Target
    environment: Mapping[str, str] = field(repr=False)

    @property
    def image(self) -> str:
        """The service's image, which is the new one."""
        return self.service.image

    @property
    def before(self) -> str:
        """Major version of the cluster that is in the volume; "" where there is none."""
        return self.volume.cluster.version

    @property
    def where(self) -> str:
        """The volume, as errors name it."""
        return f"volume {self.volume.name}"

    def helper(self, kind: str) -> str:
        """Return the name of a container of ours; the same in every run, so that it is found."""
        return f"{self.project}-{self.service.name}-upgrade-{kind}"

    def looked(self, project: Project) -> Subject:
        """Return it as it is now."""
        volume = volumes.look(project, self.image, self.volume.name, self.folder)
        return dataclasses.replace(self, volume=volume)


def find(project: Project, declared: Declared, docker: Docker, report: Report) -> Subject:
    """Return what is there.

    Raises:
        UsageError: it is no PostgreSQL, was never started, or keeps its data in no named volume.
    """
    service = targets.service_of(project, declared)
    where = f"service {service.name}"
    provider = providers.find(service, project.settings.db.providers)
    if not isinstance(provider, Postgres):
        raise UsageError(where, f"{provider.name} cannot be upgraded", hint="it knows PostgreSQL")
    container = targets.container_of(docker, declared.name, service.name)
    if container is None or not service.image:
        text = "has no container yet" if service.image else "has no `image:` of its own"
        raise UsageError(where, text, hint="start it with: inv stack.up")
    if not images.provide(project, docker, service.image, report):
        text = f"its image {service.image} is not here and could not be pulled"
        raise UsageError(where, text, hint=f"docker pull {service.image}")
    environment = {**docker.environment(container.id), **_own_environment(docker, service)}
    mount, name = _mounted(docker, container, environment.get("PGDATA") or DATA, where)
    folder = PurePosixPath(environment.get("PGDATA") or DATA).relative_to(mount).as_posix()
    volume = volumes.look(project, service.image, name, folder)
    new = images.version(project, service.image)
    if not new:
        text = f"{service.image} has no PostgreSQL server"
        raise UsageError(where, text, hint="the service is one of a PostgreSQL image")
    login = provider.login(environment, project.settings.db.user, project.settings.db.name)
    project.secrets.learn([login.password] if login.password else [])
    target = Target(declared.name, service.name, container.id, provider, login)
    return Subject(declared.name, service, container, volume, folder, new, target, environment)


def require_older(found: Subject) -> None:
    """Require that the volume has one cluster, of an older version than the image.

    Raises:
        UsageError: it has none, several, one that lies elsewhere in part, or a newer one.
        StackError: a run was broken off in its last step.
    """
    if found.volume.unfinished:  # in a dry run; any other has taken it back
        text = "a run was broken off in its last step"
        raise StackError(found.where, text, hint=f"without --dry it is taken back: inv {TASK}")
    if not found.before.isdecimal():
        text = "holds no cluster, so there is nothing to upgrade"
        raise UsageError(found.where, text, hint="a new one is made by: inv stack.up")
    if len(found.volume.clusters) > 1:
        each = " and ".join(f"PostgreSQL {c.version} in {c.folder}" for c in found.volume.clusters)
        raise UsageError(found.where, f"holds more than one: {each}", hint="move one out of it")
    if int(found.before) > int(found.new):
        text = f"is of PostgreSQL {found.before}, its image of {found.new}: there is no way down"
        hint = f"set the image to PostgreSQL {found.before} again, or go back: {UNDO}"
        raise UsageError(found.where, text, hint=hint)
    if found.volume.elsewhere:
        text = f"has {' and '.join(found.volume.elsewhere)} outside its folder, which is not moved"
        raise UsageError(found.where, text, hint="back up and restore: docs/restoring.md")


def _own_environment(docker: Docker, service: Service) -> dict[str, str]:
    """Return what the image and the compose file set: the container may be of the old image."""
    config = (docker.image(service.image) or {}).get("Config") or {}
    pairs = dict(str(each).partition("=")[::2] for each in config.get("Env") or ())
    image = {"PGDATA": pairs["PGDATA"]} if "PGDATA" in pairs else {}
    known = {key: value for key, value in service.environment.items() if value is not None}
    return {**image, **known}


def _mounted(docker: Docker, container: Container, data: str, where: str) -> tuple[str, str]:
    mount, name = docker.mounted(container.id, data)
    if not mount:
        text = f"its image keeps the data in {data}, where no volume is mounted"
        hint = "mount one there, then: inv stack.up; or back up and restore: inv db.backup"
        raise UsageError(where, text, hint=hint)
    return mount, name
