"""Env files, as far as a stack cannot start or a secret gets out; `env.check` tells the rest."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import PurePosixPath

from invoke_stack.database import catalog, names
from invoke_stack.doctor.line import Line, ok, unknown, wrong
from invoke_stack.doctor.patient import Patient
from invoke_stack.environment import declared as loading
from invoke_stack.environment import layers, templates
from invoke_stack.environment.checks import check, ignores
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import StackError
from invoke_stack.findings.model import Finding, Report

_FILES = frozenset({"ENV-MISSING", "ENV-EMPTY", "ENV-SYNTAX", "ENV-REF", "ENV-MODE"})
_GIT = frozenset({"ENV-TRACKED", "ENV-UNIGNORED"})
_OF_KEYS = frozenset({"ENV-MISSING", "ENV-EMPTY"})
_LACKING = re.compile(r"(\w+) is required but not set")
MOST = 5
"""Keys that are told one by one."""


def files(patient: Patient) -> Iterator[Line]:
    """Tell what is missing, blank, refused or readable by others; and what git would take."""
    report = check.check(patient.project)
    found = report.findings
    of_files = [each for each in found if each.rule in _FILES]
    yield from _told("DOC-ENV", _once(patient, of_files))
    if not of_files:
        yield ok("DOC-ENV", "env", _good(patient, report))
    of_git = [each for each in found if each.rule in _GIT]
    yield from _told("DOC-GIT", of_git)
    if ignores.tracked(patient.project) is None:
        message = "git does not answer here: no repository, or git is not installed"
        yield unknown("DOC-GIT", "git", message, "git init")
    elif not of_git:
        yield ok("DOC-GIT", "env", "git leaves the env files alone")


def _good(patient: Patient, report: Report) -> str:
    """Return what is true of env files about which nothing was found."""
    if not any(each.rule == "ENV-MISSING" for each in report.unknowns):
        return "complete and private"
    project, declared = patient.project, _readable(patient)
    mode = declared.mode if declared else project.mode()
    custom = project.custom_modes()
    folders = templates.folders(project)
    own = any(layers.layer_paths(each, mode, custom=custom) for each in folders)
    parts = ["private" if own else "no .env file and no template"]
    if declared:
        parts.append("every variable that the compose files require is set")
    if own:
        parts.append("no template says what else belongs there")
    return "; ".join(parts)


def _readable(patient: Patient) -> Declared | None:
    """Return the stack; None without one, or where its files cannot be read."""
    try:
        return patient.stack()
    except StackError:  # told where they are read
        return None


def backups(patient: Patient) -> Iterator[Line]:
    """Tell whether git would take the backups, which hold everybody's data."""
    project = patient.project
    folder = catalog.root(project)
    if not folder.is_relative_to(project.root):
        return
    probe = folder / "database" / f"probe{names.ARCHIVE}"
    found = ignores.unignored(project, [probe])
    if found is None:
        return
    shown = project.shown(folder)
    if not found:
        yield ok("DOC-GIT", shown, "git leaves the backups alone")
    elif folder.is_dir():
        message = "backups lie here and git does not ignore them: the next `git add` takes them"
        yield wrong("DOC-GIT", shown, message, f"add to .gitignore: {shown}/", file=".gitignore")


def _once(patient: Patient, found: Sequence[Finding]) -> list[Finding]:
    """Return the findings without a second one on a variable that the stack lacks.

    The worst comes first. What the stack requires is told where its files are read.
    """
    project = patient.project
    folders = {project.root, templates.main_folder(project)}
    known: set[str] = set()
    try:
        if declared := patient.stack():
            known = {each.name for each in declared.missing}
            folders |= set(loading.template_folders(project, declared.files))
    except StackError as problem:
        known |= {lacking[1]} if (lacking := _LACKING.match(problem.message)) else set()
    shown = {project.shown(each.resolve()) for each in folders}
    kept = []
    for each in found:
        name = _variable(each, shown)
        if name not in known:
            kept.append(each)
            known |= {name} - {""}
    return kept


def _variable(found: Finding, folders: Collection[str]) -> str:
    """Return the variable of the stack whose lack a finding tells of; "" for any other."""
    if found.rule == "ENV-REF":
        lacking = _LACKING.match(found.message)
        return lacking[1] if lacking else ""
    # Another folder's file has to be completed, too.
    asked = [PurePosixPath(each.file).parent for each in found.where if each.side == "template"]
    own = all(str(each) in folders for each in asked)
    return found.subject if own and found.rule in _OF_KEYS else ""


def _told(rule: str, found: list[Finding]) -> Iterator[Line]:
    for each in found[:MOST]:
        yield Line(rule, each.severity, each.subject, each.message, each.fix, each.where)
    if len(found) > MOST:
        worst = found[MOST].severity
        message = f"and {len(found) - MOST} more"
        yield Line(rule, worst, "env", message, "all of them: inv env.check")
