"""`parity.*` through the real `inv`, without Docker and without a network."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

if TYPE_CHECKING:
    from conftest import Stage

SCHEMA = Path(__file__).parents[1] / "data" / "sarif-schema-2.1.0.json"
CANARY = "canary-4711-8f3e2d1c0b9a"
RENDER = f"""\
services:
  - type: web
    name: shop
    runtime: docker
    plan: starter
    dockerfilePath: ./Dockerfile
    dockerContext: .
    healthCheckPath: /health
    envVars:
      - key: DATABASE_URL
        fromDatabase: {{name: shop-db, property: connectionString}}
      - key: JWT_SECRET
        value: {CANARY}
databases:
  - name: shop-db
    postgresMajorVersion: "16"
"""
COMPOSE = f"""\
services:
  db:
    image: postgres:15-alpine
    environment: {{POSTGRES_PASSWORD: {CANARY}}}
  shop:
    build: .
    ports: ["3000:3000"]
    environment:
      DATABASE_URL: postgresql://postgres:{CANARY}@db:5432/postgres
      JWT_SECRET: {CANARY}
    healthcheck:
      test: ["CMD", "wget", "-qO-", "http://127.0.0.1:3000/health"]
"""
DOCKERFILE = """\
FROM node:22-alpine
WORKDIR /app
COPY server.js ./
USER node
EXPOSE 3000
CMD ["node", "server.js"]
"""


@pytest.fixture
def shop(stage: Stage) -> Stage:
    """A project whose production and laptop run other majors of PostgreSQL."""
    files = {"render.yaml": RENDER, "compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE}
    for name, text in {**files, "server.js": ""}.items():
        stage.write(name, text)
    return stage


def found(stage: Stage, *words: str) -> dict[str, Any]:
    ran = stage.inv("parity.check", "--json", *words)
    assert ran.code in {0, 3}, ran.err
    return ran.document()


def rules(document: dict[str, Any]) -> set[str]:
    return {each["rule"] for each in document["findings"]}


def test_a_difference_is_told_with_both_places_and_the_line_and_ends_with_three(
    shop: Stage,
) -> None:
    ran = shop.inv("parity.check")

    assert ran.code == 3, ran.err
    assert "postgres major differs: production 16, local 15" in ran.out
    assert "render.yaml:16" in ran.out
    assert "compose.yaml:3" in ran.out
    assert "image: postgres:16-alpine" in ran.out


def test_it_says_when_the_local_side_runs_embedded(shop: Stage) -> None:
    plain, embedded = (
        shop.inv("parity.check", INVSTACK_ENGINE=each) for each in ("docker", "embedded")
    )

    assert plain.err == ""
    assert embedded.err.startswith("the local stack runs embedded: ")
    assert (embedded.code, embedded.out) == (plain.code, plain.out)


def test_json_has_the_agreed_shape(shop: Stage) -> None:
    document = found(shop)

    assert {"schema", "findings", "passes", "unknowns", "suppressed"} <= set(document)
    (major,) = [each for each in document["findings"] if each["rule"] == "PAR201"]
    assert major["severity"] == "error"
    assert major["confidence"] == "high"
    assert {each["side"] for each in major["where"]} == {"production", "local"}


@pytest.mark.parametrize("format", ["text", "json", "sarif", "github", "markdown"])
def test_no_format_shows_a_secret(shop: Stage, format: str) -> None:  # noqa: A002 - the flag
    ran = shop.inv("parity.check", "--format", format, "--passes")
    shown = shop.inv("parity.show")

    assert ran.code == 3, ran.err
    assert "PAR307" in ran.out
    assert CANARY not in ran.out + ran.err + shown.out + shown.err


def test_sarif_is_valid_and_carries_both_places(shop: Stage) -> None:
    ran = shop.inv("parity.check", "--format", "sarif")

    document = json.loads(ran.out)
    jsonschema.validate(document, json.loads(SCHEMA.read_text("utf-8")))
    (run,) = document["runs"]
    (major,) = [each for each in run["results"] if each["ruleId"] == "PAR201"]
    files = [
        each["physicalLocation"]["artifactLocation"]["uri"]
        for each in (*major["locations"], *major["relatedLocations"])
    ]
    assert files == ["render.yaml", "compose.yaml"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--select", "PAR201"), 3),
        (("--select", "PAR401"), 0),
        (("--ignore", "PAR"), 0),
        (("--select", "PAR2", "--ignore", "PAR201"), 0),
        (("--fail-on", "info"), 3),
        (("--select", "PAR9X"), 2),
        (("--fail-on", "never"), 2),
        (("--format", "xml"), 2),
    ],
)
def test_the_exit_code_follows_what_was_asked(
    shop: Stage, words: tuple[str, ...], code: int
) -> None:
    assert shop.inv("parity.check", *words).code == code


def test_the_developers_env_and_folder_do_not_change_the_verdict(shop: Stage) -> None:
    before = shop.inv("parity.check", "--json").out
    shop.write(".env", "POSTGRES_VERSION=12\nJWT_SECRET=other\n")
    shop.write("sub/x.txt", "")
    shop.environ["JWT_SECRET"] = "from-the-shell"
    shop.environ["COMPOSE_FILE"] = "other.yaml"

    assert shop.inv("parity.check", "--json").out == before


def test_accepting_writes_the_comment_and_nothing_else(shop: Stage) -> None:
    before = (shop.root / "compose.yaml").read_text()

    dry = shop.inv("--dry", "parity.accept", "-r", "PAR201", "--reason", "moving soon")
    assert "parity: ignore[PAR201] -- moving soon" in dry.out
    assert (shop.root / "compose.yaml").read_text() == before
    ran = shop.inv("parity.accept", "-r", "PAR201", "--reason", "moving soon")

    assert ran.code == 0, ran.err
    after = (shop.root / "compose.yaml").read_text().splitlines()
    assert after[2] == "    # parity: ignore[PAR201] -- moving soon"
    assert [line for line in after if "ignore[" not in line] == before.splitlines()
    document = found(shop)
    assert "PAR201" not in rules(document)
    assert [each["reason"] for each in document["suppressed"]] == ["moving soon"]


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("-r", "PAR201"),
        ("-r", "PAR201", "--reason", "soon", "--until", "someday"),
        ("-r", "PAR999", "--reason", "soon"),
        ("-r", "PAR201", "--match", "mysql", "--reason", "soon"),
        ("-r", "PAR201", "--baseline", "b.json"),
    ],
)
def test_an_acceptance_that_says_too_little_is_refused(shop: Stage, words: tuple[str, ...]) -> None:
    before = (shop.root / "compose.yaml").read_text()
    assert shop.inv("parity.accept", *words).code == 2
    assert (shop.root / "compose.yaml").read_text() == before


def test_an_unknown_rule_is_named_by_the_flag_that_gave_it(shop: Stage) -> None:
    ran = shop.inv("parity.accept", "-r", "PAR999", "--reason", "soon")

    assert ran.code == 2
    assert ran.err.startswith("error: --rule: no such rule: PAR999\n")


def test_a_baseline_makes_an_old_project_green_until_something_new_comes(shop: Stage) -> None:
    assert shop.inv("parity.accept", "--baseline", "parity.json").code == 0
    assert shop.inv("parity.check", "--baseline", "parity.json", "--fail-on", "info").code == 0

    shop.write("compose.yaml", COMPOSE.replace("/health", "/healthy"))

    ran = shop.inv("parity.check", "--baseline", "parity.json", "--json")
    assert ran.code == 3
    assert rules(ran.document()) == {"PAR401"}


def test_show_gives_the_facts(shop: Stage) -> None:
    document = shop.inv("parity.show", "--json").document()

    assert document["production"]["processes"]["shop"]["role"] == "web"
    assert document["pairing"]["datastores"][0]["local"] == "db"
    assert json.loads(shop.inv("parity.show").out)["production"] == document["production"]


def test_explain_and_rules_know_every_rule(shop: Stage) -> None:
    listed = shop.inv("parity.rules", "--json").document()["rules"]

    assert {"PAR001", "PAR201", "PAR903"} <= {each["rule"] for each in listed}
    page = shop.inv("parity.explain", "-r", "par201")
    assert page.code == 0
    assert "## Bad" in page.out
    assert "\n\nerror, certain\naccept it: # parity: ignore[PAR201]" in page.out
    assert "PAR201" in shop.inv("parity.explain", "-r", "PAR2O1").err
    assert shop.inv("parity.explain").code == 2


def test_a_rule_of_the_projects_own_runs(shop: Stage) -> None:
    shop.write(
        "tasks.py",
        "from invoke_stack import namespace\n"
        "from invoke_stack.parity.rule import Found, places, rule\n\n\n"
        '@rule("ACME001", "no owner", "error", "high")\n'
        "def owned(facts):\n"
        "    for each in facts.production.processes.values():\n"
        '        yield Found(each.name, "has no owner", places([each.src]), "- key: OWNER")\n\n\n'
        'ns = namespace({"parity": {"rules": [owned]}})\n',
    )

    ran = shop.inv("parity.check", "--select", "ACME")

    assert ran.code == 3, ran.err
    assert "ACME001  shop  has no owner" in ran.out


FLY = """\
app = "shop"

[http_service]
internal_port = 3000

[[http_service.checks]]
path = "/up"
"""


def test_the_rule_and_the_reader_of_the_docs_work_as_they_stand(shop: Stage) -> None:
    page = (Path(__file__).parents[2] / "docs" / "parity.md").read_text("utf-8")
    own_rule, own_reader = re.findall(r"```python\n(.*?)```", page, re.DOTALL)

    shop.write("tasks.py", own_rule)
    assert "ACME001  shop  has no owner" in shop.inv("parity.check", "--select", "ACME").out

    shop.write("tasks.py", own_reader)
    shop.write("fly.toml", FLY)
    ran = shop.inv("parity.check", "--select", "PAR401")
    assert ran.code == 3, ran.err
    assert "health path differs: production /up, local /health" in ran.out
    assert "fly.toml:1" in ran.out


def test_without_a_production_file_it_says_what_to_write(shop: Stage) -> None:
    (shop.root / "render.yaml").unlink()

    ran = shop.inv("parity.check")

    assert ran.code == 2
    assert "hint:" in ran.err
