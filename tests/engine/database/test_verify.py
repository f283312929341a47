"""The levels of `db.verify` that need the server's own programs."""

import hashlib
import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.database import admin as admins
from invoke_stack.database import catalog, verify
from invoke_stack.database import target as targets
from invoke_stack.engines import opening
from invoke_stack.environment import declared

pytestmark = pytest.mark.engine


def checked(site: Any, file: Path) -> verify.Verification:
    project = site.project()
    return verify.verify(project, catalog.resolve(project, str(file), ()))


@pytest.mark.both
def test_a_good_backup_reaches_the_full_decode(site: Any) -> None:
    file = Path(site.run("backup")[1]["file"])

    result = checked(site, file)

    assert result.ok
    assert result.level == "L2"


@pytest.mark.both
def test_damage_behind_a_matching_checksum_fails_to_decode(site: Any) -> None:  # A17
    made = site.run("backup", settings={"db": {"compression": "gzip:6"}})[1]
    file, data = Path(made["file"]), bytearray(Path(made["file"]).read_bytes())
    start = data.rindex(b"\x78\x9c")
    data[start + (len(data) - start) // 2] ^= 0xFF
    file.write_bytes(data)
    made["manifest"]["sha256"] = hashlib.sha256(data).hexdigest()
    file.with_name(f"{file.name}.json").write_text(json.dumps(made["manifest"]))

    result = checked(site, file)

    assert not result.ok
    assert result.level == "L1"
    assert "does not decode" in result.problem


def test_without_a_running_database_the_decode_is_said_to_be_unchecked(site: Any) -> None:
    file = Path(site.run("backup", fast=True)[1]["file"])
    compose = site.root / "compose.yaml"
    compose.write_text(compose.read_text().replace(site.name, f"{site.name}-other"))

    result = checked(site, file)

    assert result.ok
    assert result.level == "L1"
    assert result.checks[-1].state == "unchecked"
    assert "has no container" in result.checks[-1].text


@pytest.mark.both
def test_a_killed_decode_does_not_stay_behind(site: Any) -> None:
    file = Path(site.run("backup", settings={"db": {"name": "big"}})[1]["file"])
    with site.start("verify", file=str(file)) as child:
        site.until(lambda: site.programs("pg_restore") > 0, child)
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=10)
    deadline = time.monotonic() + 5
    while site.programs("pg_restore") and time.monotonic() < deadline:
        time.sleep(0.1)

    assert site.programs("pg_restore") == 0


@pytest.mark.both
def test_programs_and_room_are_looked_at_where_the_server_is(site: Any) -> None:
    project = site.project()
    with opening.open(project) as engine:
        target = targets.find(project, declared.load(project), engine)
        admin, server = admins.connect(project, target)
        found = admin.machine()

    assert found.client == server.major
    assert found.cpus >= 1
    assert found.free > 0
