"""What a command does: install, build, migrate, serve."""

from __future__ import annotations

import re
from collections.abc import Sequence

from invoke_stack.parity.parts import Tag

# The first that matches decides; matched against the words joined by single spaces.
_TAGS: tuple[tuple[Tag, tuple[str, ...]], ...] = (
    (
        "migrate",
        (
            r"prisma\S* (?:.* )?(?:migrate (?:deploy|dev|reset|resolve)|db push)\b",
            r"drizzle-kit\S* (?:.* )?(?:migrate|push)\b",
            r"knex\S* (?:.* )?migrate:(?:latest|up)|sequelize\S* (?:.* )?db:migrate",
            r"typeorm\S* (?:.* )?(?:migration:run|schema:sync)|mikro-orm\S* migration:up",
            r"alembic (?:.* )?upgrade|manage\.py (?:.* )?migrate\b|flask db upgrade",
            r"(?:rails|rake)\S* (?:.* )?db:(?:migrate|prepare|schema:load|setup)",
            r"flyway (?:.* )?migrate|liquibase (?:.* )?update|\bgoose (?:.* )?up\b",
            r"dbmate (?:.* )?(?:up|migrate)|diesel (?:.* )?migration run|ecto\.migrate",
            r"atlas (?:.* )?migrate apply|node-pg-migrate (?:.* )?up|artisan migrate",
        ),
    ),
    ("seed", (r"prisma\S* db seed|db:seed|loaddata|(?:^|[ /:_-])seed(?:[ .:_-]|$)",)),
    ("generate", (r"prisma\S* (?:.* )?generate|\bcodegen\b|graphql-codegen|openapi-generator",)),
    (
        "install",
        (
            r"^(?:npm|pnpm|bun) (?:.* )?(?:ci|i|install|add|clean-install)(?: |$)",
            r"^yarn(?: install| add| --frozen\S*| --immutable|$)",
            r"^(?:pip3?|poetry|pdm|bundle|composer) (?:.* )?install",
            r"uv (?:sync|pip install)|python\S* -m pip install",
            r"^(?:apk add|apt-get|apt|dnf|yum|corepack|go mod|cargo fetch|mix deps)\b",
        ),
    ),
    ("worker", (r"\bcelery\b|\bsidekiq\b|\brq worker\b|\bdramatiq\b|\barq\b|\bhuey\b|qcluster",)),
    (
        "build",
        (
            r"\b(?:next|vite|nest|nuxt|nuxi|astro|remix|react-router|gatsby|ng|vue-cli-service"
            r"|react-scripts|turbo|nx|webpack|tsup|unbuild|esbuild|rollup|parcel) "
            r"(?:.* )?(?:build|run-many|bundle)\b",
            r"^(?:tsc|webpack|esbuild|rollup|tsup|babel)\b",
            r"^(?:go|cargo|mix|docker|docker-compose) (?:.* )?(?:build|compile)|collectstatic",
            r"assets:precompile|^make(?: build)?$",
        ),
    ),
    (
        "migrate",
        (
            r"(?:^|[ /:._-])(?:db|database)?[:_-]?(?:auto|run|apply|do)?[:_-]?migrat\w*"
            r"(?!\S*(?:create|generate|make|new))(?:[ .:_-]|$)",
            r"db[:_-]push",
        ),
    ),
    ("worker", (r"(?:^|[ /:_-])workers?(?:[ .:_/-]|$)",)),
    ("build", (r"^(?:npm|pnpm|yarn|bun) (?:.* )?(?:run )?(?:\S+:)?build\S*",)),
    (
        "serve",
        (
            r"\b(?:next|nuxt|remix-serve|react-router-serve|astro|vite|nest|ng|vue-cli-service"
            r"|react-scripts)\b(?: \S+)* ?(?:start|dev|serve|preview)?",
            r"gunicorn|uvicorn|hypercorn|daphne|waitress|puma|unicorn|rails s",
            r"fastapi (?:run|dev)|flask run|runserver",
            r"^(?:node|nodemon|tsx|ts-node|ts-node-dev|bun|deno|python\S*|ruby|java|php|nginx"
            r"|caddy|httpd|serve|http-server|pm2\S*|forever|dotnet|streamlit)(?: |$)",
            r"^(?:npm|pnpm|yarn|bun) (?:.* )?(?:run )?(?:start|dev|serve|prod)\S*",
        ),
    ),
)
_WRAPPERS = (
    ("npx", 1), ("bunx", 1), ("pnpx", 1), ("pnpm exec", 2), ("pnpm dlx", 2), ("yarn dlx", 2),
    ("npm exec", 2), ("yarn exec", 2), ("bun x", 2), ("uv run", 2), ("poetry run", 2),
    ("pipenv run", 2), ("pdm run", 2), ("bundle exec", 2), ("dotenv", 1), ("dotenvx run", 2),
    ("doppler run", 2), ("infisical run", 2), ("wait-for-it", 1), ("dockerize", 1),
    ("newrelic-admin run-program", 2),
    ("ddtrace-run", 1), ("opentelemetry-instrument", 1),
)  # fmt: skip
_VALUED = frozenset({"-e", "-f", "-p", "--package", "--env-file", "-wait", "-timeout"})


def tag(words: Sequence[str]) -> Tag:
    """Return what a command is for, by its words."""
    text = " ".join(words)[:2000]
    for name, patterns in _TAGS:
        if any(re.search(pattern, text) for pattern in patterns):
            return name
    return "serve" if words and re.match(r"\.?/\S+$", words[0]) else "other"


def unwrapped(words: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Return a command without what runs it (`npx`, `dotenv -e f --`), and that."""
    for name, count in _WRAPPERS:
        if " ".join(words[:count]) != name:
            continue
        rest = words[count:]
        while rest and rest[0].startswith("-"):
            if rest[0] == "--":
                rest = rest[1:]
                break
            rest = rest[2:] if rest[0] in _VALUED else rest[1:]
        if rest:
            return rest, name
    return words, ""
