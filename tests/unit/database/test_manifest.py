import json
from pathlib import Path

import pytest

from invoke_stack.database import manifest as manifests
from invoke_stack.database.manifest import Manifest
from invoke_stack.errors import StackError

MADE = Manifest(
    file="x.dump",
    created_at="2026-11-20T17:04:59Z",
    database="shop",
    bytes=3,
    sha256="abc",
    seconds=1.5,
    source={"extensions": {"plpgsql": "1.0"}},
    contents={"tables": 2},
    verified={"level": "L2", "ok": True},
)


def test_a_manifest_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "x.dump.json"

    manifests.write(path, MADE)

    assert manifests.read(path) == MADE
    assert path.stat().st_mode & 0o777 == 0o600
    assert next(iter(json.loads(path.read_text()))) == "schema"


def test_a_key_of_a_newer_version_is_left_out() -> None:
    assert manifests.parse({**MADE.mapping(), "later": 1}) == MADE


def test_whole_seconds_are_no_damage() -> None:
    assert manifests.parse({**MADE.mapping(), "seconds": 2}).seconds == 2


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"schema": 2}, "was written by a newer version of invoke_stack"),
        ({"schema": "1"}, "is damaged: schema"),
        ({"bytes": "3"}, "is damaged: bytes"),
        ({"created_at": "yesterday"}, "is damaged: a key is missing or no time"),
    ],
)
def test_a_damaged_manifest_says_what_is_wrong(change: dict[str, object], problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{problem}$"):
        manifests.parse({**MADE.mapping(), **change})


@pytest.mark.parametrize("document", [[], {}, {"schema": 1}, None])
def test_another_document_is_no_manifest(document: object) -> None:
    with pytest.raises(ValueError, match="is not a backup manifest"):
        manifests.parse(document)


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    path = tmp_path / "x.dump.json"
    path.symlink_to(victim)

    with pytest.raises(StackError, match="is in the way"):
        manifests.write(path, MADE)

    assert victim.read_text() == "mine"
