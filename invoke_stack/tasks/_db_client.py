"""`db.*`: the client of the database and its address."""

from __future__ import annotations

from invoke_stack.tasks._db_stack import TARGET, around
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
