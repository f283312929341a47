from __future__ import annotations

from pathlib import Path

from invoke_stack.compose import commands
from invoke_stack.compose.commands import ComposeCall

CALL = ComposeCall(
    files=(Path("/p/compose.yaml"), Path("/p/.invoke-stack/override.yml")),
    folder=Path("/p"),
    name="shop",
    profiles=("dev", "tools"),
    env={"DB_PASSWORD": "canary"},
)
BARE = ComposeCall(files=(Path("/p/compose.yaml"),), folder=Path("/p"))
HEAD = (
    "docker compose --project-name shop --project-directory /p --file /p/compose.yaml"
    " --file /p/.invoke-stack/override.yml --profile dev --profile tools"
)


def test_a_call_names_project_folder_files_and_profiles() -> None:
    command = CALL.command("ps")

    assert str(command) == f"{HEAD} ps"
    assert command.cwd == Path("/p")
    assert command.effect == "write"


def test_a_call_without_a_name_leaves_it_to_compose() -> None:
    command = BARE.command("ps", read=True)

    assert str(command) == ("docker compose --project-directory /p --file /p/compose.yaml ps")
    assert command.effect == "read"


def test_values_travel_in_the_environment_and_show_nowhere() -> None:
    command = commands.up(CALL, (), recreate=False)

    assert command.env == {"DB_PASSWORD": "canary"}
    assert "canary" not in f"{command}{command!r}{CALL!r}"


def test_a_folder_with_a_space_stays_one_argument() -> None:
    call = ComposeCall(files=(Path("/my p/compose.yaml"),), folder=Path("/my p"))

    assert call.command("ps").argv == (
        "docker",
        "compose",
        "--project-directory",
        "/my p",
        "--file",
        "/my p/compose.yaml",
        "ps",
    )


def test_the_model_is_read_with_and_without_interpolation() -> None:
    plain = commands.config(BARE, interpolate=True)
    raw = commands.config(BARE, interpolate=False)

    assert plain.argv[-3:] == ("config", "--format", "json")
    assert raw.argv[-4:] == ("config", "--format", "json", "--no-interpolate")
    assert plain.effect == raw.effect == "read"


def test_building_shows_plain_progress() -> None:
    assert str(commands.build(CALL, ["web"])) == f"{HEAD} --progress plain build web"


def test_pulling_names_the_services() -> None:
    assert str(commands.pull(CALL, ["db", "redis"])) == f"{HEAD} pull db redis"


def test_starting_neither_builds_nor_waits() -> None:
    assert str(commands.up(CALL, (), recreate=False)) == (
        f"{HEAD} up --detach --no-build --quiet-pull"
    )


def test_starting_can_recreate_and_limit_the_time_to_stop() -> None:
    assert str(commands.up(CALL, ["web"], recreate=True, timeout_s=5)) == (
        f"{HEAD} up --detach --no-build --quiet-pull --force-recreate --timeout 5 web"
    )


def test_a_call_by_name_loads_no_compose_file_from_anywhere() -> None:
    command = commands.by_name("shop", "stop", "web")

    assert str(command) == "docker compose --project-name shop stop web"
    assert command.cwd == Path(Path.cwd().anchor)
    assert command.env == {
        "COMPOSE_DISABLE_ENV_FILE": "1",
        "COMPOSE_FILE": "",
        "COMPOSE_PROFILES": "",
    }
    assert command.effect == "write"
    assert commands.by_name("shop", "ps", read=True).effect == "read"
