"""The line that a finding gives is written where it says: afterwards the finding is gone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date

import pytest
import yaml

from invoke_stack.findings.model import Finding
from invoke_stack.parity.check import Request, check
from invoke_stack.project import Project

Lay = Callable[[Mapping[str, str]], Project]
Pair = Callable[[str], dict[str, str]]
MIGRATE = "npx sequelize-cli db:migrate"
JOB = f"""  migrate:
    build: .
    command: {MIGRATE}
"""


def found(project: Project, rule: str) -> list[Finding]:
    report = check(project, Request(select=(rule,), today=date(2026, 11, 21)))
    return [each for each in report.findings if each.rule == rule]


@pytest.mark.parametrize(
    ("name", "file", "old", "new"),
    [
        ("next", "compose.yaml", "3000/api/health", "3000/health"),
        ("overrides", "docker/docker-compose.yml", "4000/healthz", "4000/health"),
        ("profiles", "compose.yaml", "8000/health", "8000/ping"),
        ("monorepo", "render.yaml", "healthCheckPath: /api/health", "healthCheckPath: /up"),
        ("twoweb", "compose.yaml", "5000/health", "5000/status"),
        ("worker", "render.yaml", "healthCheckPath: /up", "healthCheckPath: /alive"),
    ],
)
def test_the_line_of_a_health_check_can_be_pasted_over_the_old_one(
    lay: Lay, pair: Pair, name: str, file: str, old: str, new: str
) -> None:
    files = pair(name)
    files[file] = files[file].replace(old, new)
    finding = found(lay(files), "PAR401")[0]

    place = next(each for each in finding.where if each.side == "local")
    lines = files[place.file].splitlines()
    at = next(
        number
        for number in range(place.line - 1, len(lines))
        if len(finding.fix) - 12 < len(lines[number].strip()) < len(finding.fix) + 12
        and lines[number].strip()[:8] == finding.fix[:8]
    )
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    lines[at] = f"{indent}{finding.fix}"
    files[place.file] = "\n".join(lines) + "\n"

    assert found(lay(files), "PAR401") == []


@pytest.mark.parametrize(
    "test",
    [
        'test: ["CMD", "curl", "-f", "http://localhost:3000/"]',
        'test: ["CMD", "curl", "--token=abcdefghij0123456789", "http://localhost:3000/ready"]',
    ],
)
def test_what_cannot_be_written_as_a_line_is_said_in_words(lay: Lay, pair: Pair, test: str) -> None:
    files = pair("vps")
    old = 'test: ["CMD", "wget", "-qO-", "http://127.0.0.1:3000/ready"]'
    assert old in files["compose.yaml"]
    changed = test.replace("/ready", "/live")
    files["compose.yaml"] = files["compose.yaml"].replace(old, changed)

    fix = found(lay(files), "PAR401")[0].fix

    asked = "/live" if "live" in changed else "/"
    assert fix == f"let the probe ask /ready instead of {asked}"


@pytest.mark.parametrize(
    ("name", "file", "service"),
    [("next", "compose.yaml", "web"), ("worker", "docker-compose.yml", "web")],
)
def test_a_health_check_can_be_pasted_where_there_is_none(
    lay: Lay, pair: Pair, name: str, file: str, service: str
) -> None:
    files = pair(name)
    document = yaml.safe_load(files[file])
    del document["services"][service]["healthcheck"]
    files[file] = yaml.safe_dump(document)
    finding = found(lay(files), "PAR402")[0]

    pasted = yaml.safe_load(finding.fix)
    assert pasted["healthcheck"]["test"][0] == "CMD"
    assert "<port>" not in finding.fix
    document["services"][service] |= pasted
    files[file] = yaml.safe_dump(document)
    assert found(lay(files), "PAR402") == []


def without_job(text: str) -> str:
    document = yaml.safe_load(text)
    del document["services"]["migrate"], document["services"]["app"]["depends_on"]
    return yaml.safe_dump(document)


@pytest.mark.parametrize("side", ["docker-compose.prod.yml", "compose.yaml"])
@pytest.mark.parametrize(
    ("start", "text"),
    [
        ('["node", "src/app.js"]', "exec node src/app.js"),
        ('["sh", "-c", "exec node src/app.js"]', "exec node src/app.js"),
        ("PORT=3000 node src/app.js", "PORT=3000 node src/app.js"),
    ],
)
def test_the_command_that_migrates_first_can_be_pasted(
    lay: Lay, pair: Pair, side: str, start: str, text: str
) -> None:
    files = pair("vps")
    files["Dockerfile"] = files["Dockerfile"].replace('["node", "src/app.js"]', start)
    files[side] = without_job(files[side])
    finding = found(lay(files), "PAR602")[0]

    words = json.loads(finding.fix.removeprefix("command: "))
    assert words[:2] == ["sh", "-c"]
    assert words[2] == f"{MIGRATE} && {text}"
    document = yaml.safe_load(files[side])
    document["services"]["app"] |= yaml.safe_load(finding.fix)
    files[side] = yaml.safe_dump(document)
    assert found(lay(files), "PAR602") == []


def test_a_free_plan_starts_with_the_migration(lay: Lay, pair: Pair) -> None:
    files = pair("hostrun")
    line = "    preDeployCommand: npx drizzle-kit migrate\n"
    files["render.yaml"] = files["render.yaml"].replace(line, "").replace("starter", "free")
    finding = found(lay(files), "PAR602")[0]
    assert finding.fix == "startCommand: npx drizzle-kit migrate && exec npm start"

    old = "startCommand: npm start"
    files["render.yaml"] = files["render.yaml"].replace(old, finding.fix)
    assert found(lay(files), "PAR602") == []


@pytest.mark.parametrize(
    "own",
    [
        'entrypoint: ["node"]',
        'command: ["sh", "-c", "node src/app.js --port $$PORT"]',
        "command: sh -c 'npm start'",
    ],
)
def test_a_start_that_cannot_be_written_again_is_left_to_its_owner(
    lay: Lay, pair: Pair, own: str
) -> None:
    files = pair("vps")
    text = without_job(files["compose.yaml"])
    files["compose.yaml"] = text.replace("  app:\n", f"  app:\n    {own}\n")
    assert found(lay(files), "PAR602")[0].fix == f"before what starts the app: {MIGRATE}"
