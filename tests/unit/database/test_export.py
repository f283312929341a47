"""Scripts for people, and the roles that belong to no single database."""

import gzip
from typing import Any

import pytest

from invoke_stack.database import backup, catalog, job, names, verify
from invoke_stack.errors import StackError, UsageError


def files(project: Any) -> list[str]:
    folder = project.root / "backups"
    found = (path.name for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if name != ".gitignore")


@pytest.mark.parametrize(
    ("form", "suffix", "read"), [("plain", ".sql", bytes), ("plain.gz", ".sql.gz", gzip.decompress)]
)
def test_an_export_is_a_whole_script_with_a_manifest(
    project: Any, declared: Any, engine: Any, docker: Any, form: str, suffix: str, read: Any
) -> None:
    made = backup.backup(project, declared, engine, job.Options(format=form, label="x"))

    assert made is not None
    assert made.file.name.endswith(f"-pg16-x{suffix}")
    assert b"SELECT 1;" in read(made.file.read_bytes())
    assert made.manifest.format == form
    assert files(project) == [made.file.name, f"{made.file.name}.json"]
    checks = verify.file_checks(project, catalog.entry(made.file))
    assert [check.state for check in checks] == ["ok", "ok"]


@pytest.mark.parametrize(("form", "level"), [("plain", "0"), ("plain.gz", "1")])
def test_half_a_script_is_no_export(
    project: Any, declared: Any, engine: Any, docker: Any, form: str, level: str
) -> None:
    words = f"pg_dump --format=plain --compress={level}"
    whole = docker.forget(words)
    docker.answer(words, whole[: len(whole) // 2])

    with pytest.raises(StackError, match="broke off before its end"):
        backup.backup(project, declared, engine, job.Options(format=form))

    assert files(project) == []


def test_an_export_is_listed_but_is_never_the_latest_backup(
    project: Any, declared: Any, engine: Any, docker: Any
) -> None:
    archive = backup.backup(project, declared, engine)
    export = backup.backup(project, declared, engine, job.Options(format="plain"))
    assert archive is not None
    assert export is not None
    script = export.file.with_name("by-hand.sql")
    script.write_text("SELECT 1;")

    found = catalog.entries(catalog.root(project))

    assert {each.file for each in found} == {archive.file, export.file}
    assert catalog.resolve(project, "latest", found).file == archive.file


def test_an_unknown_format_is_refused_with_the_choices() -> None:
    with pytest.raises(UsageError) as caught:
        job.Options(format="tar").check()

    assert caught.value.hint == "one of custom, plain, plain.gz"


def test_roles_are_saved_beside_the_backup_and_in_its_manifest(
    project: Any, declared: Any, engine: Any, docker: Any
) -> None:
    made = backup.backup(project, declared, engine, job.Options(globals=True))

    assert made is not None
    roles = names.globals_of(made.file)
    assert roles.read_text().startswith("CREATE ROLE app;")
    assert roles.stat().st_mode & 0o777 == 0o600
    assert made.manifest.globals["file"] == roles.name
    asked = next(words for words in docker.asked if "pg_dumpall" in words)
    assert "--no-role-passwords" in asked
    roles.write_text("changed")
    _, check = verify.file_checks(project, catalog.entry(made.file))
    assert (check.state, check.text) == ("failed", f"{roles.name} has changed")


@pytest.mark.parametrize(
    "answer", [{"code": 1, "err": "permission denied"}, {"out": b"CREATE ROLE app;"}]
)
def test_without_the_roles_there_is_no_backup_either(
    project: Any, declared: Any, engine: Any, docker: Any, answer: Any
) -> None:
    docker.answer("pg_dumpall", **answer)

    with pytest.raises(StackError):
        backup.backup(project, declared, engine, job.Options(globals=True))

    assert files(project) == []


def test_a_pinned_backup_says_so_in_its_manifest(
    project: Any, declared: Any, engine: Any, docker: Any
) -> None:
    made = backup.backup(project, declared, engine, job.Options(pin=True))

    assert made is not None
    assert made.manifest.pinned
