from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from invoke_stack.errors import UsageError
from invoke_stack.parity.declaration import Declaration, Options
from invoke_stack.parity.readers.compose import ComposeReader
from invoke_stack.parity.workspace import Workspace
from invoke_stack.project import Project

Read = Callable[..., Declaration]
Lay = Callable[..., Project]
BASE = """\
services:
  web:
    build:
      context: .
      target: runner
    env_file: .env
    environment:
      DATABASE_URL: postgresql://app:${DB_PASSWORD:-hunter2}@db:5432/shop
      API_KEY: ${API_KEY:?}
      PORT: "3000"
    ports:
      - "${WEB_PORT:-3000}:3000"
    depends_on:
      db:
        condition: service_healthy
    healthcheck:
      test: ["CMD", "wget", "-qO-", "http://localhost:3000/api/health"]
    volumes:
      - uploads:/app/uploads
      - ./src:/app/src:ro
  db:
    image: postgres:16-alpine
    environment:
      POSTGRES_DB: shop
  pgadmin:
    image: dpage/pgadmin4
volumes:
  uploads:
"""
PROD = """\
services:
  web:
    environment:
      NODE_ENV: production
    ports:
      - "8080:3000"
"""
DOCKERFILE = """\
FROM node:20-alpine AS build
RUN npm ci
FROM node:20-alpine AS runner
ENV NODE_ENV=production
COPY docker/start.sh ./start.sh
HEALTHCHECK CMD curl -f http://localhost:3000/health
CMD ["./start.sh"]
"""
FILES = {
    "compose.yaml": BASE,
    "compose.prod.yaml": PROD,
    "Dockerfile": DOCKERFILE,
    "docker/start.sh": "#!/bin/sh\nset -e\nnpx prisma migrate deploy\nexec node server.js\n",
    ".env.example": "MAIL_HOST=mail\nDB_PASSWORD=changeme\n",
}


def test_a_fresh_clone_without_env_files_is_read_whole(compose: Read) -> None:
    found = compose(FILES)
    web, db = found.processes["web"], found.datastores["db"]

    assert found.problems == ()
    assert web.env["DATABASE_URL"].value == "postgresql://app:***@db:5432/shop"
    assert (web.env["API_KEY"].value, web.env["API_KEY"].required) == (None, True)
    assert (web.env["MAIL_HOST"].origin, str(web.env["MAIL_HOST"].src)) == (
        "template",
        ".env.example:1",
    )
    assert web.env["NODE_ENV"].origin == "image"
    assert [(each.path, each.template, each.required) for each in web.env_files] == [
        (".env", ".env.example", True)
    ]
    assert db.version.value is not None
    assert (db.kind, db.version.value.major, str(db.version.src)) == (
        "postgres",
        16,
        "compose.yaml:22",
    )
    assert db.referenced == (("web", "DATABASE_URL"),)
    assert found.processes["pgadmin"].dev_tool


def test_every_fact_of_a_service_has_its_line(compose: Read) -> None:
    web = compose(FILES).processes["web"]

    assert web.build is not None
    assert web.build.stage is not None
    assert (web.build.stage.name, str(web.build.target.src)) == ("runner", "compose.yaml:5")
    assert [(each.published, each.target, str(each.src)) for each in web.ports] == [
        (3000, 3000, "compose.yaml:12")
    ]
    assert [(each.service, each.condition, str(each.src)) for each in web.waits] == [
        ("db", "service_healthy", "compose.yaml:14")
    ]
    assert [(each.kind, each.source, each.target, str(each.src)) for each in web.mounts] == [
        ("volume", "uploads", "/app/uploads", "compose.yaml:19"),
        ("bind", "src", "/app/src", "compose.yaml:20"),
    ]
    own, image = web.health
    assert (own.binary, own.path, own.port, str(own.src)) == (
        "wget", "/api/health", 3000, "compose.yaml:17",
    )  # fmt: skip
    assert (image.binary, image.path, image.shadowed) == ("curl", "/health", True)


def test_the_image_s_script_is_followed_to_where_it_lies_in_the_repository(compose: Read) -> None:
    steps = compose(FILES).processes["web"].steps_start

    assert [(each.tag, each.wrapper, str(each.src)) for each in steps] == [
        ("migrate", "npx", "docker/start.sh:3"), ("serve", "", "docker/start.sh:4"),
    ]  # fmt: skip
    assert str(steps[0].via[0]) == "Dockerfile:7"


def test_an_override_is_merged_by_compose_and_each_line_is_that_of_its_file(compose: Read) -> None:
    web = compose(FILES, "compose.yaml", "compose.prod.yaml").processes["web"]

    assert {(each.published, str(each.src)) for each in web.ports} == {
        (3000, "compose.yaml:12"), (8080, "compose.prod.yaml:6"),
    }  # fmt: skip
    assert str(web.env["NODE_ENV"].src) == "compose.prod.yaml:4"


def test_a_developer_s_own_values_do_not_count(compose: Read) -> None:
    plain = compose(FILES)
    mine = compose(
        {**FILES, ".env": "WEB_PORT=4000\nDB_PASSWORD=mine\n"},
        environ={"WEB_PORT": "5000", "COMPOSE_PROFILES": "x", "COMPOSE_FILE": "none.yml"},
    )

    assert [each.published for each in mine.processes["web"].ports] == [3000]
    assert plain.processes["web"].env["DATABASE_URL"].masked == (
        mine.processes["web"].env["DATABASE_URL"].masked
    )


def test_no_secret_leaves_the_reader(compose: Read) -> None:
    assert "hunter2" not in repr(compose(FILES))


