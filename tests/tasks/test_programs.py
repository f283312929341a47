"""How programs are started: their arguments, their environment, their ends."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import FakeEngine, Stage

SERVICES: dict[str, Any] = {
    "web": {"build": {"context": "."}, "environment": {"A": "1"}},
    "db": {"image": "postgres:16"},
}
WORDS = (
    "sh",
    "-c",
    'cd x && echo "$HOME"',
    "it's",
    "two  spaces",
    "line\nbreak",
    "$(id)",
    "*",
    "",
    "--",
    "-s",
    "--prod",
    "größe",
)


@pytest.fixture
def running(stage: Stage, engine: FakeEngine) -> FakeEngine:
    """A stack whose two services run."""
    stage.stack(SERVICES)
    engine.container("web", folder=str(stage.root), ports={3000: 3001})
    engine.container("db", folder=str(stage.root), health="healthy", image="postgres:16")
    return engine


@pytest.mark.parametrize("task", ["stack.exec", "stack.run"])
def test_everything_after_the_dashes_arrives_word_for_word(
    stage: Stage, running: FakeEngine, task: str
) -> None:
    ran = stage.inv(task, "-s", "web", "--", *WORDS)

    assert ran.code == 0, ran.err
    argv = stage.calls(" run " if task == "stack.run" else "exec")[-1]["argv"]
    assert tuple(argv[-len(WORDS) :]) == WORDS
    assert argv[-len(WORDS) - 1] == ("web" if task == "stack.run" else "web-id")


def test_the_only_service_that_is_built_is_meant(stage: Stage, running: FakeEngine) -> None:
    stage.inv("stack.exec", "--", "true")

    assert stage.calls("exec")[-1]["argv"][-2:] == ["web-id", "true"]


@pytest.mark.parametrize("code", [3, 126])
def test_the_programs_exit_code_is_ours(stage: Stage, running: FakeEngine, code: int) -> None:
    stage.answer("exec", "said\n", stderr="moaned\n", code=code)

    ran = stage.inv("stack.exec", "-s", "web", "--", "false")

    assert (ran.code, ran.out, ran.err) == (code, "said\n", "moaned\n")


def test_a_service_that_does_not_run_gets_a_container_of_its_own(
    stage: Stage, engine: FakeEngine
) -> None:
    stage.stack(SERVICES)

    ran = stage.inv("stack.exec", "-s", "web", "--", "pnpm", "test")

    assert ran.code == 0, ran.err
    assert re.search(
        r" run --rm --no-TTY --name shop-web-run-[0-9a-f]{8} web pnpm test$",
        " ".join(stage.calls(" run ")[-1]["argv"]),
    )


def test_nothing_to_run_is_an_error(stage: Stage, running: FakeEngine) -> None:
    ran = stage.inv("stack.exec", "-s", "web")

    assert ran.code == 2
    assert ran.err == (
        "error: stack.exec: nothing to run\n  hint: inv stack.exec -s web -- COMMAND\n"
    )


@pytest.mark.parametrize("task", ["stack.stop", "stack.logs", "stack.exec"])
def test_an_unknown_service_is_an_error_with_the_nearest_one(
    stage: Stage, running: FakeEngine, task: str
) -> None:
    ran = stage.inv(task, "-s", "wbe", "--", "true")

    assert ran.code == 2
    assert "no such service: wbe" in ran.err
    assert "did you mean web? services: db, web" in ran.err
    assert stage.calls("stop") == stage.calls("exec") == []


def test_a_service_that_is_not_up_cannot_be_restarted(stage: Stage, running: FakeEngine) -> None:
    stage.stack({**SERVICES, "late": {"image": "late"}})

    ran = stage.inv("stack.restart", "-s", "late")

    assert (ran.code, ran.err) == (6, "error: late: is not up\n  hint: inv stack.up -s late\n")


def test_compose_gets_the_resolved_values_and_reads_no_env_file_itself(
    stage: Stage, running: FakeEngine
) -> None:
    stage.write(".env", "A=base\nB=base\nURL=http://${A}\n")
    stage.write(".env.development", "B=dev\nQ='a $b \"c\"'\n")

    stage.inv("stack.up", "--set", "S=x y", A="process", COMPOSE_DISABLE_ENV_FILE="0")

    calls = stage.calls("config --format json") + stage.calls(" up --detach")
    assert len(calls) >= 2
    for call in calls:
        wanted = {"A": "process", "B": "dev", "URL": "http://process", "Q": 'a $b "c"', "S": "x y"}
        assert {key: call["env"][key] for key in wanted} == wanted
        assert call["env"]["COMPOSE_DISABLE_ENV_FILE"] == "1"
        assert call["env"]["NODE_ENV"] == "development"


def test_a_running_stack_is_addressed_by_name_without_files(
    stage: Stage, running: FakeEngine
) -> None:
    stage.write(".env", "COMPOSE_PROFILES=all\n")

    ran = stage.inv("stack.restart", "-s", "web", COMPOSE_FILE="compose.yaml")
    dry = stage.inv("--dry", "stack.restart", "-s", "web", COMPOSE_FILE="compose.yaml")

    assert (ran.code, ran.err) == (0, "restarting web\nrestarted: web\n")
    assert "restarted" not in dry.err

    call = stage.calls("restart")[-1]
    assert call["argv"] == ["compose", "--project-name", "shop", "restart", "web"]
    assert call["cwd"] == os.sep
    assert call["env"]["COMPOSE_FILE"] == call["env"]["COMPOSE_PROFILES"] == ""


def test_up_starts_waits_and_says_where_it_is_reached(stage: Stage, running: FakeEngine) -> None:
    ran = stage.inv("stack.up", "--recreate")

    assert ran.code == 0, ran.err
    assert "http://localhost:3001" in ran.out
    (build,), (up,) = stage.calls(" build "), stage.calls(" up ")
    assert build["argv"][-1] == "web"
    assert up["argv"][-5:] == ["up", "--detach", "--no-build", "--quiet-pull", "--force-recreate"]
    record = json.loads((stage.root / ".invoke-stack" / "stack.json").read_text())
    assert (record["project"], record["mode"]) == ("shop", "dev")


def test_a_second_up_changes_no_file(stage: Stage, running: FakeEngine) -> None:
    running.images["shop-web"] = {"Id": "sha256:1", "Config": {}}
    running.images["postgres:16"] = {"Id": "sha256:2", "Config": {}}
    stage.inv("stack.up")
    before = stage.snapshot()

    ran = stage.inv("stack.up")

    assert ran.code == 0, ran.err
    assert stage.snapshot() == before
    assert len(stage.calls(" build ")) == 1


def test_another_mode_removes_by_name_what_it_lacks(stage: Stage, running: FakeEngine) -> None:
    stage.stack({**SERVICES, "ui": {"image": "adminer", "profiles": ["dev"]}})
    running.container("ui", folder=str(stage.root))
    running.containers[0]["Config"]["Labels"]["dev.invoke-stack.mode"] = "dev"

    same = stage.inv("stack.up", "--dev")
    removed_by_same = stage.calls(" rm ")
    other = stage.inv("stack.up", "--prod")

    assert (same.code, other.code) == (0, 0), same.err + other.err
    assert removed_by_same == []
    assert "switching from dev to prod" in other.err
    (call,) = stage.calls(" rm ")
    assert call["argv"][-4:] == ["rm", "--stop", "--force", "ui"]
    assert not any("--remove-orphans" in each["argv"] for each in stage.calls())


def test_a_dry_run_changes_nothing_and_prints_the_plan_without_secrets(
    stage: Stage, running: FakeEngine
) -> None:
    stage.write(".env", "DB_PASSWORD=canary-4711\n")
    before = stage.snapshot()

    ran = stage.inv("--dry", "stack.up", "--set", "TOKEN=canary-4712")

    assert ran.code == 0, ran.err
    assert stage.snapshot() == before
    assert re.search(r"^\$ docker compose --project-name shop .* build web$", ran.err, re.MULTILINE)
    assert re.search(r"^\$ docker compose .* up --detach", ran.err, re.MULTILINE)
    assert "canary" not in ran.out + ran.err
    assert all(reads(call["argv"]) for call in stage.calls())


def test_a_secret_among_the_arguments_is_hidden_in_the_plan(
    stage: Stage, running: FakeEngine
) -> None:
    stage.write(".env", "DB_PASSWORD=canary-4711\nDATABASE_URL=postgres://u:kanary-4712@db/app\n")
    url = "postgres://u:kanary-4712@db/app"

    ran = stage.inv("--dry", "stack.exec", "-s", "web", "--", "psql", url, "-c", "'canary-4711'")

    assert ran.code == 0
    assert "anary" not in ran.out + ran.err
    assert "***" in ran.err


def reads(argv: list[str]) -> bool:
    return bool({"config", "version", "inspect"} & set(argv))


@pytest.mark.parametrize(
    ("words", "plan"),
    [
        (("stack.down",), "$ docker compose --project-name shop down"),
        (
            ("stack.down", "--volumes", "--no-backup"),
            "$ docker compose --project-name shop down --volumes",
        ),
        (("stack.stop",), "$ docker compose --project-name shop stop"),
        (("stack.exec", "-s", "web", "--", "rm", "-rf", "a b"), "web-id rm -rf 'a b'"),
        (("stack.run", "-s", "web", "--", "rm"), " web rm"),
    ],
)
def test_a_dry_run_of_anything_runs_nothing(
    stage: Stage, running: FakeEngine, words: tuple[str, ...], plan: str
) -> None:
    running.volumes = ["shop_pg"]
    before = stage.snapshot()

    ran = stage.inv("--dry", *words)

    assert ran.code == 0, ran.err
    assert plan in ran.err
    assert stage.snapshot() == before
    assert all(reads(call["argv"]) for call in stage.calls())


def test_volumes_are_not_removed_without_a_yes(stage: Stage, running: FakeEngine) -> None:
    running.volumes = ["shop_pg"]

    ran = stage.inv("stack.down", "--volumes", "--no-backup")

    assert ran.code == 4
    assert "shop_pg  1.0 MiB" in ran.err
    assert "NO backup is written" in ran.err
    assert "--yes" in ran.err
    assert stage.calls("down") == []


def test_volumes_are_removed_with_a_yes(stage: Stage, running: FakeEngine) -> None:
    running.volumes = ["shop_pg"]
    running.gone = lambda: stage.calls(" down")

    ran = stage.inv("stack.down", "--volumes", "--no-backup", "--yes", "--json")

    assert ran.code == 0, ran.err
    assert ran.document()["volumes"] == ["shop_pg"]
    assert stage.calls(" down")[-1]["argv"][-2:] == ["down", "--volumes"]


def test_what_was_taken_down_decides_no_mode_any_more(stage: Stage, running: FakeEngine) -> None:
    """Else a task without a flag would go on with the env of production, long after it ended."""
    stage.write("compose.prod.yaml", "services: {}\n")
    stage.inv("stack.up", "--prod")
    run = ("--dry", "stack.run", "-s", "web", "--", "./migrate")
    assert "compose.prod.yaml" in stage.inv(*run).err
    assert stage.inv("stack.stop").code == 0
    assert "compose.prod.yaml" in stage.inv(*run).err
    running.gone = lambda: stage.calls(" down")

    assert stage.inv("stack.down").code == 0

    after = stage.inv(*run)
    assert after.code == 0
    assert "./migrate" in after.err
    assert "compose.prod.yaml" not in after.err


def test_containers_of_another_folder_are_not_touched(stage: Stage, engine: FakeEngine) -> None:
    stage.stack(SERVICES)
    engine.container("web", folder="/home/me/other")

    for task in ("stack.up", "stack.down", "stack.stop", "stack.ps"):
        ran = stage.inv(task)

        assert (task, ran.code) == (task, 4)
        assert "containers of this name belong to /home/me/other" in ran.err
    assert all(reads(call["argv"]) for call in stage.calls())


def test_compose_files_that_compose_refuses_are_named(stage: Stage) -> None:
    stage.stack(SERVICES)
    text = f"validating {stage.root}/compose.yaml: services.web must be a mapping\n"
    stage.answer("config --format json", stderr=text, code=15)

    ran = stage.inv("stack.up")

    assert ran.code == 2
    assert ran.err.startswith("error: compose.yaml: services.web must be a mapping\n")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 143), (signal.SIGINT, 130)]
)
def test_a_signal_ends_the_task_and_what_it_started(
    stage: Stage, number: signal.Signals, code: int
) -> None:
    stage.stack(SERVICES)
    stage.answer("config --format json", sleep_s=25)
    began = time.monotonic()

    with stage.begin("stack.ps") as child:
        stage.await_call("config")
        child.send_signal(number)
        _, err = child.communicate(timeout=20)

    assert (child.returncode, err) == (code, b"interrupted\n")
    assert time.monotonic() - began < 15
    assert not left_over(str(stage.bin))


def left_over(word: str) -> list[str]:
    """Return the processes whose arguments contain a word."""
    found = []
    for process in os.listdir("/proc") if os.path.isdir("/proc") else []:  # noqa: PTH112, PTH208 - names alone
        with contextlib.suppress(OSError), open(f"/proc/{process}/cmdline", "rb") as stream:  # noqa: PTH123
            if word.encode() in stream.read():
                found.append(process)
    return found


def test_what_runs_for_a_person_is_ended_too(stage: Stage, running: FakeEngine) -> None:
    stage.answer("exec", sleep_s=25)

    with stage.begin("stack.exec", "-s", "web", "--", "sleep", "25") as child:
        mark = stage.await_call("exec")["argv"][3]
        child.send_signal(signal.SIGTERM)
        stage.answer("--user 0")
        child.communicate(timeout=20)

    assert child.returncode == 143
    # What it left running inside the container is found by its mark.
    assert stage.calls("--user 0")[-1]["argv"][-1] == mark.partition("=")[2]
    assert not left_over(str(stage.bin))
