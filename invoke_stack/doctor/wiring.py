"""What Invoke reads: tasks.py and its own settings file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from invoke_stack.doctor.line import Line, ok, unknown, wrong
from invoke_stack.doctor.patient import Patient

ONE_LINE = "from invoke_stack import namespace; ns = namespace()"
NAMES = ("ns", "namespace")
"""The names under which Invoke looks for a module's collection."""

SETTINGS = ("invoke.yaml", "invoke.yml", "invoke.json", "invoke.py")
"""Invoke's files in the order in which it looks; the first one counts."""


def tasks(patient: Patient) -> Iterator[Line]:
    """Tell whether Invoke finds our tasks in the project's tasks.py."""
    root = patient.project.root
    found = [name for name in ("tasks.py", "tasks/__init__.py") if (root / name).is_file()]
    if not found:
        message = "there is no tasks.py here or above"
        yield wrong("DOC-TASKS", root.name, message, f"write one: {ONE_LINE}")
        return
    if len(found) > 1:
        message = "there are both: Invoke takes tasks.py, and the folder is never read"
        yield wrong("DOC-TASKS", " and ".join(found), message, "remove one", file=found[0])
    file = found[0]
    yield wired(file, (root / file).read_bytes())


def wired(file: str, source: bytes) -> Line:
    """Return what there is to say about the text of a tasks.py."""
    try:
        tree = ast.parse(source, file)
    except (SyntaxError, ValueError) as problem:
        number = getattr(problem, "lineno", None) or 0
        message = f"not Python: {getattr(problem, 'msg', problem)}"
        return wrong("DOC-TASKS", f"{file}:{number}", message, "correct it", file=file, line=number)
    ours = [
        each
        for each in ast.walk(tree)
        if isinstance(each, ast.ImportFrom) and (each.module or "").startswith("invoke_stack")
    ]
    if not ours:
        message = "imports nothing of invoke_stack: none of its tasks are there"
        return wrong("DOC-TASKS", file, message, f"add: {ONE_LINE}", state="warning", file=file)
    calls = [each for each in tree.body if isinstance(each, ast.Assign) and _makes(each.value)]
    given = {name.id for each in calls for name in each.targets if isinstance(name, ast.Name)}
    if calls and not given & set(NAMES):
        name = next(iter(given), "it")
        message = f"the collection is called {name}: Invoke looks for ns"
        line = calls[0].lineno
        return wrong("DOC-TASKS", file, message, "call it ns", file=file, line=line)
    return ok("DOC-TASKS", file, "namespace()" if calls else "single collections")


def _makes(value: ast.expr) -> bool:
    """Tell whether an expression is a call of our `namespace`."""
    return isinstance(value, ast.Call) and (
        (isinstance(value.func, ast.Name) and value.func.id == "namespace")
        or (isinstance(value.func, ast.Attribute) and value.func.attr == "namespace")
    )


def settings(patient: Patient) -> Iterator[Line]:
    """Tell whether Invoke's own settings file can be read; the settings in it were checked."""
    root = patient.project.root
    found = [root / name for name in SETTINGS if (root / name).is_file()]
    if not found:
        yield ok("DOC-SETTINGS", "settings", "no invoke.yaml; none is needed")
        return
    first, *others = found
    yield readable(first)
    for each in others:
        message = f"never read: Invoke takes {first.name} alone"
        fix = f"move what it says into {first.name}"
        yield wrong("DOC-SETTINGS", each.name, message, fix, state="warning", file=each.name)


def readable(path: Path) -> Line:
    """Return what there is to say about the text of a settings file."""
    import yaml

    file = path.name
    if path.suffix == ".py":
        return unknown("DOC-SETTINGS", file, "a program, which Invoke has run")
    try:
        # JSON is YAML, too.
        document = yaml.safe_load(path.read_bytes())
    except yaml.MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else 0
        message = f"broken, so that no task of Invoke starts: {problem.problem}"
        fix = "correct that line: two spaces for each level, no tabs, quotes around : and #"
        return wrong("DOC-SETTINGS", f"{file}:{line}", message, fix, file=file, line=line)
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as problem:
        message = f"cannot be read: {problem}"
        return wrong("DOC-SETTINGS", file, message, "write it as UTF-8", file=file)
    if document is not None and not isinstance(document, dict):
        message = "no mapping: Invoke expects names with values below them"
        return wrong(
            "DOC-SETTINGS", file, message, "stack: at the top, settings below it", file=file
        )
    ours = "stack" in (document or {})
    return ok("DOC-SETTINGS", file, "readable" if ours else "readable; nothing for us in it")