def test_without_compose_the_files_are_merged_alike(lay: Lay, compose: Read) -> None:
    names = ("compose.yaml", "compose.prod.yaml")
    found = ComposeReader().read(Workspace(lay(FILES)), names, Options("local"))

    assert (found.problems, found.partial) == ((), False)
    assert found == compose(FILES, *names)


def test_without_compose_what_needs_it_is_said_and_the_first_file_alone_is_read(lay: Lay) -> None:
    files = {**FILES, "compose.prod.yaml": "services: {web: {extends: {service: db}}}\n"}
    found = ComposeReader().read(
        Workspace(lay(files)), ("compose.yaml", "compose.prod.yaml"), Options("local")
    )
    web = found.processes["web"]

    assert found.partial
    assert [each.message for each in found.problems] == [
        "compose.prod.yaml:1: `extends` cannot be read without Docker Compose"
    ]
    assert [each.skipped[:9] for each in found.problems] == ["overrides"]
    assert [(each.published, each.target) for each in web.ports] == [(3000, 3000)]
    assert web.env["API_KEY"].value is None
    assert [(each.kind, each.target) for each in web.mounts] == [
        ("volume", "/app/uploads"), ("bind", "/app/src"),
    ]  # fmt: skip
    assert web.waits[0].condition == "service_healthy"


@pytest.mark.parametrize("programs", [True, False])
def test_the_order_of_keys_changes_nothing(lay: Lay, *, programs: bool) -> None:
    turned = BASE.replace("  pgadmin:\n    image: dpage/pgadmin4\n", "").replace(
        "services:\n", "services:\n  pgadmin:\n    image: dpage/pgadmin4\n"
    )

    def facts(text: str) -> Any:
        project = lay({**FILES, "compose.yaml": text}, programs=programs)
        found = ComposeReader().read(Workspace(project), ("compose.yaml",), Options("local"))
        return {
            name: (each.role, each.dev_tool, len(each.env))
            for name, each in found.processes.items()
        }

    assert facts(BASE) == facts(turned)


def test_extends_and_include_give_lines_of_their_own_files(compose: Read) -> None:
    found = compose(
        {
            "compose.yaml": "include: [infra/db.yaml]\nservices:\n  web:\n"
            "    extends: {file: common.yaml, service: app}\n",
            "common.yaml": "services:\n  app:\n    image: shop:1\n    environment:\n      A: b\n",
            "infra/db.yaml": "services:\n  db:\n    image: postgres:15\n",
        }
    )

    assert str(found.processes["web"].env["A"].src) == "common.yaml:5"
    assert str(found.datastores["db"].version.src) == "infra/db.yaml:3"
    assert found.problems == ()


@pytest.mark.parametrize("other", ["/etc/passwd", "../../outside.yaml", "link.yaml"])
def test_nothing_outside_the_project_is_read(lay: Lay, other: str) -> None:
    project = lay(
        {
            "compose.yaml": "services:\n  a:\n    image: x\n"
            f"    extends: {{file: {other}, service: b}}\n"
        },
        programs=True,
    )
    (project.root / "link.yaml").symlink_to("/etc/hostname")

    found = ComposeReader().read(Workspace(project), ("compose.yaml",), Options("local"))

    assert "which is no file of the project" in found.problems[0].message


def test_services_that_extend_each_other_are_refused(lay: Lay) -> None:
    project = lay({"compose.yaml": "services:\n  a:\n    extends: b\n  b:\n    extends: a\n"})

    with pytest.raises(UsageError) as caught:
        ComposeReader().read(Workspace(project), ("compose.yaml",), Options("local"))

    assert str(caught.value) == "compose.yaml:2: a extends itself"


VPS = """\
services:
  traefik:
    image: traefik:v3
    ports: ["80:80"]
  api:
    build: .
    labels:
      - traefik.http.routers.api.rule=Host(`x.io`)
      - traefik.http.services.api.loadbalancer.server.port=4000
  site:
    image: shop/site:1
    labels:
      caddy: x.io
      caddy.reverse_proxy: "{{upstreams 8080}}"
  migrate:
    build: .
    command: npx prisma migrate deploy
  jobs:
    build: .
    command: node worker.js
    depends_on:
      migrate: {condition: service_completed_successfully}
"""


def test_a_stack_on_a_server_says_its_ports_in_labels(compose: Read) -> None:
    found = compose({"compose.yaml": VPS, "Dockerfile": "FROM node:20\nCMD node server.js\n"})
    processes = found.processes

    assert (processes["api"].role, processes["api"].port.value) == ("web", 4000)
    assert str(processes["api"].port.src) == "compose.yaml:9"
    assert (processes["site"].role, processes["site"].port.value) == ("web", 8080)
    assert processes["traefik"].dev_tool
    assert (processes["migrate"].role, processes["migrate"].job) == ("job", True)
    assert processes["jobs"].role == "worker"


def test_a_database_built_from_a_dockerfile_has_the_version_of_its_from(compose: Read) -> None:
    found = compose(
        {
            "compose.yaml": "services:\n  db:\n    image: latest\n"
            "    build: {context: ., dockerfile: db.Dockerfile}\n",
            "db.Dockerfile": "FROM postgres:15.5\nCOPY init.sql /docker-entrypoint-initdb.d/\n",
        }
    )

    version = found.datastores["db"].version
    assert version.value is not None
    assert (version.value.major, str(version.src)) == (15, "db.Dockerfile:1")


def test_a_dockerfile_that_cannot_be_read_is_a_problem_and_not_the_end(compose: Read) -> None:
    found = compose({"compose.yaml": "services:\n  web:\n    build: .\n", "Dockerfile": "RUN x\n"})

    assert [str(each.src) for each in found.problems] == ["Dockerfile:1"]
    assert found.processes["web"].build is not None
    assert found.processes["web"].build.parsed is None
