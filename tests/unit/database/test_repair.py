import os
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.database import logins, repair, target
from invoke_stack.database.logins import Server
from invoke_stack.database.target import Target
from invoke_stack.database.values import Login
from invoke_stack.errors import StackError, UsageError

REFUSED = 'psql: error: FATAL:  password authentication failed for user "app"\n'
MISSING = 'psql: error: FATAL:  database "shop" does not exist\n'
STATE = b'{"super": true, "roles": ["app", "old"], "databases": {"shop": 1, "postgres": 2}}\n'
# The first row of pg_authid between two pieces of other rows.
ROW = b"\x17\0\0\0" + b"\n\0\0\0" + b"first".ljust(64, b"\0") + b"\x01" * 7 + b"\xff\xfe"


@pytest.fixture
def found(project: Any, declared: Any, engine: Any) -> Target:
    return target.find(project, declared, engine)


def server(*roles: str, **databases: int) -> Server:
    return Server("postgres", roles, databases)


def statements(target: Target, found: Server) -> list[str]:
    return [each.statement for each in repair.plan(target, found)]


def test_a_role_that_is_there_gets_the_new_password(found: Target) -> None:
    assert statements(found, server("app", shop=1)) == [
        "ALTER ROLE \"app\" WITH LOGIN PASSWORD 'canary-pw';"
    ]


def test_role_and_database_that_are_missing_are_made(found: Target) -> None:
    assert statements(found, server("old", olddb=1)) == [
        "CREATE ROLE \"app\" WITH LOGIN SUPERUSER PASSWORD 'canary-pw';",
        'CREATE DATABASE "shop" OWNER "app";',
    ]


def test_names_and_passwords_are_quoted(found: Target) -> None:
    import dataclasses

    login = Login('we"ird', 'my "db"', "it's \\ :x")
    odd = dataclasses.replace(found, login=login)

    assert statements(odd, server()) == [
        "CREATE ROLE \"we\"\"ird\" WITH LOGIN SUPERUSER PASSWORD 'it''s \\ :x';",
        'CREATE DATABASE "my ""db""" OWNER "we""ird";',
    ]


def test_the_question_tells_every_change_and_where_older_data_is(found: Target) -> None:
    there = server("old", olddb=3 * 1024**2, postgres=1)
    text = repair.question(found, "it does not let user app in", repair.plan(found, there), there)

    assert text == (
        "service pg: it does not let user app in; its volume was made with other values. "
        "This would\n"
        "  create role app, a superuser as the image makes it, with its password\n"
        "  create the empty database shop\n"
        "  the volume also has olddb (3.0 MiB): if your data is there, name that one instead\n"
        "and leave everything else as it is. Go on?"
    )
    assert "canary-pw" not in repr(repair.plan(found, there))


def test_a_login_that_works_leaves_nothing_to_do(
    project: Any, declared: Any, engine: Any, docker: Any
) -> None:
    done = repair.repair(project, declared, engine, refuse)

    assert done.changes == ()
    assert done.document() == {
        "service": "pg",
        "database": "shop",
        "user": "app",
        "problem": None,
        "done": [],
    }


def refuse(question: str, word: str = "") -> None:
    raise AssertionError(question)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("", ""),
        (REFUSED, "it does not let user app in"),
        (MISSING, "there is no database shop"),
        ("psql: error: something else\n", ""),
    ],
)
def test_what_the_server_says_is_the_problem(
    project: Any, found: Target, docker: Any, said: str, expected: str
) -> None:
    docker.answer("psql SELECT 1;", code=2 if said else 0, err=said)

    assert logins.problem(project, found) == expected


def test_a_server_that_starts_is_asked_again(project: Any, found: Target, docker: Any) -> None:
    docker.answer("psql SELECT 1;", code=2, err="FATAL:  the database system is starting up")

    assert logins.problem(project, found, patience_s=0.7) == ""
    assert len(docker.asked) > 1


def test_the_first_superuser_is_read_from_the_data(
    project: Any, found: Target, docker: Any
) -> None:
    docker.forget("psql json_build_object")
    docker.answer("psql rolsuper", code=2, err='FATAL:  role "app" does not exist')
    docker.answer("cat /data/global/1260", ROW)

    with pytest.raises(StackError, match="lets no superuser in"):
        logins.server(project, found, "/data")
    tried = [words for words in docker.asked if "psql" in words]
    assert len(tried) == 3  # app, postgres, first


@pytest.mark.skipif(os.name != "posix", reason="the program is a script with a #! line")
def test_without_docker_the_data_is_read_here(
    project: Any, declared: Any, embedded: Any, tmp_path: Path
) -> None:
    asked = tmp_path / "asked"
    program = embedded.folder / "psql"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$PGUSER" >> {asked}\nexit 2\n')
    program.chmod(0o755)
    folder = project.root / ".invoke-stack/embedded/pg/data/global"
    folder.mkdir(parents=True)
    (folder / "1260").write_bytes(ROW)
    found = target.find(project, declared, embedded)

    with pytest.raises(StackError, match="lets no superuser in"):
        logins.server(project, found, found.address["PGDATA"])
    assert asked.read_text().split() == ["app", "postgres", "first"]


@pytest.mark.skipif(os.name != "posix", reason="the program is a script with a #! line")
def test_without_docker_the_app_is_let_in_over_this_machines_network(
    project: Any, declared: Any, embedded: Any
) -> None:
    program = embedded.folder / "psql"
    program.parent.mkdir()
    script = '[ "$PGHOST $PGPORT $PGPASSWORD" = "127.0.0.1 5433 canary-pw" ]'
    program.write_text(f"#!/bin/sh\n{script} && echo >&2 'FATAL: no password supplied'\nexit 2\n")
    program.chmod(0o755)

    found = target.find(project, declared, embedded)
    assert logins.problem(project, found) == "it does not let user app in"


def test_the_server_is_seen_by_whoever_gets_in(project: Any, found: Target, docker: Any) -> None:
    docker.forget("psql json_build_object")
    docker.answer("psql rolsuper", STATE)

    assert logins.server(project, found) == Server(
        "app", ("app", "old"), {"shop": 1, "postgres": 2}
    )


def test_without_any_password_there_is_none_to_give(
    project: Any, declare: Any, engine: Any
) -> None:
    from invoke_stack.compose.model import Service

    pg = Service("pg", image="postgres:16", environment={"POSTGRES_HOST_AUTH_METHOD": "trust"})

    with pytest.raises(UsageError, match="no password is set"):
        repair.repair(project, declare(pg), engine, refuse)


def test_a_password_file_is_read_in_the_container(
    project: Any, declare: Any, engine: Any, docker: Any
) -> None:
    from invoke_stack.compose.model import Service

    engine.env = {"POSTGRES_PASSWORD_FILE": "/run/secrets/pw"}
    docker.answer("cat /run/secrets/pw", b"canary-file\n")

    done = repair.repair(project, declare(Service("pg", image="postgres:16")), engine, refuse)

    assert done.target.login.password == "canary-file"
    assert project.secrets.hide("canary-file") == "***"
