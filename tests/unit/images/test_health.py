from __future__ import annotations

from collections.abc import Callable

import pytest

from invoke_stack.environment.declared import Declared
from invoke_stack.images import health
from invoke_stack.images.checks import running
from invoke_stack.images.checks.subject import Subject
from invoke_stack.project import Project

MakeProject = Callable[..., Project]
Declare = Callable[..., Declared]
MakeSubject = Callable[..., Subject]

RENDER = """\
services:
  - {type: web, name: shop-web, healthCheckPath: /healthz?full=1}
  - {type: web, name: admin, dockerfilePath: ./Dockerfile, healthCheckPath: /up}
  - {type: worker, name: jobs}
"""
ENVIRONMENTS = """\
projects:
  - name: shop
    environments:
      - name: production
        services:
          - {type: web, name: storefront, healthCheckPath: /ready}
"""
OFF = "services: {web: {build: ., healthcheck: {disable: true}}}\n"
CHECK = (
    'services: {web: {healthcheck: {test: ["CMD", "curl", "-f", "http://localhost:3000/up"]}}}\n'
)
STAGES = """\
FROM node:22 AS dev
HEALTHCHECK CMD wget -qO- http://127.0.0.1:3000/dev/health
FROM node:22
CMD ["node", "server.js"]
"""


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, "/api/health"),
        ({"render.yaml": RENDER}, "/healthz"),
        ({"render.yaml": RENDER.replace("shop-web", "shop")}, "/up"),
        ({"render.yml": ENVIRONMENTS}, "/ready"),
        ({"render.yaml": "services:\n\t- broken"}, "/api/health"),
        ({"render.yaml": "services: [{healthCheckPath: '/a b'}]"}, "/api/health"),
        ({"compose.yaml": CHECK}, "/up"),
        ({"compose.yaml": OFF, "compose.dev.yaml": CHECK}, "/up"),
        ({"compose.yaml": CHECK, "render.yaml": ENVIRONMENTS}, "/ready"),
    ],
)
def test_the_path_is_the_one_that_the_project_asks_elsewhere(
    make_project: MakeProject,
    declare: Declare,
    make_subject: MakeSubject,
    files: dict[str, str],
    expected: str,
) -> None:
    target = make_subject().target

    assert health.path(make_project(files=files), declare({}), target) == expected


def test_two_web_services_that_are_not_this_one_say_nothing(
    make_project: MakeProject, declare: Declare, make_subject: MakeSubject
) -> None:
    text = "services: [{name: a, healthCheckPath: /a}, {name: b, healthCheckPath: /b}]"
    project = make_project(files={"render.yaml": text})

    assert health.path(project, declare({}), make_subject().target) == "/api/health"


def test_another_stage_of_the_dockerfile_tells_it_too(
    make_project: MakeProject, declare: Declare, make_subject: MakeSubject
) -> None:
    target = make_subject(text=STAGES).target

    assert health.path(make_project(), declare({}), target) == "/dev/health"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("curl -f http://localhost:3000/health || exit 1", "/health"),
        ("wget -qO- localhost:3000/ready", "/ready"),
        ("node -e fetch(`http://127.0.0.1:${process.env.PORT}/api/up`)", "/api/up"),
        ("node -e fetch('http://127.0.0.1:'+(process.env.PORT||3000)+'/live')", "/live"),
        ("node -e require('http').get({port: 3000, path: '/ok?x=1'})", "/ok"),
        ("curl http://localhost:3000/", "/"),
        ("curl http://localhost:3000", ""),
        ("test -f '/tmp/ok'", ""),
        ("pg_isready -U app", ""),
    ],
)
def test_the_path_is_found_in_the_command(text: str, expected: str) -> None:
    assert health.asked(text) == expected


def test_a_missing_health_check_is_proposed_with_that_path(make_subject: MakeSubject) -> None:
    subject = make_subject(config={"Healthcheck": None}, path="/ready")

    (finding,) = running.check(subject)

    assert finding.rule == "IMG102"
    assert "process.env.PORT}/ready`)" in finding.fix
    assert "/api/health" not in finding.fix
