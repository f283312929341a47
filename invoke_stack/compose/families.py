"""What a service is, read off its image: names in compose files are free, images are not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from invoke_stack.compose.model import Model, Service
from invoke_stack.errors import UsageError

POSTGRES = ("postgres", "postgresql", "postgis", "pgvector", "timescaledb", "timescaledb-ha")
CACHES = ("redis", "redis-stack", "redis-stack-server", "valkey", "keydb", "dragonfly")
POSTGRES_USER = ("POSTGRES_USER", "POSTGRESQL_USERNAME")
POSTGRES_DATABASE = ("POSTGRES_DB", "POSTGRESQL_DATABASE")
POSTGRES_PASSWORD = ("POSTGRES_PASSWORD", "POSTGRESQL_PASSWORD")
"""What a PostgreSQL image makes its first login of: the official one's variables, bitnami's."""

WEB_UIS = ("pgadmin4", "redis-commander", "adminer", "redisinsight", "mailpit", "pgweb")


def image_name(image: str) -> str:
    """Return the last path part of an image reference: `ghcr.io/a/redis:7@sha256…` is `redis`."""
    return re.split(r"[:@]", image.rsplit("/", 1)[-1], maxsplit=1)[0].casefold()


def first(environment: Mapping[str, str], keys: Sequence[str]) -> str:
    """Return the first value that is set, or ""."""
    return next((environment[key] for key in keys if environment.get(key)), "")


def is_database(service: Service) -> bool:
    """Return whether the service runs a database that a provider knows."""
    return image_name(service.image) in POSTGRES


def is_cache(service: Service) -> bool:
    """Return whether the service runs Redis or one of its relatives."""
    return image_name(service.image) in CACHES


def is_datastore(service: Service) -> bool:
    """Return whether the service keeps data: it is never recreated for the sake of a label."""
    return is_database(service) or is_cache(service)


def describe(service: Service) -> str:
    """Return a word for what answers on a service's port."""
    if is_database(service):
        return "PostgreSQL"
    if is_cache(service):
        return "Redis"
    return image_name(service.image) if image_name(service.image) in WEB_UIS else "http"


def only(model: Model, kind: str, chosen: str) -> Service:
    """Return the stack's database (``kind`` "db") or cache ("cache") service.

    Args:
        model: the stack.
        kind: which of the two; also the settings section that decides.
        chosen: the service that a setting names, or "".

    Raises:
        UsageError: there is none, there are several, or the named one does not exist.
    """
    if chosen:
        if chosen not in model.services:
            raise UsageError(
                f"stack.{kind}.service",
                f"no such service: {chosen}",
                hint=f"services: {', '.join(sorted(model.services))}",
            )
        return model.services[chosen]
    fits = is_database if kind == "db" else is_cache
    found = [each for each in model.services.values() if fits(each)]
    if len(found) == 1:
        return found[0]
    what = "database" if kind == "db" else "cache"
    names = ", ".join(sorted(each.name for each in found or model.services.values()))
    wrong = f"several {what} services" if found else f"no {what} service found by its image"
    hint = f"name one in the setting stack.{kind}.service; services: {names}"
    raise UsageError(f"stack.{kind}", wrong, hint=hint)
