"""Rules about what lies in the layers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from invoke_stack.images.checks import inside
from invoke_stack.images.checks.subject import Subject

MakeSubject = Callable[..., Subject]

SECRET = "s3cr3t-Vq8Zt-91"  # made up
LINE = "QUJD" * 16
KEY = "-----BEGIN " + "PRIVATE KEY-----\n" + f"{LINE}\n" * 4


def found(subject: Subject) -> list[str]:
    return [each.rule for each in inside.check(subject)]


@pytest.mark.parametrize(
    ("path", "text", "rules"),
    [
        ("/app/.env", "A=b", ["IMG110"]),
        ("/app/.env.production", "A=b", ["IMG110"]),
        ("/app/.env", f"AUTH={SECRET}", ["IMG110"]),
        ("/app/.env.example", "A=b", []),
        ("/app/.environment", "A=b", []),
        ("/app/node_modules/x/.env", "A=b", []),
        ("/app/.git/HEAD", "ref", ["IMG111"]),
        ("/app/.github/HEAD", "ref", []),
        ("/app/tls.pem", KEY, ["IMG112"]),
        ("/app/node_modules/x/test/tls.pem", KEY, []),
        ("/app/README.md", KEY, []),
        ("/app/config.js", f"x = '{SECRET}'", ["IMG113"]),
        ("/app/node_modules/x/test/a.js", SECRET, ["IMG113"]),
    ],
)
def test_each_file_is_told_once(
    make_subject: MakeSubject, path: str, text: str, rules: list[str]
) -> None:
    assert found(make_subject({path: text}, secrets={"AUTH": SECRET})) == rules


def test_a_repository_is_told_once_with_all_that_is_in_it(make_subject: MakeSubject) -> None:
    layer = {"/app/.git/HEAD": "ref", "/app/.git/config": f"url = https://u:{SECRET}@host"}

    assert found(make_subject(layer, secrets={"AUTH": SECRET})) == ["IMG111"]


def test_what_a_later_layer_deletes_is_found_and_said_so(make_subject: MakeSubject) -> None:
    subject = make_subject({"/app/.npmrc": SECRET}, {"/app/.npmrc": None}, secrets={"T": SECRET})

    (finding,) = inside.check(subject)

    assert "which a later layer deletes" in finding.message
    assert SECRET not in f"{finding}"


def test_the_base_image_is_everyones(make_subject: MakeSubject) -> None:
    subject = make_subject({"/etc/ssl/key.pem": KEY, "/app/.env": "", "/x": SECRET})
    inherited = Subject(
        **{
            **{name: getattr(subject, name) for name in subject.__dataclass_fields__},
            "image": type(subject.image)("web", "t", "i", 1, subject.image.layers, base=2),
        }
    )

    assert found(inherited) == []


@pytest.mark.parametrize(
    ("pair", "secrets", "rules"),
    [
        ("STRIPE_SECRET_KEY=sk_live" + "_abcdef123456", {}, ["IMG115"]),
        ("DATABASE_URL=postgresql://u:longpassword1@db/x", {}, ["IMG115"]),
        (f"PLAIN={SECRET}", {"AUTH": SECRET}, ["IMG115"]),
        ("JWT_SECRET=CHANGE_ME", {}, []),
        ("NODE_ENV=production", {}, []),
        ("JWT_SECRET=", {}, []),
    ],
)
def test_secrets_in_the_environment(
    make_subject: MakeSubject, pair: str, secrets: dict[str, str], rules: list[str]
) -> None:
    subject = make_subject(config={"Env": [pair]}, secrets=secrets)

    assert found(subject) == rules
    assert all(pair.partition("=")[2] not in f"{each}" for each in inside.check(subject))


ARG = """\
FROM node:22 AS builder
ARG DATABASE_URL{default}
RUN npm ci
RUN npm run build
FROM node:22
{last}
COPY --from=builder /app /app
"""


@pytest.mark.parametrize(
    ("text", "args", "severity"),
    [
        (
            ARG.format(default="", last=""),
            {"DATABASE_URL": "postgres://u:Xk29dlw0@db/x"},
            "warning",
        ),
        (
            ARG.format(default="", last="ARG DATABASE_URL"),
            {"DATABASE_URL": "postgres://u:Xk29dlw0@db/x"},
            "error",
        ),
        (ARG.format(default='="postgresql://placeholder:placeholder@x/y"', last=""), {}, ""),
        (ARG.format(default="", last=""), {"DATABASE_URL": ""}, ""),
        (ARG.format(default="", last=""), {}, ""),
        (ARG.format(default="", last=""), {"OTHER_TOKEN": "abcdefgh12345"}, ""),
    ],
)
def test_a_secret_argument_is_worse_in_the_stage_that_is_shipped(
    make_subject: MakeSubject, text: str, args: dict[str, str], severity: str
) -> None:
    subject = make_subject(text=text, service={"build": {"context": ".", "args": args}})

    assert [each.severity for each in inside.check(subject)] == ([severity] if severity else [])


def test_the_lines_that_replace_an_argument_name_the_step_that_builds(
    make_subject: MakeSubject,
) -> None:
    args = {"DATABASE_URL": "postgres://u:Xk29dlw0@db/x"}
    subject = make_subject(
        text=ARG.format(default="", last=""), service={"build": {"context": ".", "args": args}}
    )

    (finding,) = inside.check(subject)

    read = 'export DATABASE_URL="$(cat /run/secrets/DATABASE_URL)"'
    assert finding.fix.splitlines() == [
        "Dockerfile:2: delete ARG DATABASE_URL",
        f"Dockerfile:4: RUN --mount=type=secret,id=DATABASE_URL {read} && npm run build",
        "compose.yaml: services: {web: {build: {secrets: [DATABASE_URL]}}}",
        "compose.yaml: secrets: {DATABASE_URL: {environment: DATABASE_URL}}",
        "compose.yaml: delete DATABASE_URL from build.args of web",
    ]


PLAIN = "FROM node:22\nARG TOKEN\nENV A=1\nRUN {}\nUSER node\n"


@pytest.mark.parametrize(
    ("command", "arguments", "rules"),
    [
        (f"curl -H 'Authorization: {SECRET}' https://x", "", ["IMG113"]),
        (f"{'true && ' * 60}login {SECRET}", "", ["IMG113"]),
        ("login", f"|1 TOKEN={SECRET} ", []),  # the argument's own rule tells of it
        ("login", "", []),
    ],
)
def test_secrets_in_instructions(
    make_subject: MakeSubject, command: str, arguments: str, rules: list[str]
) -> None:
    history = ("", f"RUN /bin/sh -c echo {SECRET}", "ARG TOKEN", "ENV A=1")
    history += (f"RUN {arguments}/bin/sh -c {command} # buildkit", "USER node")
    subject = make_subject(text=PLAIN.format(command), history=history, secrets={"AUTH": SECRET})

    assert found(subject) == rules


@pytest.mark.parametrize(
    ("path", "manager"),
    [
        ("/var/lib/apt/lists/deb_Packages", "apt"),
        ("/var/cache/apk/APKINDEX.tar.gz", "apk"),
        ("/root/.npm/_cacache/content/a", "npm"),
        ("/home/node/.npm/_cacache/content/a", "npm"),
        ("/usr/local/share/.cache/yarn/v6/a", "Yarn"),
        ("/root/.local/share/pnpm/store/v3/a", "pnpm"),
        ("/root/.cache/pip/http/a", "pip"),
    ],
)
def test_caches_are_told_with_their_size(
    make_subject: MakeSubject, path: str, manager: str
) -> None:
    (finding,) = inside.check(make_subject({path: "x" * 200_000}))

    assert finding.message == f"200 kB of {manager}'s cache in a layer"
    assert found(make_subject({path: "x"})) == []


PACKAGE = {"dependencies": {"next": "1"}, "devDependencies": {"eslint": "1", "next": "1"}}
THERE = {
    "/app/package.json": json.dumps(PACKAGE),
    "/app/node_modules/": "",
    "/app/node_modules/next/package.json": "{}",
    "/app/node_modules/eslint/package.json": "{}",
}


def test_development_packages_by_the_lock_file_or_by_name(make_subject: MakeSubject) -> None:
    (guessed,) = inside.check(make_subject(THERE))
    locked: dict[str, Any] = {"packages": {"node_modules/next": {"dev": True}}}
    (sure,) = inside.check(
        make_subject({**THERE, "/app/node_modules/.package-lock.json": json.dumps(locked)})
    )

    assert (guessed.confidence, guessed.message[-6:]) == ("medium", "eslint")
    assert (sure.confidence, sure.message[-4:]) == ("high", "next")
    assert found(make_subject(THERE, production=False)) == []


def test_packages_that_were_only_traced_are_no_installed_ones(make_subject: MakeSubject) -> None:
    layer = {path: text for path, text in THERE.items() if "eslint/" not in path}

    assert found(make_subject({**layer, "/app/node_modules/eslint/lib/a.js": ""})) == []
