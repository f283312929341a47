"""Rules about the start command."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from invoke_stack.images.checks import starting
from invoke_stack.images.checks.subject import Subject

MakeSubject = Callable[..., Subject]

CLI = {"/app/node_modules/prisma/package.json": "{}"}
SCHEMA = {"/app/prisma/schema.prisma": ""}
MIGRATIONS = {"/app/prisma/migrations/": "", "/app/prisma/migrations/1/migration.sql": ""}
WHOLE = {**CLI, **SCHEMA, **MIGRATIONS}
SHELL = ["sh", "-c", "npx prisma migrate deploy && node server.js"]
ENGINE = "/app/node_modules/.prisma/client/libquery_engine-linux-musl-openssl-3.0.x.so.node"


def said(subject: Subject) -> list[str]:
    return [each.message for each in starting.check(subject)]


@pytest.mark.parametrize(
    ("files", "lacks"),
    [
        (WHOLE, ""),
        ({**SCHEMA, **MIGRATIONS}, "Prisma's CLI"),
        ({**CLI, **MIGRATIONS}, "its schema"),
        ({**CLI, **SCHEMA}, "its migrations"),
        ({}, "Prisma's CLI, its schema, its migrations"),
        ({**CLI, "/app/prisma.config.ts": ""}, ""),
        ({**SCHEMA, **MIGRATIONS, "/node_modules/.bin/prisma": ""}, ""),
        ({**SCHEMA, **MIGRATIONS, "/usr/local/bin/prisma": ""}, ""),
    ],
)
def test_what_migrate_deploy_needs(
    make_subject: MakeSubject, files: Mapping[str, str], lacks: str
) -> None:
    found = said(make_subject(files, config={"Cmd": SHELL}))

    assert found == (
        [f"it starts with `prisma migrate deploy`, and the image lacks {lacks}"] if lacks else []
    )


@pytest.mark.parametrize(
    ("config", "files", "scripts"),
    [
        ({"Cmd": ["npm", "run", "start"]}, {"/usr/bin/npm": ""}, ()),
        ({"Cmd": ["npm", "start"]}, {"/usr/bin/npm": ""}, ()),
        ({"Cmd": ["node", "node_modules/prisma/build/index.js", "migrate", "deploy"]}, {}, ()),
        (
            {"Entrypoint": ["./entry.sh"], "Cmd": ["node", "x"]},
            {"/app/entry.sh": '#!/bin/sh\nprisma migrate deploy\nexec "$@"\n'},
            ("/app/entry.sh",),
        ),
        (
            {"Entrypoint": ["entry"], "Cmd": ["node", "x"]},
            {"/usr/local/bin/entry": "npx prisma migrate deploy\n"},
            ("/usr/local/bin/entry",),
        ),
    ],
)
def test_migrations_are_seen_through_scripts(
    make_subject: MakeSubject, config: Any, files: dict[str, str], scripts: tuple[str, ...]
) -> None:
    package = {"scripts": {"start": "prisma migrate deploy && node server.js"}}
    files = {**files, "/app/package.json": json.dumps(package)}

    (message,) = said(make_subject(files, config=config, scripts=scripts))

    assert "prisma migrate deploy" in message


def test_the_stacks_command_counts(make_subject: MakeSubject) -> None:
    assert said(make_subject(service={"command": ["gone", "x"]})) == [
        "its start command calls gone, which the image does not have"
    ]
    assert said(make_subject(config={"Cmd": ["gone"]}, service={"command": ["node", "x"]})) == []


def test_prismas_engine_needs_libssl(make_subject: MakeSubject) -> None:
    (finding,) = starting.check(make_subject({ENGINE: "", "/sbin/apk": ""}))

    assert finding.rule == "IMG107"
    assert "apk add --no-cache openssl" in finding.fix
    assert [str(each) for each in finding.where] == ["Dockerfile:8", ENGINE]
    assert said(make_subject({ENGINE: "", "/usr/lib/libssl.so.3": ""})) == []
    assert said(make_subject({ENGINE: ""}, {ENGINE: None})) == []


def test_prismas_engines_of_javascript_need_nothing(make_subject: MakeSubject) -> None:
    files = {"/app/node_modules/.prisma/client/query_engine-abc.wasm": "", "/a/query_engine.js": ""}

    assert said(make_subject(files)) == []
