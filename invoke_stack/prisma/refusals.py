"""What is refused before Prisma is started."""

from __future__ import annotations

from invoke_stack.database.migrating import Place
from invoke_stack.errors import UsageError
from invoke_stack.prisma.package import Package
from invoke_stack.project import Project


def require_schema(project: Project, package: Package) -> None:
    """Require a schema where Prisma looks for one."""
    if package.schema is None:
        raise UsageError(
            project.shown(package.folder),
            "there is no schema where Prisma looks for it",
            hint="restore it, or correct `schema` in prisma.config.* or package.json",
        )


def require_movable(project: Project, package: Package) -> None:
    """Require that Prisma goes to the database that it is told, not to one in its files."""
    if package.fixed:
        text = "the datasource's URL is written out: Prisma would not use the database meant"
        where = project.shown(package.config or package.schema or package.folder)
        raise UsageError(where, text, hint='write env("DATABASE_URL") in its place')


def require_meant(project: Project, package: Package, place: Place) -> None:
    """Require the same where the user has named a database with `--target`."""
    if not place.own or len(place.keys) > 1:
        require_movable(project, package)
