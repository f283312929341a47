from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from invoke_stack.errors import UsageError
from invoke_stack.parity.declaration import Declaration
from invoke_stack.parity.readers.render import defaults

Read = Callable[..., Declaration]
DOCKER = """\
services:
  - type: web
    name: shop-web
    runtime: docker
    plan: starter
    dockerfilePath: ./docker/web.Dockerfile
    dockerContext: .
    healthCheckPath: /api/health/?full=1
    disk: {name: data, mountPath: /data, sizeGB: 1}
    envVars:
      - key: NODE_ENV
        value: production
      - key: SESSION_SECRET
        generateValue: true
      - key: STRIPE_KEY
        sync: false
      - key: DATABASE_URL
        fromDatabase:
          name: shop-db
          property: connectionString
      - key: SITE_URL
        fromService:
          type: web
          name: shop-web
          property: host
      - fromGroup: shared
databases:
  - name: shop-db
    postgresMajorVersion: "16"
envVarGroups:
  - name: shared
    envVars:
      - key: LOG_LEVEL
        value: info
      - key: NODE_ENV
        value: staging
"""
DOCKERFILE = 'FROM node:20-alpine\nENV PORT=3000\nEXPOSE 3000\nCMD ["node", "server.js"]\n'


def service(*lines: str) -> str:
    body = "".join(f"    {line}\n" for line in lines)
    return f"services:\n  - type: web\n    name: web\n{body}"


def test_a_docker_service_with_everything(render: Read) -> None:
    found = render(DOCKER, {"docker/web.Dockerfile": DOCKERFILE})
    web = found.processes["shop-web"]

    assert (web.role, web.runtime.value, str(web.runtime.src)) == ("web", "docker", "render.yaml:4")
    assert web.build is not None
    assert web.build.dockerfile.value == "docker/web.Dockerfile"
    assert web.build.stage is not None
    assert [(each.path, str(each.src)) for each in web.health] == [("/api/health", "render.yaml:8")]
    assert [(each.source, each.target) for each in web.mounts] == [("data", "/data")]
    assert web.lang["node"].value is not None
    assert web.lang["node"].value.major == 20
    assert [step.words for step in web.steps_start] == [("node", "server.js")]
    assert (web.port.value, web.port.certainty) == (10000, "default")


def test_variables_say_where_their_value_comes_from(render: Read) -> None:
    env = render(DOCKER, {"docker/web.Dockerfile": DOCKERFILE}).processes["shop-web"].env

    assert (env["NODE_ENV"].value, str(env["NODE_ENV"].src)) == ("production", "render.yaml:12")
    assert env["SESSION_SECRET"].origin == "generated"
    assert env["STRIPE_KEY"].origin == "secret_prompt"
    assert env["DATABASE_URL"].ref is not None
    assert (env["DATABASE_URL"].ref.name, env["DATABASE_URL"].shape) == ("shop-db", "url")
    assert (env["SITE_URL"].shape, str(env["SITE_URL"].src)) == ("host", "render.yaml:25")
    assert (env["LOG_LEVEL"].value, env["LOG_LEVEL"].group) == ("info", "shared")
    assert env["PORT"].value == "10000"
    assert env["RENDER_EXTERNAL_URL"].origin == "platform"


def test_a_database_and_who_refers_to_it(render: Read) -> None:
    store = render(DOCKER).datastores["shop-db"]

    assert store.version.value is not None
    assert (store.kind, store.version.value.major, str(store.version.src)) == (
        "postgres",
        16,
        "render.yaml:29",
    )
    assert store.referenced == (("shop-web", "DATABASE_URL"),)


def test_a_major_that_nobody_pins_is_unknown_and_points_to_its_line(render: Read) -> None:
    store = render("databases:\n  - name: db\n").datastores["db"]

    assert (store.version.certainty, str(store.version.src)) == ("unknown", "render.yaml:2")


def test_a_key_value_store_has_the_platforms_defaults(render: Read) -> None:
    text = "services:\n  - {type: keyvalue, name: cache, ipAllowList: []}\n"

    store = render(text).datastores["cache"]

    assert (store.kind, store.engine, store.policy.value) == ("keyvalue", "valkey", "allkeys-lru")
    assert store.version.certainty == store.policy.certainty == "default"


def test_a_private_service_that_runs_a_database_is_a_datastore(render: Read) -> None:
    text = (
        "services:\n  - {type: pserv, name: ch, runtime: docker, dockerfilePath: ./ch/Dockerfile}\n"
    )

    found = render(text, {"ch/Dockerfile": "FROM clickhouse/clickhouse-server:24.12-alpine\n"})

    store = found.datastores["ch"]
    assert not found.processes
    assert (store.kind, str(store.version.src)) == ("clickhouse", "ch/Dockerfile:1")


def test_native_commands_are_followed_into_package_scripts(render: Read) -> None:
    package = '{\n  "scripts": {\n    "start": "prisma migrate deploy && node a.js"\n  }\n}'
    text = service(
        "runtime: node", "buildCommand: npm ci && npm run build", "startCommand: npm start"
    )

    web = render(text, {"package.json": package}).processes["web"]

    assert [(step.tag, str(step.src)) for step in web.steps_start] == [
        ("migrate", "package.json:3"),
        ("serve", "package.json:3"),
    ]
    assert [step.tag for step in web.steps_build] == ["install", "build"]
    assert str(web.steps_start[0].via[0]) == "render.yaml:6"


