"""`image.scan`: known vulnerabilities by trivy or grype, Dockerfile habits by hadolint."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence

from invoke_stack import events
from invoke_stack.engines import docker
from invoke_stack.environment import declared as loading
from invoke_stack.errors import UsageError
from invoke_stack.findings.model import Finding, Remark, Report
from invoke_stack.images import layers, scanners, targets
from invoke_stack.images.rules import rules
from invoke_stack.images.scanners import Scanner
from invoke_stack.images.targets import Target
from invoke_stack.project import Project

HADOLINT = "hadolint"
EXTRA = "pip install 'invoke-stack[hadolint]'"
_NONE = "neither trivy nor grype is on PATH: known vulnerabilities were not looked for"
_WHERE = "https://trivy.dev or https://github.com/anchore/grype"


def scan(
    project: Project,
    services: Sequence[str],
    report: events.Report = events.silent,
    *,
    interpreter: str = sys.executable,
) -> Report:
    """Return what the installed scanners say about the images of a mode.

    Args:
        project: whose mode decides which images.
        services: only these; all that are built by default.
        report: told which image is scanned.
        interpreter: beside it lies what pip installed.

    Raises:
        UsageError: no scanner is installed, an unknown service, an image that was never built.
        UnreachableError: no engine answers.
        StackError: a scanner failed, with its last words.
    """
    known = [each for each in scanners.SCANNERS if _program(project, each.name, interpreter)]
    linter = _program(project, HADOLINT, interpreter)
    if not known and not linter:
        raise UsageError(
            "image.scan",
            "needs trivy, grype or hadolint, and none is installed",
            hint=f"{_WHERE}; {EXTRA} brings hadolint",
        )
    wanted = targets.find(project, loading.load(project), services)
    found: list[Finding] = []
    unknown: list[Remark] = []
    if known:
        found += _vulnerabilities(project, wanted, known[0], report)
    else:
        unknown.append(Remark("IMG301", "scanner", _NONE, f"install one: {_WHERE}"))
    if linter:
        found += _habits(project, wanted, linter)
    else:
        unknown.append(Remark("IMG302", HADOLINT, "is not installed", EXTRA))
    return Report(tuple(dict.fromkeys(found)), unknowns=tuple(unknown), rules=rules("IMG3"))


def _program(project: Project, name: str, interpreter: str) -> str:
    """Return a program on PATH, or one that pip put beside this interpreter."""
    found = shutil.which(name, path=project.environ.get("PATH"))
    return found or shutil.which(str(scanners.beside(interpreter, name))) or ""


def _vulnerabilities(
    project: Project, wanted: Sequence[Target], scanner: Scanner, report: events.Report
) -> Iterator[Finding]:
    with docker.connect(project) as engine:
        for target in wanted:
            layers.read(engine, target)
    for target in wanted:
        report(events.Step(f"{scanner.name}: {target.tag}"))
        done = project.runner.capture(scanner.command(target.tag))
        done.require(scanner.name, f"could not scan {target.tag}", f"{scanner.name} --help")
        yield from scanner.read(target.name, scanners.parsed(scanner.name, done.stdout))


def _habits(project: Project, wanted: Sequence[Target], program: str) -> Iterator[Finding]:
    told = set()
    for target in wanted:
        if target.source.file in told or not target.source.text:
            continue
        told.add(target.source.file)
        call = scanners.hadolint_command(program, target)
        done = project.runner.capture(call, stdin=target.source.text.encode(), timeout_s=60)
        done.require(HADOLINT, f"could not read {target.source.file}")
        yield from scanners.hadolint(target.source, scanners.parsed(HADOLINT, done.stdout))
