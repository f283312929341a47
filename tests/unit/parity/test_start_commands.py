from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import pytest

from invoke_stack.parity.check import Request, check
from invoke_stack.project import Project

Lay = Callable[[Mapping[str, str]], Project]
STANDALONE = "module.exports = {\n  output: 'standalone',\n}\n"
FILES = {
    "package.json": '{"name": "shop", "dependencies": {"next": "16.0.0"}}\n',
    "package-lock.json": "{}\n",
    "Dockerfile": "FROM node:22.12-slim\nWORKDIR /app\nCOPY server.js ./\n"
    'USER node\nCMD ["node", "server.js"]\n',
    "server.js": "",
    "compose.yaml": 'services:\n  web:\n    build: .\n    ports: ["3000:3000"]\n',
    "render.yaml": "services:\n  - type: web\n    name: web\n    runtime: node\n"
    "    buildCommand: npm ci && npx next build\n    startCommand: npx next start\n",
}


@pytest.mark.parametrize(
    ("config", "found"),
    [({}, ["web"]), ({"next.config.js": STANDALONE}, [])],
)
def test_the_standalone_build_is_the_same_server_as_next_start(
    lay: Lay, config: dict[str, str], found: list[str]
) -> None:
    project = lay({**FILES, **config})

    report = check(project, Request(select=("PAR601",), today=date(2026, 11, 21)))

    assert [each.subject for each in report.findings if each.rule == "PAR601"] == found
