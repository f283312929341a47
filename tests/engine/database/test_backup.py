"""`db.backup` against a real server: what it writes and how it fails. See postgres.md §5."""

import gzip
import json
import os
import pty
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.engine

BIG = {"db": {"name": "big"}}


@pytest.mark.both
def test_a_plain_pg_restore_reads_the_file(site: Any) -> None:  # A2
    code, made, err = site.run("backup", label="first")

    assert code == 0, err
    site.psql("CREATE DATABASE again TEMPLATE template0;")
    try:
        data = Path(made["file"]).read_bytes()
        site.client("pg_restore", "-d", "again", "-e", stdin=data)
        query = "SELECT count(*), sum(hashtextextended(t::text, 0)) FROM t;"
        large = "SELECT convert_from(lo_get(oid), 'utf8') FROM pg_largeobject_metadata;"
        assert site.psql(query, "again") == site.psql(query)
        assert site.psql(large, "again") == "large"
        last = "SELECT last_value FROM s;"
        assert site.psql(last, "again") == site.psql(last)
    finally:
        site.psql("DROP DATABASE again;")


@pytest.mark.both
def test_the_manifest_tells_what_was_saved_and_from_where(site: Any) -> None:
    _, made, _ = site.run("backup", label="first")

    manifest = made["manifest"]
    file = Path(made["file"])
    assert manifest == json.loads(file.with_name(f"{file.name}.json").read_text())
    assert manifest["server"] == manifest["client"]
    assert manifest["compression"] in {"zstd:1", "gzip:1"}
    assert manifest["bytes"] == file.stat().st_size
    assert manifest["contents"]["tables"] == 1
    assert manifest["contents"]["views"] == 1
    assert manifest["contents"]["sequences"] == 1
    assert manifest["source"]["large_objects"] == 1
    assert manifest["source"]["settings"][0]["set"] == ["app.jwt_secret=***"]
    assert manifest["target"]["project"] == site.name
    assert manifest["verified"]["level"] == "L2"
    assert manifest["label"] == "first"


@pytest.mark.both
def test_a_missing_database_is_named_and_leaves_no_file(site: Any) -> None:  # A3
    code, _, err = site.run("backup", settings={"db": {"name": "nowhere"}})

    assert code == 2
    assert "nowhere" in err
    assert "does not exist" in err
    assert not site.backups.exists() or site.files() == set()


@pytest.mark.both
def test_a_wrong_password_is_told_quickly(site: Any, canaries: Any) -> None:  # A4
    hba = site.psql("SHOW hba_file")
    change = f"cp {hba} {hba}.kept; sed -i ''1i local all locked scram-sha-256'' {hba}"
    site.psql("CREATE ROLE locked LOGIN PASSWORD 'another';")
    site.psql(f"COPY (SELECT) TO PROGRAM '{change}'; SELECT pg_reload_conf();")
    try:
        code, _, err = site.run("backup", settings={"db": {"user": "locked"}})
    finally:
        site.psql(f"COPY (SELECT) TO PROGRAM 'mv {hba}.kept {hba}'; SELECT pg_reload_conf();")
        site.psql("DROP ROLE locked;")

    assert code == 6
    assert "locked" in err
    assert not any(word in err for word in canaries)


@pytest.mark.both
def test_a_failing_backup_leaves_older_files_alone(site: Any) -> None:  # A5, A8
    assert site.run("backup", settings=BIG)[0] == 0
    before = {path: path.read_bytes() for path in site.backups.rglob("*") if path.is_file()}

    child = site.start("backup", settings=BIG)
    site.streaming(child)
    site.psql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name LIKE 'invstack-%';"
    )
    _, err = child.communicate(timeout=30)

    assert child.returncode == 1
    assert "terminating connection" in err or "closed the connection" in err
    assert "was not written" in err
    assert {p: p.read_bytes() for p in site.backups.rglob("*") if p.is_file()} == before


def test_a_full_disk_gives_the_room_back(site: Any) -> None:  # A9
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    small = site.root / "small"
    small.mkdir()
    mount = [shutil.which("mount") or "mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let us mount a tmpfs")
    try:
        free = os.statvfs(small).f_bfree
        code, _, err = site.run("backup", to=str(small), settings=BIG)

        assert code == 1
        assert "the disk is full" in err
        assert os.statvfs(small).f_bfree == free
        assert list(small.iterdir()) == []
    finally:
        subprocess.run([shutil.which("umount") or "umount", str(small)], check=True)
    assert site.sessions() == 0


def test_a_read_only_file_system_is_one_line_and_a_hint(site: Any) -> None:  # A42
    if os.geteuid() != 0:
        pytest.skip("mounting a file system needs root")
    sealed = site.root / "sealed"
    sealed.mkdir()
    mount = [shutil.which("mount") or "mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(sealed)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let us mount a tmpfs")
    try:
        code, _, err = site.run("backup", to=str(sealed))
    finally:
        subprocess.run([shutil.which("umount") or "umount", str(sealed)], check=True)

    assert code == 2
    assert "read-only file system" in err
    assert "Traceback" not in err
    assert site.sessions() == 0


def test_a_locked_table_is_named(site: Any) -> None:  # A10
    impatient = site.root / "impatient.py"
    impatient.write_text(
        "from invoke_stack.database.postgres import Postgres\nhasty = Postgres(lock_wait_s=1)\n"
    )
    words = [shutil.which("docker"), "exec", site.container, "psql", "-U", "app", "-d", "app", "-c"]
    hold = "BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(4);"
    with subprocess.Popen([*words, hold], stdout=subprocess.DEVNULL) as holder:
        site.until(
            lambda: (
                site.psql("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock';")
                != "0"
            ),
            holder,
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(site.root))
            code, _, err = site.run("backup", settings={"db": {"providers": ["impatient:hasty"]}})

    assert code == 1
    assert "kept a table locked for more than 1 s" in err
    assert "public.t " in err
    assert site.files() == set()


