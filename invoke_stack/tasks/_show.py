"""Results of the stack tasks as text or JSON."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from invoke_stack import sizes
from invoke_stack.stack.down import Down
from invoke_stack.stack.operate import Terminal
from invoke_stack.stack.overview import Overview
from invoke_stack.stack.stats import Usage
from invoke_stack.stack.status import Status, Url
from invoke_stack.stack.up import Up
from invoke_stack.tasks._task import Run


def remainder() -> tuple[str, ...]:
    """Return everything after `--` word for word; Invoke's own remainder loses the quoting."""
    argv = sys.argv
    return tuple(argv[argv.index("--") + 1 :]) if "--" in argv else ()


def terminal() -> Terminal:
    """Return whether a person sits on both streams."""
    return Terminal(interactive=keyboard() and screen())


def keyboard() -> bool:
    """Return whether a person types; the stream is None where the caller closed it."""
    return sys.stdin is not None and sys.stdin.isatty()


def screen() -> bool:
    """Return whether a person reads the results."""
    return sys.stdout is not None and sys.stdout.isatty()


def up(run: Run, result: Up) -> None:
    """Print what is up and where."""
    if run.project.dry:
        return
    if run.json:
        run.console.document(
            {
                "project": result.project,
                "mode": result.mode,
                "services": list(result.services),
                "urls": [asdict(each) for each in result.urls],
                "origins": dict(result.origins),
            }
        )
        return
    _urls(run, result.urls)
    run.console.note(f"mode {result.mode}; {_origins(result.origins)}")


def _origins(origins: Mapping[str, int]) -> str:
    total = sum(origins.values())
    parts = ", ".join(f"{count} from {name}" for name, count in origins.items() if count)
    return f"{total} env values: {parts}" if total else "no env values"


def _urls(run: Run, found: tuple[Url, ...]) -> None:
    if found:
        run.console.table(
            ("service", "url", "what"), [(each.service, each.url, each.what) for each in found]
        )


def down(run: Run, result: Down) -> None:
    """Print what was removed."""
    if run.json:
        run.console.document(asdict(result))
    elif result.containers or result.volumes:
        names = ", ".join((*result.containers, *result.volumes))
        run.console.note(f"{'would remove' if run.project.dry else 'removed'}: {names}")
        for file in result.backups:
            run.console.note(f"backup: {file}")
    else:
        run.console.note(f"{result.project}: nothing to remove")


def ps(run: Run, result: Status, chosen: tuple[str, ...] = ()) -> None:
    """Print the services."""
    if run.json:
        run.console.document(result.document())
        return
    if not result.services:
        meant = f"{', '.join(chosen)} is not up" if chosen else "nothing is up"
        run.console.note(f"{result.project}: {meant}")
        return
    rows = [
        (
            each.service,
            each.state if each.running else f"{each.state} ({each.exit_code})",
            each.health or "-",
            each.image,
            " ".join(u.url for u in result.urls if u.service == each.service) or "-",
        )
        for each in result.services
    ]
    run.console.table(("service", "state", "health", "image", "url"), rows)


def urls(run: Run, result: Status) -> None:
    """Print the URLs alone."""
    if run.json:
        run.console.document({"urls": [asdict(each) for each in result.urls]})
        return
    _urls(run, result.urls)
    if not result.urls:
        run.console.note(f"{result.project}: no published port is up")


def stats(run: Run, found: tuple[Usage, ...]) -> None:
    """Print what the services use."""
    if run.json:
        run.console.document({"services": [asdict(each) for each in found]})
        return
    rows = [
        (
            each.service,
            f"{each.cpu:.1f} %",
            f"{sizes.shown(each.memory)} of {sizes.shown(each.limit)}",
            f"{sizes.shown(each.received)} in, {sizes.shown(each.sent)} out",
            f"{sizes.shown(each.read)} read, {sizes.shown(each.written)} written",
            str(each.processes),
        )
        for each in found
    ]
    run.console.table(("service", "cpu", "memory", "network", "disk", "processes"), rows)


def config(run: Run, result: Overview) -> None:
    """Print what was detected."""
    if run.json:
        run.console.document(_jsonable(asdict(result)))
        return
    for title, lines in result.sections():
        run.console.result(f"{title}\n" + "\n".join(f"  {line}" for line in lines))


def _jsonable(tree: Any) -> Any:
    if isinstance(tree, Mapping):
        return {str(key): _jsonable(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [_jsonable(each) for each in tree]
    return tree if isinstance(tree, (str, int, float, bool, type(None))) else str(tree)