@pytest.mark.parametrize(
    ("files", "lines", "major", "place"),
    [
        ({".nvmrc": "22\n"}, ["- {key: NODE_VERSION, value: 20.1.0}"], 20, "render.yaml:6"),
        ({".nvmrc": "v22.1\n", "package.json": '{"engines": {"node": "18"}}'}, [], 22, ".nvmrc:1"),
        ({"package.json": '{"engines":\n {"node": ">=18 <23"}}'}, [], 22, "package.json:2"),
        ({}, [], 24, "render.yaml:4"),
    ],
)
def test_what_decides_the_version_of_node(
    render: Read, files: Mapping[str, str], lines: list[str], major: int, place: str
) -> None:
    found = render(service("runtime: node", *(["envVars:", *lines] if lines else [])), files)

    stated = found.processes["web"].lang["node"]
    assert stated.value is not None
    assert (stated.value.major, str(stated.src)) == (major, place)


def test_a_path_may_start_from_root_dir(render: Read) -> None:
    text = service("runtime: docker", "rootDir: apps/api", "dockerfilePath: ./Dockerfile")

    build = render(text, {"apps/api/Dockerfile": DOCKERFILE}).processes["web"].build

    assert build is not None
    assert (build.dockerfile.value, build.context.value) == ("apps/api/Dockerfile", "apps/api")


def test_an_own_port_is_where_it_listens(render: Read) -> None:
    web = render(service("runtime: node", "envVars:", '- {key: PORT, value: "3000"}')).processes[
        "web"
    ]

    assert (web.port.value, web.port.certainty) == (3000, "declared")


PROJECTS = """\
projects:
  - name: shop
    environments:
      - name: staging
        services: [{type: web, name: a, runtime: node}]
      - name: production
        services: [{type: web, name: b, runtime: node}]
"""


def test_of_several_environments_production_is_read_unless_another_is_named(render: Read) -> None:
    assert list(render(PROJECTS).processes) == ["b"]
    assert list(render(PROJECTS, environment="staging").processes) == ["a"]
    with pytest.raises(UsageError) as caught:
        render(PROJECTS, environment="qa")
    assert caught.value.hint == "environments here: staging, production"


@pytest.mark.parametrize(
    ("text", "kind", "subject", "fix"),
    [
        (
            service("runtime: node", "healthCheckpath: /x"),
            "unknown",
            "healthCheckpath",
            "did you mean healthCheckPath?",
        ),
        (service("env: docker"), "deprecated", "env", "runtime: docker"),
        (
            service("runtime: docker", "autoDeploy: false"),
            "deprecated",
            "autoDeploy",
            "autoDeployTrigger: off",
        ),
        (
            service("runtime: docker", "startCommand: x"),
            "effect",
            "startCommand",
            "remove the line",
        ),
        (
            service("runtime: node", "dockerfilePath: x"),
            "effect",
            "dockerfilePath",
            "remove the line",
        ),
        (
            service("runtime: node", "plan: free", "preDeployCommand: x"),
            "effect",
            "preDeployCommand",
            "plan: starter",
        ),
        (service("runtime: php"), "unknown", "runtime", ""),
        ("services:\n  - {type: keyvalue, name: a}\n", "missing", "ipAllowList", "ipAllowList: []"),
        (
            'databases:\n  - {name: a, version: "15"}\n',
            "unknown",
            "version",
            'postgresMajorVersion: "15"',
        ),
        (
            service(
                "runtime: node",
                "envVars:",
                "- key: A",
                "  fromDatabase: {name: dp, property: host}",
            )
            + "databases:\n  - name: db\n",
            "dangling",
            "dp",
            "did you mean db?",
        ),
        (
            service(
                "runtime: node",
                "envVars:",
                "- key: A",
                "  fromService: {type: web, name: web, envVarKey: AB}",
                "- {key: ABC, value: 1}",
            ),
            "dangling",
            "AB",
            "envVarKey: ABC",
        ),
        (service("runtime: node", "envVars:", "- fromGroup: none"), "dangling", "none", ""),
    ],
)
def test_what_render_would_object_to(
    render: Read, text: str, kind: str, subject: str, fix: str
) -> None:
    found = [(each.kind, each.subject, each.fix) for each in render(text).complaints]

    assert [each[:2] for each in found] == [(kind, subject)]
    assert found[0][2].startswith(fix)


def test_a_clean_blueprint_has_no_complaints(render: Read) -> None:
    assert render(DOCKER).complaints == ()


def test_odd_shapes_are_no_crash(render: Read) -> None:
    for text in (
        "",
        "- 1\n",
        "services: 5\ndatabases: {a: b}\n",
        "services:\n - 5\n - {}\n",
        "services:\n - {type: [a], envVars: {a: b}, disk: 3}\n",
    ):
        assert isinstance(render(text), Declaration)


def test_the_platforms_defaults_carry_their_date() -> None:
    assert defaults()["date"] >= "2026-08"