def test_of_two_backups_at_once_one_is_busy(site: Any) -> None:  # A11
    first = site.start("backup", settings=BIG)
    site.streaming(first)

    code, _, err = site.run("backup", settings=BIG)
    _, first_err = first.communicate(timeout=60)

    assert code == 5
    assert "another run is busy" in err
    assert first.returncode == 0, first_err
    assert len(site.files()) == 2


def test_with_wait_both_of_two_backups_succeed(site: Any) -> None:  # A11
    first = site.start("backup", settings=BIG)
    site.streaming(first)

    code, _, err = site.run("backup", settings=BIG, wait=True)
    _, first_err = first.communicate(timeout=60)

    assert code == 0, err
    assert "; waiting for it" in err
    assert first.returncode == 0, first_err
    assert len(site.files()) == 4


@pytest.mark.parametrize("form", ["plain", "plain.gz"])
def test_an_export_makes_the_same_database_again(site: Any, form: str) -> None:
    code, made, err = site.run("backup", format=form)

    assert code == 0, err
    data = Path(made["file"]).read_bytes()
    script = gzip.decompress(data) if form == "plain.gz" else data
    site.psql("CREATE DATABASE again TEMPLATE template0;")
    try:
        site.psql(script.decode(), "again")
        query = "SELECT count(*), sum(hashtextextended(t::text, 0)) FROM public.t;"
        assert site.psql(query, "again") == site.psql(query)
    finally:
        site.psql("DROP DATABASE again;")


def test_roles_are_saved_beside_a_backup_without_their_passwords(site: Any) -> None:
    site.psql("CREATE ROLE clerk LOGIN PASSWORD 'canary-clerk';")
    try:
        code, made, err = site.run("backup", globals=True)
    finally:
        site.psql("DROP ROLE clerk;")

    assert code == 0, err
    roles = Path(made["file"]).with_name(made["manifest"]["globals"]["file"]).read_text()
    assert "CREATE ROLE clerk;" in roles
    assert "PASSWORD" not in roles
    assert "SCRAM" not in roles


def test_an_odd_database_name_and_folder_work(site: Any, odd: str) -> None:  # A32
    folder = site.root / 'a folder\'s "own"'
    name = {"db": {"name": odd, "directory": str(folder)}}

    code, made, err = site.run("backup", settings=name)

    assert code == 0, err
    assert made["manifest"]["database"] == odd
    assert Path(made["file"]).parent == folder / "we%20ird-%22n%3Bame"
    _, result, err = site.run("verify", file=made["file"], restore=True, settings=name)
    assert result["level"] == "L3", err


def test_files_are_private_whatever_the_umask(site: Any) -> None:  # A33
    with subprocess.Popen(
        ["/bin/sh", "-c", 'umask 000; exec "$@"', "sh", *site.command("backup", settings=BIG)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        site.streaming(child)
        during = [path.stat().st_mode & 0o777 for path in site.backups.rglob(".*.partial")]
        child.communicate(timeout=60)

    assert child.returncode == 0
    assert during == [0o600]
    modes = {path.stat().st_mode & 0o777 for path in site.backups.rglob("*") if path.is_file()}
    assert modes == {0o600}
    folders = [site.backups, site.backups / "big", site.root / ".invoke-stack"]
    assert [folder.stat().st_mode & 0o777 for folder in folders] == [0o700] * 3


def test_no_secret_shows_in_ps_output_or_files(site: Any, canaries: Any) -> None:  # A34
    child = site.start("backup", settings=BIG)
    seen = set()
    while child.poll() is None:
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                seen.add((folder / "cmdline").read_bytes())
            except OSError:
                continue
    out, err = child.communicate()

    assert child.returncode == 0, err
    assert any(b"pg_dump" in line for line in seen)
    written = [p.read_bytes() for p in site.backups.rglob("*.json")] + [out.encode(), err.encode()]
    for secret in canaries:
        assert not any(secret.encode() in text for text in [*seen, *written])


def test_a_dry_run_changes_nothing_and_says_what_it_would_do(site: Any) -> None:
    code, _, err = site.run("backup", dry=True)

    assert code == 0, err
    assert "Planned(text='write backups/app/app-" in err
    assert {path.name for path in site.root.iterdir()} == {"compose.yaml"}


def test_a_terminal_on_stdin_changes_nothing(site: Any) -> None:  # A12
    master, slave = pty.openpty()
    with subprocess.Popen(
        site.command("backup"), stdin=slave, stdout=slave, stderr=subprocess.PIPE
    ) as child:
        _, err = child.communicate(timeout=60)
    os.close(slave)
    os.close(master)

    assert child.returncode == 0, err
    assert len(site.files()) == 2
    (file,) = site.backups.rglob("*.dump")
    assert site.run("verify", file=str(file))[1]["level"] == "L2"


def test_the_callers_stdin_is_left_alone(site: Any) -> None:  # A13
    command = shlex.join(site.command("backup"))
    done = subprocess.run(
        ["/bin/sh", "-c", f"{command} >/dev/null && cat"],
        input=b"a\nb\n",
        capture_output=True,
        check=True,
    )

    assert done.stdout == b"a\nb\n"
