"""`--target` of db.seed, db.status and db.migrate: another database, behind the rails."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from prisma_projects import CONFIG, SCHEMA, VERSIONS
from stacks import free_port, run_docker

if TYPE_CHECKING:
    from prisma_projects import App, Begun

COUNT = 'SELECT count(*) FROM "User"'
COMPOSE = """
name: {name}
services:
  pg:
    image: postgres:16-alpine
    environment: {{POSTGRES_PASSWORD: x}}
    ports: ["127.0.0.1:{port}:5432"]
"""


def another(app: App) -> str:
    """Make a second database on the server, migrated; return its name."""
    assert app.server is not None
    name = f"{app.database}_other"
    app.server.psql("app", f'CREATE DATABASE "{name}" TEMPLATE migrated{app.version}')
    return name


def rows(app: App, database: str = "") -> str:
    assert app.server is not None
    return app.server.psql(database or app.database, COUNT)


def foreign(app: App) -> None:
    """Give the project a stack of its own that does not run: the server is somebody else's."""
    (app.folder / "invoke.yaml").unlink()
    app.write("compose.yaml", COMPOSE.format(name=f"{app.name}-{app.database}", port=free_port()))
    assert app.server is not None
    login = f"postgresql://app:{app.server.password}"
    format_ = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    away = run_docker("inspect", "--format", format_, app.server.container)
    app.write(
        ".env",
        f"DATABASE_URL=postgresql://postgres:x@pg:5432/postgres\n"
        f"NEAR_URL={login}@localhost:{app.server.port}/{app.database}\n"
        f"FAR_URL={login}@{away}:5432/{app.database}\n",
    )


def first_rows_go_to_the_database_that_a_variable_names(app: App) -> None:
    other = another(app)
    text = (app.folder / ".env").read_text()
    app.write(".env", text + text.replace("DATABASE_URL", "OTHER_URL").replace(app.database, other))

    seeded = app.inv("db.seed", "--target", "OTHER_URL").ok()

    assert "seeded the first user" in seeded.stderr
    assert (rows(app), rows(app, other)) == ("0", "1")
    unknown = app.inv("db.seed", "--target", "NO_URL")
    assert (unknown.code, "OTHER_URL" in unknown.stderr) == (2, True)


def a_server_on_this_machine_that_is_no_service_of_the_stack_is_asked_about(app: App) -> None:
    foreign(app)
    words = ("db.seed", "--target", "NEAR_URL")

    refused = app.inv(*words)
    assert (refused.code, rows(app)) == (4, "0")
    assert "(this machine, or a tunnel)" in refused.stderr

    app.inv(*words, "--yes").ok()
    assert rows(app) == "1"
    assert app.inv("db.status", "--target", "NEAR_URL").ok().stdout == "up to date\n"


def a_server_elsewhere_is_seeded_only_by_its_name(app: App) -> None:
    foreign(app)
    words = ("db.seed", "--target", "FAR_URL", "--yes")

    refused = app.inv(*words)
    assert (refused.code, rows(app)) == (4, "0")
    assert refused.hint.endswith(f"--allow-remote --confirm {app.database}")
    for flags in (("--allow-remote",), ("--allow-remote", "--confirm", "shop")):
        assert app.inv(*words, *flags).code == 4
    assert rows(app) == "0"

    app.inv(*words, "--allow-remote", "--confirm", app.database).ok()
    assert rows(app) == "1"


def a_protected_database_is_seeded_only_by_its_name(app: App) -> None:
    foreign(app)
    app.sql(f'ALTER DATABASE "{app.database}" SET invoke_stack.protected = on')
    words = ("db.seed", "--target", "NEAR_URL", "--yes")

    assert (app.inv(*words).code, rows(app)) == (4, "0")
    app.inv(*words, "--confirm", app.database).ok()
    assert rows(app) == "1"


def outside_development_first_rows_are_asked_about(app: App) -> None:
    assert (app.inv("db.seed", "--prod").code, rows(app)) == (4, "0")
    app.inv("db.seed", "--prod", "--yes").ok()
    assert rows(app) == "1"


def a_url_in_prismas_own_files_is_never_taken_for_the_one_that_was_named(app: App) -> None:
    text = (app.folder / ".env").read_text()
    app.write(".env", text + text.replace("DATABASE_URL", "OTHER_URL"))
    if app.version == "6":
        plain = SCHEMA["6"].format("", "").replace('env("DATABASE_URL")', '"postgresql://a@b/c"')
        app.write("prisma/schema.prisma", plain)
    else:
        app.write("prisma.config.ts", CONFIG.replace("env('DATABASE_URL')", "'postgresql://a@b/c'"))
    for task in ("db.seed", "db.studio", "db.migrate"):
        refused = app.inv(task, "--target", "OTHER_URL", "--prod", "--yes")
        wanted = 0 if task == "db.migrate" else 2  # which has nothing to do here
        assert refused.code == wanted, refused.text
        if wanted:
            assert "the datasource's URL is written out" in refused.error


def a_script_that_leads_elsewhere_hears_from_prisma_that_nobody_answers(app: App) -> None:
    """Our own look at the journal is answered: it is Prisma that finds nobody.

    The script is what programs that keep secrets elsewhere are called by (`doppler run --`).
    """
    port = free_port()
    app.write("vault", f'DATABASE_URL=postgresql://app:x@127.0.0.1:{port}/shop exec "$@"\n')
    path = app.folder / "package.json"
    scripts = {"migrate:deploy": "sh vault prisma migrate deploy"}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"scripts": scripts}))
    app.migration("20240102000000_more", "SELECT 1;")

    result = app.inv("db.migrate", "--prod", "--yes", environ={"INVSTACK_DB_SAFETY": "false"})

    assert result.code == 6, result.text
    assert f"no database server answers at 127.0.0.1:{port}" in result.error
    assert "inv stack.up" in result.hint
    assert f"P1001: Can't reach database server at `127.0.0.1:{port}`" in result.stderr


FRESH = ()
EVERYWHERE = (
    first_rows_go_to_the_database_that_a_variable_names,
    a_url_in_prismas_own_files_is_never_taken_for_the_one_that_was_named,
    a_script_that_leads_elsewhere_hears_from_prisma_that_nobody_answers,
)
RAILS = (  # before Prisma comes in
    a_server_on_this_machine_that_is_no_service_of_the_stack_is_asked_about,
    a_server_elsewhere_is_seeded_only_by_its_name,
    a_protected_database_is_seeded_only_by_its_name,
    outside_development_first_rows_are_asked_about,
)
CASES = [*((each, version) for each in EVERYWHERE for version in VERSIONS)]
CASES += [(each, "7") for each in RAILS]


@pytest.mark.parametrize(
    ("scenario", "version"), CASES, ids=[f"{each.__name__}-{version}" for each, version in CASES]
)
def test_targets(begun: Begun) -> None:
    begun.result()
