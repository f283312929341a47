"""`db.*`: the client of the database, its address, and letting the app in again."""

from __future__ import annotations

from invoke_stack.tasks._db_stack import TARGET, around, running_stack
from invoke_stack.tasks._task import Run, stack_task


@stack_task(help={"command": "Run this SQL and end; rows come bare into a pipe.", **TARGET})
def shell(run: Run, command: str = "", target: str = "") -> None:
    """Open psql on the database, or run SQL: inv db.shell -c SQL, inv db.shell < FILE."""
    from invoke_stack.database import locate
    from invoke_stack.database import shell as domain
    from invoke_stack.tasks import _show

    with around(run, needed=not target) as (found, engine):
        meant = locate.find(run.project, found, engine, target, run.console.report)
    request = domain.Request(command, keyboard=_show.keyboard(), screen=_show.screen())
    if request.interactive:
        run.console.note(f"database {meant.database} of {meant.where}")
    domain.run(run.project, meant, request)


@stack_task(
    json=True,
    help={
        "view": "host or stack: as this machine or as a container reaches it.",
        "reveal": "Print the password in clear.",
        **TARGET,
    },
)
def url(run: Run, target: str = "", view: str = "host", reveal: bool = False) -> None:
    """Print the database's URL, masked."""
    from invoke_stack.database import url as domain

    with around(run, needed=False) as (found, engine):
        address = domain.find(run.project, found, engine, target, view)
    if run.json:
        run.console.document(address.document(reveal=reveal), reveal=reveal)
        return
    run.console.result(address.text if reveal else address.masked, reveal=reveal)


@stack_task(json=True, yes=True)
def repair(run: Run) -> None:
    """Let the app in again after its user or password changed; no data is lost."""
    from invoke_stack.database import repair as domain

    with running_stack(run) as (found, engine):
        done = domain.repair(run.project, found, engine, run.confirm, run.console.report)
    if run.json:
        run.console.document(done.document())
        return
    for change in done.changes:
        run.console.result(change.text)
    login = f"user {done.target.login.user} logs in to database {done.target.database}"
    if not done.problem:
        run.console.note(f"nothing to repair: {login}")
    elif done.changes:
        run.console.note(f"{login} again; services that gave up: inv stack.up")
