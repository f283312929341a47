"""Image references: what they run, in which version."""

from __future__ import annotations

import re
from dataclasses import dataclass

from invoke_stack.compose.families import CACHES, POSTGRES, image_name
from invoke_stack.parity.declaration import Kind
from invoke_stack.parity.values import Src, Val, Version, version

_KINDS: dict[str, tuple[Kind, str]] = {
    **{name: ("postgres", name) for name in POSTGRES},
    **{name: ("keyvalue", name) for name in CACHES},
    "postgresql-repmgr": ("postgres", "postgres"),
    "pgvectorscale": ("postgres", "postgres"),
    "memcached": ("keyvalue", "memcached"),
    "mysql": ("mysql", "mysql"),
    "mysql-server": ("mysql", "mysql"),
    "mariadb": ("mysql", "mariadb"),
    "percona": ("mysql", "percona"),
    "mongo": ("mongo", "mongo"),
    "mongodb": ("mongo", "mongo"),
    "mongodb-community-server": ("mongo", "mongo"),
    "clickhouse": ("clickhouse", "clickhouse"),
    "clickhouse-server": ("clickhouse", "clickhouse"),
    "rabbitmq": ("queue", "rabbitmq"),
    "kafka": ("queue", "kafka"),
    "cp-kafka": ("queue", "kafka"),
    "redpanda": ("queue", "kafka"),
    "nats": ("queue", "nats"),
    "minio": ("objectstore", "minio"),
    "seaweedfs": ("objectstore", "seaweedfs"),
    "elasticsearch": ("other", "elasticsearch"),
    "opensearch": ("other", "opensearch"),
    "meilisearch": ("other", "meilisearch"),
    "typesense": ("other", "typesense"),
    "qdrant": ("other", "qdrant"),
    "weaviate": ("other", "weaviate"),
    "neo4j": ("other", "neo4j"),
    "influxdb": ("other", "influxdb"),
    "cassandra": ("other", "cassandra"),
}
_MAIL = (
    "mailhog",
    "mailpit",
    "mailcatcher",
    "inbucket",
    "maildev",
    "mailslurper",
    "smtp4dev",
    "mailcrab",
)
DEV_TOOLS = frozenset({
    "pgadmin4", "pgadmin", "adminer", "pgweb", "pghero", "phpmyadmin", "mongo-express",
    "redis-commander", "redisinsight", "redis-insight", "phpredisadmin", "p3x-redis-ui", *_MAIL,
    "prometheus", "grafana", "loki", "promtail", "jaeger", "all-in-one", "zipkin", "tempo",
    "node-exporter", "cadvisor", "alertmanager", "kafka-ui", "akhq", "dozzle", "portainer",
    "portainer-ce", "watchtower", "temporal-ui", "ui", "localstack", "stripe-cli", "ngrok",
    "cloudflared", "mc", "prisma-studio", "drizzle-gateway", "storybook", "selenium",
    "standalone-chrome", "opentelemetry-collector-contrib", "opentelemetry-collector",
})  # fmt: skip
PROXIES = frozenset(
    {"traefik", "caddy", "nginx-proxy", "nginx-proxy-manager", "acme-companion", "haproxy"}
)
_EXTENSIONS = {"postgis": "postgis", "pgvector": "vector", "timescale": "timescaledb"}
_LANGUAGES = {
    "node": "node", "python": "python", "golang": "go", "ruby": "ruby", "php": "php", "bun": "bun",
    "rust": "rust", "elixir": "elixir", "openjdk": "java", "eclipse-temurin": "java",
    "deno": "deno",
}  # fmt: skip
_DISTROLESS = re.compile(r"gcr\.io/distroless/(nodejs|python|java)(\d*)")


@dataclass(frozen=True, slots=True)
class Image:
    """A reference taken apart; ``tag`` is "" when it names none."""

    text: str
    repository: str
    name: str
    tag: str
    digest: str = ""


def parsed(reference: str) -> Image:
    """Return the parts of an image reference."""
    plain, _, digest = reference.strip().partition("@")
    head, colon, tag = plain.rpartition(":")
    if not colon or "/" in tag:
        head, tag = plain, ""
    return Image(reference, head, image_name(reference), tag, digest)


def store(reference: str) -> tuple[Kind, str] | None:
    """Return kind and engine of the datastore that an image runs; None when it runs none."""
    image = parsed(reference)
    found = _KINDS.get(image.name)
    if image.name in _MAIL:
        return "mail", image.name
    if found is None and re.search(r"supabase/postgres|timescale|pgvector|postgis", image.text):
        return "postgres", "postgres"
    return found


def is_dev_tool(reference: str) -> bool:
    """Tell whether an image is a developer's tool and no part of the product."""
    return parsed(reference).name in DEV_TOOLS


def is_proxy(reference: str) -> bool:
    """Tell whether an image is a router in front of the stack, the platform's own in production."""
    return parsed(reference).name in PROXIES


def tag_version(reference: str, src: Src) -> Val[Version]:
    """Return the version that a datastore image's tag states.

    Tags of postgis, pgvector and timescale carry the server's major: `16-3.4`, `0.7.4-pg16`.
    """
    image = parsed(reference)
    found = version(image.tag or "latest")
    inside = re.search(r"pg-?(\d+)", image.tag)
    if inside:
        found = Version(image.tag, (int(inside[1][:9]),))
    floating = not image.tag or not found.parts
    text = image.tag or "no tag"
    stated = Version(text, () if floating else found.parts, floating=floating)
    return Val(stated, src, "declared")


def extensions(reference: str) -> frozenset[str]:
    """Return the PostgreSQL extensions that an image is made for."""
    return frozenset(name for part, name in _EXTENSIONS.items() if part in reference.casefold())


def language(reference: str, src: Src) -> tuple[str, Val[Version]] | None:
    """Return the language that a base image brings, with its version; None for none."""
    image = parsed(reference)
    distroless = _DISTROLESS.search(reference)
    if distroless:
        name = {"nodejs": "node"}.get(distroless[1], distroless[1])
        return name, Val(version(distroless[2] or "latest"), src)
    if image.name in {"uv", "playwright"}:
        return _tagged(image, src)
    name = _LANGUAGES.get(image.name, "")
    if not name or image.repository.count("/") > 2:  # noqa: PLR2004 - a registry, a folder, a name
        return None
    stated = version(image.tag or "latest")
    return name, Val(Version(image.tag or "latest", stated.parts, floating=not stated.parts), src)


def _tagged(image: Image, src: Src) -> tuple[str, Val[Version]] | None:
    found = re.search(r"python(\d+(?:\.\d+)*)", image.tag)
    return ("python", Val(version(found[1]), src)) if found else None
