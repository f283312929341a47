from typing import Any

import pytest

from invoke_stack.database import adopt, catalog, names, proof, verify
from invoke_stack.database.postgres import Postgres
from invoke_stack.database.target import Target
from invoke_stack.database.values import Login
from invoke_stack.errors import UsageError


def checks(project: Any, file: Any) -> tuple[verify.Check, verify.Check]:
    return verify.file_checks(project, catalog.resolve(project, str(file), ()))


def test_an_unchanged_file_passes(project: Any, store: Any) -> None:
    assert [check.state for check in checks(project, store("a.dump"))] == ["ok", "ok"]


def test_one_flipped_byte_is_found_wherever_it_is(project: Any, store: Any, whole: bytes) -> None:
    file = store("a.dump")  # A15
    for offset in range(0, len(whole), len(whole) // 49):
        data = bytearray(whole)
        data[offset] ^= 1
        file.write_bytes(data)

        assert any(check.state == "failed" for check in checks(project, file)), offset


def test_a_truncated_file_is_found_wherever_it_ends(project: Any, store: Any, whole: bytes) -> None:
    file = store("a.dump")  # A16
    for length in range(0, len(whole), len(whole) // 49):
        file.write_bytes(whole[:length])

        assert any(check.state == "failed" for check in checks(project, file)), length


def spoiled(file: Any, how: str) -> None:
    if how == "empty":
        file.write_bytes(b"")
    elif how == "text":
        file.write_bytes(b"-- a text named .dump")
    elif how == "binary":
        file.write_bytes(b"\xff" * 100)
    elif how == "alone":
        names.manifest_of(file).unlink()
    elif how == "gone":
        file.unlink()
    elif how == "folder":
        file.unlink()
        file.mkdir()
    elif how == "cut":
        file.write_bytes(file.read_bytes()[:-1])
    elif how == "changed":
        file.write_bytes(file.read_bytes()[:-1] + b"\1")
    else:
        names.manifest_of(file).write_text("{")


SPOILED = {
    "empty": "the file is empty (0 bytes)",
    "text": "not a database archive: it begins with text",
    "binary": "not a database archive: it begins with other data",
    "alone": "no manifest: unverified; nothing tells its checksum",
    "folder": "the dump is gone, only its manifest is here",
    "gone": "the dump is gone, only its manifest is here",
    "cut": "has 10,260 bytes, its manifest says 10,261",
    "changed": "the content has changed: sha256 is",
    "unreadable": "the manifest cannot be read; nothing tells its checksum",
}


@pytest.mark.parametrize("how", SPOILED)
def test_every_kind_of_damage_has_its_own_message(project: Any, store: Any, how: str) -> None:
    file = store("a.dump")  # A18
    spoiled(file, how)

    failed = [check.text for check in checks(project, file) if check.state == "failed"]

    assert len(failed) == 1
    assert failed[0].startswith(SPOILED[how])


def test_what_failed_decides_and_what_was_not_checked_is_told(project: Any, store: Any) -> None:
    file = store("a.dump")
    file.write_bytes(b"")

    result = verify.verify(project, catalog.resolve(project, str(file), ()))

    assert not result.ok
    assert result.level == ""
    assert result.problem == "the file is empty (0 bytes)"
    assert [each["state"] for each in result.mapping()["checks"]] == [
        "failed",
        "unchecked",
        "unchecked",
    ]


def test_without_an_engine_the_decode_says_why_it_was_not_done(project: Any, store: Any) -> None:
    result = verify.verify(project, catalog.resolve(project, str(store("a.dump")), ()))

    assert result.ok
    assert result.level == "L1"
    assert result.checks[-1].text.startswith("not decoded: ")


def test_a_dry_run_claims_no_restore(make_project: Any, store: Any, docker: Any) -> None:
    entry = catalog.entry(store("a.dump"))
    assert entry.manifest is not None
    target = Target("shop", "pg", "id-pg", Postgres(), Login("app", "shop"))
    said: list[Any] = []

    check = proof.proved(make_project(dry=True), target, entry.file, entry.manifest, said.append)

    assert (check.level, check.state) == ("L3", "unchecked")
    assert [each.text for each in said] == ["restore a.dump into a temporary database, and drop it"]
    assert docker.asked == []


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("{", "move backups/shop/a.dump.json away, then: inv db.verify --adopt --file "),
        ('{"sha256": "x", "schema": 99}', "update invoke_stack"),
    ],
)
def test_a_manifest_that_cannot_be_read_has_a_way_out(
    project: Any, store: Any, text: str, hint: str
) -> None:
    file = store("a.dump")
    names.manifest_of(file).write_text(text)

    with pytest.raises(UsageError) as pinning:
        catalog.pin(project, catalog.entry(file), pinned=True)
    with pytest.raises(UsageError) as adopting:
        adopt.adopt(project, catalog.entry(file))

    assert pinning.value.hint.startswith(hint)
    assert adopting.value.hint == pinning.value.hint
