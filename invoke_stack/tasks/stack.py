"""The stack: up, down, and everything in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from invoke_stack.tasks._task import Run, require_seconds, stack_task

if TYPE_CHECKING:
    from invoke_stack.environment.declared import Declared

SERVICE = {"service": "Only this service; repeat for more."}


@stack_task(
    json=True,
    iterable=("service",),
    help={
        **SERVICE,
        "build": "Build images first.",
        "pull": "Pull images first.",
        "recreate": "Recreate containers that did not change.",
        "timeout": "Give up after this many seconds (0: what the health checks declare).",
        "attach": "Follow the logs once everything is ready.",
        "strict": "Without Docker: refuse a server of another version than the image's.",
    },
)
def up(  # noqa: PLR0913 - one argument for each flag
    run: Run,
    service: Any = None,
    build: bool = False,
    pull: bool = False,
    recreate: bool = False,
    timeout: int = 0,
    attach: bool = False,
    strict: bool = False,
) -> None:
    """Start the stack and wait until every service is ready."""
    from invoke_stack.stack import up as domain
    from invoke_stack.tasks import _show

    require_seconds(timeout)
    request = domain.Request(
        tuple(service or ()),
        build=build,
        pull=pull,
        recreate=recreate,
        timeout_s=timeout,
        strict=strict,
    )
    result = domain.up(run.project, request, run.console.report)
    run.console.finish()
    _show.up(run, result)
    _say_pending(run, result.declared)
    if attach and not run.project.dry:
        _follow(run, service, ("--follow", "--tail", "0"))


@stack_task(
    json=True,
    yes=True,
    help={
        "volumes": "Remove the volumes and their data too, after a backup.",
        "backup": "With --no-backup: remove the volumes without a backup.",
    },
)
def down(run: Run, volumes: bool = False, backup: bool = True) -> None:
    """Stop and remove this project's containers, of every profile."""
    from invoke_stack.database import backup as backups
    from invoke_stack.stack import down as domain
    from invoke_stack.tasks import _show

    request = domain.Request(volumes=volumes, backup=backup)
    result = domain.down(
        run.project, request, run.confirm, backups.before_removal, run.console.report
    )
    _show.down(run, result)


def _say_pending(run: Run, declared: Declared) -> None:
    """Say when the database lacks migrations."""
    from invoke_stack.migrations import notice

    text, command = ("", "") if run.project.dry else notice.pending(run.project, declared)
    if text:
        run.console.warn(text, command)


def _change(run: Run, verb: str, service: Any) -> None:
    from invoke_stack.stack import operate

    meant = operate.change(run.project, verb, tuple(service or ()), run.console.report)
    if not run.project.dry:
        run.console.note(f"{operate.DONE[verb]}: {', '.join(meant)}")


@stack_task(iterable=("service",), help=SERVICE)
def stop(run: Run, service: Any = None) -> None:
    """Stop services; their containers and data stay."""
    _change(run, "stop", service)


@stack_task(iterable=("service",), help=SERVICE)
def start(run: Run, service: Any = None) -> None:
    """Start services that were stopped."""
    _change(run, "start", service)


@stack_task(iterable=("service",), help=SERVICE)
def restart(run: Run, service: Any = None) -> None:
    """Restart services."""
    _change(run, "restart", service)


@stack_task(json=True, iterable=("service",), help=SERVICE)
def ps(run: Run, service: Any = None) -> None:
    """Show the services, their health and their ports."""
    from invoke_stack.stack import status
    from invoke_stack.tasks import _show

    chosen = tuple(service or ())
    _show.ps(run, status.ps(run.project, run.console.report, chosen), chosen)


@stack_task(json=True, iterable=("service",), help=SERVICE)
def urls(run: Run, service: Any = None) -> None:
    """Show where the running services are reached."""
    from invoke_stack.stack import status
    from invoke_stack.tasks import _show

    _show.urls(run, status.ps(run.project, run.console.report, tuple(service or ())))


