"""This repository's own tasks: the plugin as any project composes it, plus development."""

from __future__ import annotations

import sys
from pathlib import Path

from invoke.context import Context
from invoke.tasks import task

from invoke_stack import namespace

ROOT = Path(__file__).resolve().parent.parent
ENGINE = ROOT / "tests" / "engine" / "host"

# Our own stack is the first example; its env files are the templates that we ship.
ns = namespace({"env": {"directory": "env"}, "compose": {"files": ["tasks/compose.yaml"]}})


def _python(c: Context, *words: str) -> None:
    """Run a Python program of this environment with the terminal's own streams."""
    import subprocess

    code = subprocess.call((sys.executable, *words), cwd=ROOT)
    if code:
        from invoke.exceptions import Exit

        raise Exit(code=code)


@task
def test(c: Context) -> None:
    """Run every check and test, as CI does."""
    _python(c, "tests/run.py")


@task
def lint(c: Context) -> None:
    """Check style, formatting, types and import contracts."""
    _python(c, "tests/run.py", "--only-lint")


@task
def bench(c: Context) -> None:
    """Measure the figures against their peers and write benchmarks/RESULTS.md."""
    _python(c, "benchmarks/run.py")


@task
def settings(c: Context) -> None:
    """Write docs/settings.md from the settings themselves."""
    _python(c, "docs/generate.py")


for each in (test, lint, bench, settings):
    ns.add_task(each)
