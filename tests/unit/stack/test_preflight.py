from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from invoke_stack import events
from invoke_stack.compose.variables import Variable
from invoke_stack.engines.containers import Container
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import ExitCode, UsageError
from invoke_stack.project import Project
from invoke_stack.stack import preflight

Make = Callable[..., Container]
Declare = Callable[..., Declared]
MakeProject = Callable[..., Project]

SERVICES: dict[str, Any] = {
    "web": {"depends_on": ["db", "redis"]},
    "db": {},
    "redis": {},
    "worker": {"depends_on": ["web"], "profiles": ["jobs"]},
    "ui": {"profiles": ["tools"], "depends_on": ["db"]},
}


@pytest.mark.parametrize(
    ("chosen", "wanted"),
    [
        ((), ("db", "redis", "web")),
        (("db",), ("db",)),
        (("web",), ("db", "redis", "web")),
        (("worker",), ("db", "redis", "web", "worker")),
        (("db", "db"), ("db",)),
    ],
)
def test_chosen_services_come_with_what_they_depend_on(
    declare: Declare, chosen: tuple[str, ...], wanted: tuple[str, ...]
) -> None:
    assert preflight.services(declare(SERVICES), chosen) == wanted


def test_the_profiles_of_the_mode_are_started_too(declare: Declare) -> None:
    declared = declare(SERVICES, profiles=("jobs",))

    assert preflight.services(declared, ()) == ("db", "redis", "web", "worker")


def test_a_dependency_that_is_not_in_this_mode_is_not_waited_for(declare: Declare) -> None:
    services = {"web": {"depends_on": ["ui"]}, "ui": {"profiles": ["tools"]}}

    assert preflight.services(declare(services), ()) == ("web",)


def test_services_that_depend_on_each_other_in_a_circle_end(declare: Declare) -> None:
    services = {"a": {"depends_on": ["b"]}, "b": {"depends_on": ["a", "gone"]}}

    assert preflight.services(declare(services), ["a"]) == ("a", "b")


def test_an_unknown_service_names_the_nearest_one(declare: Declare) -> None:
    with pytest.raises(UsageError) as caught:
        preflight.services(declare(SERVICES, files=("compose.yaml", "compose.dev.yaml")), ["wbe"])

    assert str(caught.value) == "compose.yaml, compose.dev.yaml: no such service: wbe"
    assert caught.value.hint == "did you mean web? services: db, redis, ui, web, worker"
    assert caught.value.code == ExitCode.USAGE


def test_a_service_like_no_other_lists_them_all(declare: Declare) -> None:
    with pytest.raises(UsageError) as caught:
        preflight.services(declare(SERVICES), ["zzz"])

    assert caught.value.hint == "services: db, redis, ui, web, worker"


def test_a_mode_without_services_names_the_profiles(declare: Declare) -> None:
    services = {name: SERVICES[name] for name in ("worker", "ui")}

    with pytest.raises(UsageError) as caught:
        preflight.services(declare(services, mode="staging"), ())

    assert str(caught.value) == "--staging: no service is active in this mode"
    assert caught.value.hint == "profiles in the compose files: jobs, tools"


def needed(name: str, line: int, message: str | None = "") -> Variable:
    return Variable(name, ":?", None, message, "compose.yaml", line)


def test_no_missing_variable_is_fine(make_project: MakeProject, declare: Declare) -> None:
    preflight.variables(make_project(), declare({}))


def test_one_missing_variable_is_named_with_its_place(
    make_project: MakeProject, declare: Declare
) -> None:
    with pytest.raises(UsageError) as caught:
        preflight.variables(
            make_project(), declare({}, missing=(needed("DB_PASSWORD", 7),), layers=(".env",))
        )

    assert str(caught.value) == "compose.yaml:7: DB_PASSWORD is required and not set"
    assert caught.value.hint == "set it in .env"
    assert caught.value.detail == ()


def test_the_projects_own_words_about_a_variable_are_shown(
    make_project: MakeProject, declare: Declare
) -> None:
    with pytest.raises(UsageError) as caught:
        preflight.variables(
            make_project(), declare({}, missing=(needed("DB_PASSWORD", 7, "ask the team"),))
        )

    assert caught.value.detail == ("compose.yaml:7: DB_PASSWORD: ask the team",)


def test_all_missing_variables_are_told_at_once(
    make_project: MakeProject, declare: Declare
) -> None:
    missing = (needed("DB_PASSWORD", 7, "ask"), needed("TOKEN", 9, None))

    with pytest.raises(UsageError) as caught:
        preflight.variables(make_project(), declare({}, missing=missing))

    assert str(caught.value) == "compose.yaml:7: 2 required variables are not set"
    assert caught.value.hint.startswith("set them in .env; inv env.init proposes one")
    assert caught.value.detail == (
        "compose.yaml:7: DB_PASSWORD: ask",
        "compose.yaml:9: TOKEN",
    )


@pytest.fixture
def env_files(
    declare: Declare, make_project: MakeProject, tmp_path: Path
) -> Callable[..., tuple[str, ...]]:
    """Write files and check the env files that the service `web` names."""

    def env_files(*names: str, entries: tuple[Any, ...] = (".env.docker",)) -> tuple[str, ...]:
        project = make_project(files=dict.fromkeys(names, ""))
        forms = [each if isinstance(each, dict) else {"path": each} for each in entries]
        listed = [{**each, "path": str(tmp_path / each["path"])} for each in forms]
        return preflight.env_files(project, declare({"web": {"env_file": listed}}), ("web",))

    return env_files


