from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from invoke_stack.doctor import prisma

if TYPE_CHECKING:
    from conftest import Examine

NAME = {"linux": "debian-openssl-3.0.x", "darwin": "darwin-arm64", "win32": "windows.exe"}
HERE = f"schema-engine-{NAME[sys.platform]}"
OTHER = "schema-engine-windows.exe" if sys.platform != "win32" else "schema-engine-darwin"
SCHEMA = 'datasource db {\n  provider = "postgresql"\n}\n'


def test_an_engine_for_this_platform_is_looked_for() -> None:
    assert prisma.engine("prisma", "Prisma 7.1.0", ["index.js", HERE], "").state == "ok"

    other = prisma.engine("prisma", "Prisma 7.1.0", [OTHER], "")
    none = prisma.engine("prisma", "Prisma 7.1.0", ["index.js"], "")

    assert (other.state, none.state) == ("warning", "warning")
    assert other.message.endswith(f"not installed (only {OTHER})")
    assert none.message.endswith("not installed (none)")


def test_an_engine_of_the_users_own_counts(tmp_path: Path) -> None:
    own = tmp_path / "engine"
    own.write_text("")

    assert prisma.engine("prisma", "Prisma 7.1.0", [], str(own)).state == "error"
    own.chmod(0o755)
    assert prisma.engine("prisma", "Prisma 7.1.0", [], str(own)).state == "ok"


def test_a_project_without_prisma_is_told_nothing(examine: Examine) -> None:
    assert not list(prisma.prisma(examine({"package.json": "{}"})))


@pytest.mark.parametrize(
    ("version", "when"),
    [("6.19.3", "while that looks whether"), ("7.10.0", "for as long as that runs")],
)
def test_prisma_is_told_with_what_it_does_to_the_url(
    examine: Examine, version: str, when: str
) -> None:
    files = {
        "package.json": f'{{"devDependencies":{{"prisma":"{version}"}}}}',
        "prisma/schema.prisma": SCHEMA,
        "node_modules/prisma/package.json": f'{{"version":"{version}"}}',
        f"node_modules/@prisma/engines/{HERE}": "",
    }

    first, second = prisma.prisma(examine(files))

    assert (first.state, second.state) == ("ok", "info")
    assert first.message == f"Prisma {version} and its engine are installed"
    assert f"on its own engine's command line, {when}" in second.message


def test_a_prisma_that_nobody_installed_is_unknown(examine: Examine) -> None:
    files = {
        "package.json": '{"devDependencies":{"prisma":"6.19.3"}}',
        "package-lock.json": "{}",
        "prisma/schema.prisma": SCHEMA,
    }

    found, _ = prisma.prisma(examine(files))

    assert (found.state, found.fix) == ("unknown", "npm ci")
    assert "6.19.3 is asked for" in found.message
