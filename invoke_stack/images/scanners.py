"""Reports of other programs, read into our findings: trivy, grype and hadolint."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from invoke_stack.compose.tolerant import mapping, number
from invoke_stack.errors import StackError
from invoke_stack.findings.model import Finding, Place, Severity
from invoke_stack.images.rules import finding
from invoke_stack.images.source import Source
from invoke_stack.images.targets import Target
from invoke_stack.process import Command

_LEVELS: Mapping[str, Severity] = {
    "CRITICAL": "error",
    "HIGH": "error",
    "MEDIUM": "warning",
    "LOW": "info",
    "NEGLIGIBLE": "info",
    "UNKNOWN": "info",
}
_HADOLINT: Mapping[str, Severity] = {
    "error": "error",
    "warning": "warning",
    "info": "info",
    "style": "info",
}


@dataclass(frozen=True, slots=True)
class Scanner:
    """A program that looks for known vulnerabilities in an image.

    Attributes:
        command: the call that prints its report on an image as JSON.
        read: takes the findings out of that report.
    """

    name: str
    command: Callable[[str], Command]
    read: Callable[[str, Any], Iterator[Finding]]


def trivy_command(tag: str) -> Command:
    """Return the call of trivy: known vulnerabilities alone, secrets are `image.check`'s."""
    words = ("image", "--quiet", "--format", "json", "--scanners", "vuln", tag)
    return Command(("trivy", *words), effect="read")


def grype_command(tag: str) -> Command:
    """Return the call of grype."""
    return Command(("grype", f"docker:{tag}", "--quiet", "--output", "json"), effect="read")


def trivy(subject: str, document: Any) -> Iterator[Finding]:
    """Yield the vulnerabilities of a trivy report (`Results[].Vulnerabilities[]`, schema 2)."""
    for result in mapping(document).get("Results") or ():
        # The target of the system's packages is the image itself, which is no file in it.
        system = mapping(result).get("Class") == "os-pkgs"
        where = "" if system else str(mapping(result).get("Target") or "")
        for each in map(mapping, mapping(result).get("Vulnerabilities") or ()):
            yield _vulnerability(
                subject,
                str(each.get("VulnerabilityID") or "?"),
                str(each.get("Severity") or "UNKNOWN"),
                f"{each.get('PkgName')} {each.get('InstalledVersion')}",
                str(each.get("FixedVersion") or ""),
                str(each.get("Title") or ""),
                _inside(str(each.get("PkgPath") or where)),
            )


def grype(subject: str, document: Any) -> Iterator[Finding]:
    """Yield the vulnerabilities of a grype report (`matches[]`)."""
    for match in map(mapping, mapping(document).get("matches") or ()):
        known, package = mapping(match.get("vulnerability")), mapping(match.get("artifact"))
        fix = mapping(known.get("fix"))
        places = [mapping(each) for each in package.get("locations") or ()]
        yield _vulnerability(
            subject,
            str(known.get("id") or "?"),
            str(known.get("severity") or "Unknown"),
            f"{package.get('name')} {package.get('version')}",
            ", ".join(str(each) for each in fix.get("versions") or ()),
            str(known.get("description") or ""),
            _inside(str(places[0].get("path") or "") if places else ""),
        )


SCANNERS = (
    Scanner("trivy", trivy_command, trivy),
    Scanner("grype", grype_command, grype),
)
"""Every scanner, the first one that is installed is used."""


def _vulnerability(  # noqa: PLR0913 - what both reports say about one
    subject: str, name: str, level: str, package: str, fixed: str, title: str, place: Place
) -> Finding:
    said = " ".join(title.split())
    short = said if len(said) <= 120 else f"{said[:119]}…"  # noqa: PLR2004 - one line
    return finding(
        "IMG301",
        subject,
        f"{name} ({level.lower()}) in {package}{': ' if short else ''}{short}",
        f"update {package.partition(' ')[0]} to {fixed}" if fixed else "there is no fixed version",
        place,
        severity=_LEVELS.get(level.upper(), "info"),
    )


def _inside(path: str) -> Place:
    """Return a place inside the image, which a report names with or without the first slash."""
    return Place("inside", path if path.startswith("/") or not path else f"/{path}")


def hadolint_command(program: str, target: Target) -> Command:
    """Return the call of hadolint on a Dockerfile; it reads the text from its input."""
    words = ("--no-fail", "--format", "json", "-")
    folder = target.source.context
    return Command((program, *words), cwd=folder, effect="read")


def hadolint(source: Source, document: Any) -> Iterator[Finding]:
    """Yield what hadolint says: a list of `{line, code, level, message}`."""
    for each in map(mapping, document if isinstance(document, list) else ()):
        code = str(each.get("code") or "?")
        yield finding(
            "IMG302",
            code,
            str(each.get("message") or "").strip(),
            _page(code),
            source.place(number(each.get("line")) or 0),
            severity=_HADOLINT.get(str(each.get("level")), "warning"),
        )


def _page(code: str) -> str:
    if code.startswith("SC"):
        return f"https://www.shellcheck.net/wiki/{code}"
    return f"https://github.com/hadolint/hadolint/wiki/{code}"


def parsed(program: str, text: str) -> Any:
    """Return a report.

    Raises:
        StackError: it is no JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        hint = f"see whether it is the right program: {program} --version"
        raise StackError(program, "its report is not readable", hint=hint) from problem


def beside(interpreter: str, name: str) -> Path:
    """Return where a program that pip installed beside an interpreter lies."""
    folder = Path(interpreter).parent
    exe = folder / f"{name}.exe"
    return exe if exe.exists() else folder / name
