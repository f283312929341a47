from typing import Any

import pytest

from invoke_stack.compose.model import Service
from invoke_stack.database import sessions, target
from invoke_stack.database.target import Target
from invoke_stack.errors import StackError, UnreachableError, UsageError
from invoke_stack.process import Command


def test_the_database_is_found_by_image_and_its_login_in_its_environment(
    project: Any, declared: Any, engine: Any
) -> None:
    found = target.find(project, declared, engine)

    assert (found.project, found.service, found.container) == ("shop", "pg", "id-pg")
    assert (found.login.user, found.database, found.login.password) == ("app", "shop", "canary-pw")
    assert "canary-pw" not in repr(found)
    assert project.secrets.hide("it is canary-pw") == "it is ***"


def test_what_the_container_was_made_with_wins_over_the_files(
    project: Any, declared: Any, engine: Any
) -> None:
    engine.env = {"POSTGRES_DB": "older"}

    assert target.find(project, declared, engine).database == "older"


def test_settings_win_over_both(make_project: Any, declared: Any, engine: Any) -> None:
    found = target.find(make_project(name="mine", user="me"), declared, engine)

    assert (found.login.user, found.database) == ("me", "mine")


def test_a_container_that_runs_is_preferred(project: Any, declared: Any, make_engine: Any) -> None:
    assert target.find(project, declared, make_engine("exited", "running")).container == "id-pg"


@pytest.mark.parametrize(
    ("state", "message"),
    [("", "service pg: has no container"), ("exited", "service pg: is not running (exited)")],
)
def test_a_database_that_does_not_run_is_unreachable(
    project: Any, declared: Any, make_engine: Any, state: str, message: str
) -> None:
    with pytest.raises(UnreachableError) as caught:
        target.find(project, declared, make_engine(state))

    assert str(caught.value) == message
    assert caught.value.hint == "start it with: inv stack.up"


def test_of_several_databases_the_modes_own_is_taken(
    project: Any, declare: Any, engine: Any
) -> None:
    both = (Service("pg", image="postgres:16"), Service("other", image="postgres:16"))

    assert target.service_of(project, declare(*both, active=("pg",))).name == "pg"
    with pytest.raises(UsageError, match="several database services"):
        target.service_of(project, declare(*both))


def test_a_named_service_is_taken_whatever_its_image(make_project: Any, declare: Any) -> None:
    model = declare(Service("data", image="my/own"))

    assert target.service_of(make_project(service="data"), model).name == "data"


def test_a_stack_without_a_database_is_an_error(project: Any, declare: Any) -> None:
    with pytest.raises(UsageError, match="no database service"):
        target.service_of(project, declare(Service("web")))


@pytest.fixture
def found(project: Any, declared: Any, engine: Any) -> Target:
    return target.find(project, declared, engine)


def test_a_call_names_variables_and_keeps_their_values_out_of_the_arguments(found: Target) -> None:
    command = found.inside(("pg_dump", "-x"), application="invstack-1")

    assert str(command) == (
        "docker exec --env PGAPPNAME --env PGCONNECT_TIMEOUT --env PGDATABASE --env PGUSER "
        "--env PGPASSWORD id-pg pg_dump -x"
    )
    assert command.env["PGPASSWORD"] == "canary-pw"
    assert command.env["PGAPPNAME"] == "invstack-1"
    assert command.effect == "write"


def test_a_call_that_is_fed_asks_for_stdin(found: Target) -> None:
    command = found.inside(("psql",), fed=True, read=True)

    assert command.argv[:3] == ("docker", "exec", "--interactive")
    assert command.effect == "read"


def test_a_failed_query_shows_the_servers_words_without_secrets(
    project: Any, found: Target, docker: Any
) -> None:
    docker.answer("psql", code=3, err="ERROR: canary-pw is not a number")

    with pytest.raises(StackError) as caught:
        target.ask(project, found, "SELECT 1;")

    assert str(caught.value) == "database shop: psql ended with code 3"
    assert caught.value.detail == ("ERROR: *** is not a number",)


def test_session_names_fit_the_server_and_belong_to_one_lock(project: Any, found: Target) -> None:
    lock = sessions.lock_path(project.state, found)
    one, two = sessions.new_name(lock), sessions.new_name(lock)

    assert one != two
    assert one.startswith(sessions.prefix(lock))
    assert len(one) < 64
    assert sessions.prefix(lock) != sessions.prefix(lock.with_name("other.lock"))


def test_ending_sessions_looks_again_until_none_is_left(
    project: Any, found: Target, docker: Any
) -> None:
    assert sessions.end(project, found, "invstack-1") == 0
    assert len(docker.asked) == 1

    docker.answer("psql pg_terminate_backend", code=2)
    with pytest.raises(StackError, match="psql ended with code 2"):
        sessions.end(project, found, "invstack-1")


def test_without_docker_the_servers_own_programs_run_here_over_its_socket(
    project: Any, declared: Any, embedded: Any
) -> None:
    found = target.find(project, declared, embedded)

    assert (found.container, found.place, found.where) == ("", "stack", "service pg")
    assert found.inside(("pg_dump", "-x"), application="invstack-1") == Command(
        ("pg_dump", "-x"),
        env={
            **embedded.near,
            "PGDATA": str(project.root / ".invoke-stack/embedded/pg/data"),
            "PGAPPNAME": "invstack-1",
            "PGCONNECT_TIMEOUT": "5",
            "PGDATABASE": "shop",
            "PGUSER": "app",
            "PGPASSWORD": "canary-pw",
        },
        without=("PG*",),
        programs=embedded.folder,
    )


def test_what_does_not_run_without_docker_has_no_container_to_speak_of(
    project: Any, declared: Any, embedded: Any
) -> None:
    embedded.found = ()

    with pytest.raises(UnreachableError) as caught:
        target.find(project, declared, embedded)
    assert str(caught.value) == "service pg: is not running"


def test_a_program_of_this_machine_that_fails_is_named(
    project: Any, declared: Any, embedded: Any, docker: Any
) -> None:
    script = embedded.folder / "psql"
    script.write_text("#!/bin/sh\necho ERROR: of its own >&2\nexit 3\n")
    script.chmod(0o755)

    with pytest.raises(StackError, match="psql ended with code 3") as caught:
        target.ask(project, target.find(project, declared, embedded), "SELECT 1;")
    assert caught.value.detail == ("ERROR: of its own",)


def test_data_is_at_stake_also_when_its_server_is_gone(
    project: Any, declare: Any, make_engine: Any, embedded: Any
) -> None:
    services = (
        Service("pg", image="postgres:16", volumes=("data",)),
        Service("bare", image="postgres:16"),
        Service("web", image="node:22", volumes=("web",)),
    )
    stack, stopped = declare(*services), make_engine("exited")

    assert target.at_stake(project, stack, stopped) == ("pg",)
    stopped.found, stopped.kept = (), ("shop_data", "shop_bare", "shop_web")
    assert target.at_stake(project, stack, stopped) == ("pg",)
    embedded.found, embedded.kept = (), ("shop_data", "shop_bare")
    assert target.at_stake(project, stack, embedded) == ("bare", "pg")
