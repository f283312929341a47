"""The stack's cache: its client, what is in it, and emptying it."""

from __future__ import annotations

from invoke_stack.tasks._db_stack import running_stack
from invoke_stack.tasks._task import Run, stack_task


@stack_task(help={"db": "The number of the database inside the cache."})
def shell(run: Run, db: int = 0) -> None:
    """Open the cache's client, or send a command: inv cache.shell -- GET KEY."""
    from invoke_stack.cache import shell as domain
    from invoke_stack.cache import target
    from invoke_stack.tasks import _show

    with running_stack(run) as (found, engine):
        cache = target.find(run.project, found, engine)
    terminal = _show.terminal().interactive
    domain.run(run.project, cache, _show.remainder(), db=db, terminal=terminal)


@stack_task(json=True)
def info(run: Run) -> None:
    """Show version, memory, keys, persistence and clients."""
    from invoke_stack.cache import info as domain
    from invoke_stack.cache import target
    from invoke_stack.tasks import _show_cache

    with running_stack(run) as (found, engine):
        cache = target.find(run.project, found, engine)
        _show_cache.info(run, cache.service, domain.info(run.project, cache))


@stack_task(
    json=True,
    yes=True,
    help={"db": "Only the database of this number; all of them by default."},
)
def flush(run: Run, db: int = -1) -> None:
    """Remove the keys of this stack's cache, after asking."""
    from invoke_stack.cache import flush as domain
    from invoke_stack.tasks import _show_cache

    with running_stack(run) as (found, engine):
        done = domain.flush(run.project, found, engine, run.confirm, db, run.console.report)
    _show_cache.flushed(run, done)