def test_env_files_that_are_there_need_no_note(env_files: Callable[..., Any]) -> None:
    assert env_files(".env.docker") == ()


def test_an_env_file_that_need_not_be_there_needs_no_note(env_files: Callable[..., Any]) -> None:
    assert env_files(entries=({"path": ".env.docker", "required": False},)) == ()


@pytest.mark.parametrize(
    "template", [".env.docker.example", ".env.docker.sample", ".env.docker.dist"]
)
def test_a_missing_env_file_with_a_template_is_a_note(
    env_files: Callable[..., Any], template: str
) -> None:
    (note,) = env_files(template)

    assert note == (
        ".env.docker is not there yet, web runs on the compose files' defaults: "
        f"inv env.init makes it from {template}"
    )


def test_the_one_template_that_nothing_claims_is_meant(env_files: Callable[..., Any]) -> None:
    (note,) = env_files(".env.container.example", entries=(".env.local",))

    assert note.endswith("inv env.init makes it from .env.container.example")


def test_two_services_with_one_missing_file_get_a_note_each(
    declare: Declare, make_project: MakeProject, tmp_path: Path
) -> None:
    project = make_project(files={".env.example": ""})
    body = {"env_file": str(tmp_path / ".env")}

    notes = preflight.env_files(project, declare({"a": body, "b": body}), ("a", "b"))

    assert [note.partition(",")[2].split()[0] for note in notes] == ["a", "b"]


def test_a_missing_env_file_without_a_template_is_an_error(env_files: Callable[..., Any]) -> None:
    with pytest.raises(UsageError) as caught:
        env_files()

    assert str(caught.value) == "web: env_file .env.docker does not exist and has no template"
    assert caught.value.hint.startswith("write it")
    assert caught.value.hint.endswith("or mark it `required: false` in compose.yaml")


def test_of_two_leftover_templates_none_is_guessed(env_files: Callable[..., Any]) -> None:
    with pytest.raises(UsageError):
        env_files(".env.a.example", ".env.b.example", entries=(".env.local",))


@pytest.mark.parametrize(
    "text", ['{"version":"v2.24.4"}', '{"version":"2.26.1-4"}', '{"version":"5.0.0-desktop.1"}']
)
def test_a_compose_that_is_new_enough_passes(
    make_project: MakeProject, runner: Any, text: str
) -> None:
    runner.answer("docker compose version", text)

    assert preflight.compose_version(make_project()) in text


@pytest.mark.parametrize(
    ("text", "version"),
    [('{"version":"v2.24.3"}', "2.24.3"), ("Docker Compose version v2.2.3", "2.2.3")],
)
def test_a_compose_that_is_too_old_is_named(
    make_project: MakeProject, runner: Any, text: str, version: str
) -> None:
    runner.answer("docker compose version", text)

    with pytest.raises(UsageError) as caught:
        preflight.compose_version(make_project())

    assert str(caught.value) == f"docker compose: version {version} is too old"
    assert (
        caught.value.hint
        == "update Docker Compose to 2.24.4 or newer (docker-compose-plugin): https://docs.docker.com/compose/install/"
    )


@pytest.mark.parametrize(("stdout", "code"), [("", 1), ("no number", 0)])
def test_a_docker_without_compose_says_what_to_install(
    make_project: MakeProject, runner: Any, stdout: str, code: int
) -> None:
    runner.answer("docker compose version", stdout, stderr="'compose' is not", code=code)

    with pytest.raises(UsageError) as caught:
        preflight.compose_version(make_project())

    assert str(caught.value) == "docker compose: the Compose plugin is not installed"
    assert "docker-compose-plugin" in caught.value.hint


def test_a_doubled_port_is_warned_about_with_the_line_to_write(
    declare: Declare, make_project: MakeProject
) -> None:
    said: list[events.Event] = []
    services = {"web": {"ports": ["3000:3000", "3001:3000"]}}
    declared = declare(services, files=("compose.yaml", "compose.prod.yaml"))

    preflight.doubled(make_project(), declared, said.append)

    assert said == [
        events.Warned(
            "web: container port 3000 is published on 3000 and 3001, because Compose adds the "
            "override's ports to the base file's",
            'to replace them write in compose.prod.yaml: ports: !override ["3001:3000"]',
        )
    ]


def test_running_services_that_the_mode_lacks_are_found(
    declare: Declare, make_container: Make
) -> None:
    found = [make_container(name) for name in ("web", "ui", "old", "ui")]

    assert preflight.orphans(declare(SERVICES), found) == ("old", "ui")


def test_an_engine_elsewhere_is_not_asked_for_its_disk() -> None:
    preflight.disk(namedtuple("Engine", "data_folder")(lambda: None))  # type: ignore[arg-type]  # noqa: PYI024


def test_an_engine_with_room_on_its_disk_passes(tmp_path: Path) -> None:
    preflight.disk(namedtuple("Engine", "data_folder")(lambda: tmp_path))  # type: ignore[arg-type]  # noqa: PYI024


def test_an_env_file_that_is_a_folder_is_an_error(
    env_files: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / ".env.docker").mkdir()

    with pytest.raises(UsageError, match=r"web: env_file \.env\.docker is not a file"):
        env_files()


def test_files_without_any_service_say_where_to_write_one(declare: Declare) -> None:
    with pytest.raises(UsageError) as caught:
        preflight.services(declare({}), ())

    assert caught.value.hint.startswith("write one below `services:` in ")
