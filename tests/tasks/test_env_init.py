"""`env.init`, `env.check` and `env.sync` through the real `inv`."""

from __future__ import annotations

import json
import re
import shutil
import stat
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import FakeEngine, Stage

TEMPLATE = (
    "# @type=port\nWEB_PORT=3000\n# @required @sensitive @generate=hex(32)\nJWT_SECRET=\n"
    "# @required\nPUBLIC_URL=\n"
)
STACK = """\
name: shop
services:
  db:
    image: postgres:16
    environment: {POSTGRES_PASSWORD: "${POSTGRES_PASSWORD:?}"}
    volumes: ["data:/var/lib/postgresql/data"]
volumes: {data: {}}
"""


def secret(stage: Stage, key: str = "JWT_SECRET") -> str:
    found = re.search(rf"^{key}=(.*)$", (stage.root / ".env").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def test_init_makes_the_file_and_shows_no_secret(stage: Stage) -> None:
    stage.write(".env.example", TEMPLATE)

    ran = stage.inv("env.init")

    assert ran.code == 0
    assert ran.out == ".env: created from .env.example, 3 keys; generated: JWT_SECRET\n"
    assert ".env: fill in PUBLIC_URL" in ran.err
    assert len(secret(stage)) == 64
    assert secret(stage) not in ran.out + ran.err
    assert stat.S_IMODE((stage.root / ".env").stat().st_mode) == 0o600


def test_a_second_run_says_that_nothing_is_to_be_done(stage: Stage) -> None:
    stage.write(".env.example", TEMPLATE)
    stage.inv("env.init")
    before = stage.snapshot()

    ran = stage.inv("env.init")

    assert ran.out == ".env: complete, nothing to do\n"
    assert stage.snapshot() == before


def test_a_dry_run_changes_nothing(stage: Stage) -> None:
    stage.write(".env.example", TEMPLATE)
    before = stage.snapshot()

    ran = stage.inv("--dry", "env.init", "--fix")

    assert ran.code == 0
    assert ran.out == (
        ".env: would be created from .env.example, 3 keys; would be generated: JWT_SECRET\n"
    )
    assert ran.err == ".env: fill in PUBLIC_URL\n"
    assert stage.snapshot() == before
    assert not (stage.root / ".invoke-stack").exists()


def test_a_dry_run_says_once_what_it_would_mend(stage: Stage) -> None:
    stage.write(".env.example", TEMPLATE)
    stage.write(".env", "WEB_PORT=3000\nJWT_SECRET=x\nPUBLIC_URL=http://a.test\n")
    stage.write("compose.yaml", "services:\n  web:\n    build: .\n")
    (stage.root / ".env").chmod(0o644)
    before = stage.snapshot()

    ran = stage.inv("--dry", "env.init", "--fix")

    assert (ran.code, ran.out) == (0, ".env: complete, nothing to do\n")
    assert ran.err.splitlines() == [
        ".dockerignore: would add **/.env",
        ".env: would be readable by you alone",
    ]
    assert stage.snapshot() == before
    assert stat.S_IMODE((stage.root / ".env").stat().st_mode) == 0o644


def test_init_as_json_names_keys_and_no_values(stage: Stage) -> None:
    stage.write(".env.example", TEMPLATE)

    document = stage.inv("env.init", "--json").document()

    assert document["files"] == [
        {
            "file": ".env",
            "template": ".env.example",
            "created": True,
            "added": ["WEB_PORT", "JWT_SECRET", "PUBLIC_URL"],
            "filled": [],
            "generated": ["JWT_SECRET"],
            "open": ["PUBLIC_URL"],
            "empty": [],
        }
    ]
    assert secret(stage) not in json.dumps(document)


def test_the_mode_decides_which_file_is_made(stage: Stage) -> None:
    stage.write(".env.production.example", "JWT_SECRET=\n")

    ran = stage.inv("env.init")
    assert (ran.code, (stage.root / ".env.production").exists()) == (2, False)
    assert "hint: of other modes: .env.production.example" in ran.err

    assert stage.inv("env.init", "--prod").code == 0
    assert (stage.root / ".env.production").exists()


def test_a_mistake_in_a_template_is_told_with_its_line(stage: Stage) -> None:
    stage.write(".env.example", "A=1\n# @genrate=hex(32)\nB=\n")

    ran = stage.inv("env.init")

    assert ran.code == 2
    assert "error: .env.example:2: no such mark: @genrate" in ran.err
    assert "hint: did you mean @generate?" in ran.err


def test_a_rotation_needs_a_yes_and_replaces_the_secret(stage: Stage) -> None:
    stage.write(".env.example", TEMPLATE)
    stage.inv("env.init")
    old = secret(stage)

    ran = stage.inv("env.init", "--rotate", "JWT_SECRET")
    assert (ran.code, secret(stage)) == (4, old)
    assert "replace JWT_SECRET in .env?" in ran.err

    ran = stage.inv("env.init", "--rotate", "JWT_SECRET", "--yes")
    assert ran.code == 0
    assert secret(stage) != old
    assert secret(stage) not in ran.out + ran.err


def test_without_a_template_one_is_proposed_and_written_with_yes(stage: Stage) -> None:
    stage.write("compose.yaml", STACK)

    ran = stage.inv("env.init")
    assert ran.code == 4
    assert "# @required @sensitive @generate=hex(24)\nPOSTGRES_PASSWORD=\n" in ran.out
    assert not (stage.root / ".env.example").exists()

    assert stage.inv("env.init", "--yes").code == 0
    assert len(secret(stage, "POSTGRES_PASSWORD")) == 48


@pytest.mark.usefixtures("engine")
def test_a_database_with_data_keeps_its_password(stage: Stage, engine: FakeEngine) -> None:
    stage.write("compose.yaml", STACK)
    stage.write(".env.example", "POSTGRES_PASSWORD=\nJWT_SECRET=\n")
    engine.volumes = ["shop_data"]

    ran = stage.inv("env.init")

    assert ran.code == 0
    assert "the volume shop_data exists already" in ran.err
    assert secret(stage, "POSTGRES_PASSWORD") == ""
    assert len(secret(stage)) == 64


@pytest.mark.skipif(shutil.which("git", path="/usr/bin:/bin") is None, reason="needs git")
def test_missing_ignore_lines_are_offered_and_added(stage: Stage) -> None:
    stage.write(".env.example", TEMPLATE)
    stage.write("compose.yaml", "services:\n  web:\n    build: .\n")
    subprocess.run(["/usr/bin/env", "git", "init", "-q", str(stage.root)], check=True)

    ran = stage.inv("env.init")
    assert "hint: add to .gitignore: .env (or: inv env.init --fix)" in ran.err
    assert "hint: add to .dockerignore: **/.env (or: inv env.init --fix)" in ran.err
    assert not (stage.root / ".gitignore").exists()

    stage.inv("env.init", "--fix")
    assert (stage.root / ".gitignore").read_text() == ".env\n"
    assert "warning" not in stage.inv("env.init").err


def test_the_engine_and_git_are_not_needed(stage: Stage) -> None:
    stage.write("compose.yaml", STACK)
    stage.write(".env.example", "POSTGRES_PASSWORD=\n")
    (stage.bin / "docker").unlink()
    start = time.monotonic()

    assert stage.inv("env.init", PATH=str(stage.bin)).code == 0
    assert time.monotonic() - start < 10
    assert len(secret(stage, "POSTGRES_PASSWORD")) == 64
    assert "git does not answer" in stage.inv("env.check", PATH=str(stage.bin)).out


def test_check_ends_with_three_when_it_found_an_error(stage: Stage) -> None:
    stage.write(".env.example", TEMPLATE)
    stage.inv("env.init")

    ran = stage.inv("env.check")

    assert ran.code == 3
    assert re.search(r"ENV-EMPTY +PUBLIC_URL +has no value", ran.out)
    stage.write(".env", "WEB_PORT=1\nJWT_SECRET=CHANGE_ME\nPUBLIC_URL=x\n")
    assert stage.inv("env.check").code == 0
    assert stage.inv("env.check", "--strict").code == 3
    assert stage.inv("env.check", "--prod").code == 3


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github", "markdown"])
def test_check_writes_every_format_without_a_value(stage: Stage, form: str) -> None:
    stage.write(".env.example", TEMPLATE)
    stage.write(".env", "WEB_PORT=canary\nJWT_SECRET=canary\nPUBLIC_URL=\nX='canary'canary\n")

    ran = stage.inv("env.check", "--format", form)

    assert ran.code == 3
    assert "ENV-TYPE" in ran.out
    assert "canary" not in ran.out + ran.err
    if form in {"json", "sarif"}:
        json.loads(ran.out)


def test_check_as_json_is_one_document(stage: Stage) -> None:
    stage.write(".env.example", TEMPLATE)

    ran = stage.inv("env.check", "--json")

    document = ran.document()
    assert ran.code == 3
    assert document["findings"][0]["rule"] == "ENV-MISSING"
    assert set(document) == {"schema", "findings", "passes", "unknowns", "suppressed"}


def test_an_unknown_format_is_a_mistake_of_usage(stage: Stage) -> None:
    stage.write(".env.example", TEMPLATE)

    ran = stage.inv("env.check", "--format", "xml")

    assert ran.code == 2
    assert "error: --format: no such format: xml" in ran.err


def test_sync_adds_new_keys_commented_out_once(stage: Stage) -> None:
    stage.write(".env.example", "A=1\n# New.\nB=2\n")
    stage.write(".env", "A=9\n")

    planned = stage.inv("--dry", "env.sync")

    assert (planned.out, planned.err) == (".env: would be added, commented out: B\n", "")
    assert (stage.root / ".env").read_text() == "A=9\n"
    assert stage.inv("env.sync").out == ".env: added, commented out: B\n"
    assert (stage.root / ".env").read_text() == "A=9\n# New.\n# B=2\n"
    assert stage.inv("env.sync").out == ".env: has every key\n"
    assert (stage.root / ".env").read_text() == "A=9\n# New.\n# B=2\n"


def test_sync_without_env_files_names_init(stage: Stage) -> None:
    stage.write(".env.example", "A=1\n")

    ran = stage.inv("env.sync")

    assert ran.code == 0
    assert "inv env.init" in ran.err
