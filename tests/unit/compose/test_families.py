from __future__ import annotations

import pytest

from invoke_stack.compose import families
from invoke_stack.compose.model import Model, Service
from invoke_stack.errors import UsageError


def stack(**images: str) -> Model:
    return Model("shop", {name: Service(name, image=image) for name, image in images.items()})


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("postgres", "postgres"),
        ("postgres:16-alpine", "postgres"),
        ("docker.io/library/postgres:16", "postgres"),
        ("localhost:5000/postgres", "postgres"),
        ("ghcr.io/a/redis:7@sha256:0123abcd", "redis"),
        ("redis@sha256:0123abcd", "redis"),
        ("Bitnami/PostgreSQL:17", "postgresql"),
        ("", ""),
    ],
)
def test_the_name_of_an_image_is_its_last_part_without_tag_and_digest(
    image: str, name: str
) -> None:
    assert families.image_name(image) == name


@pytest.mark.parametrize(
    "image",
    [
        "postgres:16-alpine",
        "postgis/postgis:16-3.4",
        "pgvector/pgvector:pg16",
        "timescale/timescaledb:latest-pg16",
        "timescale/timescaledb-ha:pg16",
        "bitnami/postgresql:16",
        "supabase/postgres:15",
    ],
)
def test_every_image_of_the_family_is_a_database(image: str) -> None:
    service = Service("x", image=image)

    assert families.is_database(service)
    assert families.is_datastore(service)
    assert not families.is_cache(service)
    assert families.describe(service) == "PostgreSQL"


@pytest.mark.parametrize(
    "image", ["redis:7", "valkey/valkey:8", "redis/redis-stack-server", "eqalpha/keydb"]
)
def test_every_image_of_the_family_is_a_cache(image: str) -> None:
    service = Service("x", image=image)

    assert families.is_cache(service)
    assert families.is_datastore(service)
    assert not families.is_database(service)
    assert families.describe(service) == "Redis"


@pytest.mark.parametrize(
    "image",
    [
        "",
        "node:22",
        "dpage/pgadmin4",
        "rediscommander/redis-commander",
        "prodrigestivill/postgres-backup-local",
        "oliver006/redis_exporter",
        "postgrest/postgrest",
    ],
)
def test_tools_around_a_database_are_none(image: str) -> None:
    assert not families.is_datastore(Service("postgres", image=image))


def test_what_answers_on_a_port_is_named_for_people() -> None:
    assert families.describe(Service("x", image="dpage/pgadmin4:8")) == "pgadmin4"
    assert families.describe(Service("web", build="{}")) == "http"


def test_the_only_service_of_the_family_is_found_whatever_its_name() -> None:
    model = stack(store="postgres:16", fast="valkey/valkey:8", web="node:22")

    assert families.only(model, "db", "").name == "store"
    assert families.only(model, "cache", "").name == "fast"


def test_a_setting_names_any_service() -> None:
    assert families.only(stack(web="my/own", db="postgres"), "db", "web").name == "web"


def test_a_setting_that_names_no_service_is_an_error() -> None:
    with pytest.raises(UsageError) as caught:
        families.only(stack(web="node", db="postgres"), "db", "pg")

    assert str(caught.value) == "stack.db.service: no such service: pg"
    assert caught.value.hint == "services: db, web"


def test_several_databases_ask_for_the_setting() -> None:
    with pytest.raises(UsageError) as caught:
        families.only(stack(b="postgres", a="postgis/postgis", web="node"), "db", "")

    assert str(caught.value) == "stack.db: several database services"
    assert caught.value.hint == "name one in the setting stack.db.service; services: a, b"


def test_no_cache_lists_every_service() -> None:
    with pytest.raises(UsageError) as caught:
        families.only(stack(web="node", db="postgres"), "cache", "")

    assert str(caught.value) == "stack.cache: no cache service found by its image"
    assert caught.value.hint == "name one in the setting stack.cache.service; services: db, web"