@stack_task(json=True, iterable=("service",), help=SERVICE)
def stats(run: Run, service: Any = None) -> None:
    """Show what the running services use: CPU, memory, network, disk."""
    from invoke_stack.stack import stats as domain
    from invoke_stack.tasks import _show

    _show.stats(run, domain.usage(run.project, run.console.report, tuple(service or ())))


@stack_task(iterable=("service",), help=SERVICE)
def watch(run: Run, service: Any = None) -> None:
    """Update running services as their files change, until ^C (`develop.watch`)."""
    from invoke.exceptions import Exit

    from invoke_stack.stack import watch as domain

    code = domain.watch(run.project, tuple(service or ()))
    if code:
        raise Exit(code=code)


@stack_task(json=True)
def config(run: Run) -> None:
    """Show what was detected and from where, masked."""
    from invoke_stack.stack import overview
    from invoke_stack.tasks import _show

    _show.config(run, overview.overview(run.project))


@stack_task(json=True)
def doctor(run: Run) -> None:
    """Look for what keeps the stack from working on this machine; each line with its fix."""
    from invoke_stack.doctor import check
    from invoke_stack.tasks import _show_doctor

    _show_doctor.examined(run, check.check(run.project))


@stack_task(modes=False, help={"shell": "bash, zsh or fish."})
def completion(run: Run, shell: str = "") -> None:
    """Print a script that completes inv in a shell, values included: docs/completion.md."""
    from invoke_stack.completion import scripts

    run.console.result(scripts.script(shell))


@stack_task(
    iterable=("service",),
    help={
        **SERVICE,
        "follow": "Go on as lines arrive.",
        "tail": "Lines of the past, or all.",
        "since": "Only lines since a time (2026-01-31T10:00) or age (10m).",
    },
)
def logs(
    run: Run, service: Any = None, follow: bool = False, tail: str = "100", since: str = ""
) -> None:
    """Print the services' logs, secrets hidden."""
    from invoke_stack.stack import operate

    past = operate.past(tail, since)
    _follow(run, service, (*past, *(["--follow"] if follow else [])))


def _follow(run: Run, service: Any, flags: tuple[str, ...]) -> None:
    from invoke_stack.stack import operate

    def show(line: str) -> None:
        run.console.result(line)
        if run.console.unread:  # `… --follow | head`: nobody waits for the next line
            raise BrokenPipeError

    operate.logs(
        run.project,
        tuple(service or ()),
        flags,
        show,
        run.console.report,
        colour=run.console.colour,
    )


@stack_task(name="exec", help={"service": "The service; the only one that is built by default."})
def exec_(run: Run, service: str = "") -> None:
    """Run a command in a service: inv stack.exec -s web -- COMMAND."""
    _execute(run, service, fresh=False)


@stack_task(name="run", help={"service": "The service; the only one that is built by default."})
def run_(run: Run, service: str = "") -> None:
    """Run a command in a new one-off container: inv stack.run -s web -- COMMAND."""
    _execute(run, service, fresh=True)


@stack_task(help={"service": "The service; the only one that is built by default."})
def shell(run: Run, service: str = "") -> None:
    """Open a shell in a service."""
    from invoke_stack.errors import UsageError
    from invoke_stack.stack import operate
    from invoke_stack.tasks import _show

    if _show.remainder():
        hint = "to run one command: inv stack.exec -s SERVICE -- COMMAND"
        raise UsageError("stack.shell", "takes no command", hint=hint)
    _execute(run, service, fresh=False, words=operate.SHELL)


def _execute(run: Run, service: str, *, fresh: bool, words: tuple[str, ...] = ()) -> None:
    from invoke.exceptions import Exit

    from invoke_stack.stack import operate
    from invoke_stack.tasks import _show

    code = operate.execute(
        run.project, service, words or _show.remainder(), _show.terminal(), fresh=fresh
    )
    if code:
        raise Exit(code=code)
