"""A report as GitHub workflow commands: annotations on the lines of a pull request."""

from __future__ import annotations

from invoke_stack.findings.model import Finding, Place, Remark, Report

COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def write(report: Report) -> str:
    """Return one workflow command per finding, and a notice per unknown."""
    lines = [_command(COMMANDS[each.severity], each) for each in report.findings]
    lines += [_command("notice", each) for each in report.unknowns]
    return "\n".join(lines)


def _command(name: str, item: Finding | Remark) -> str:
    home = next((place for place in item.where if place.in_project), None)
    properties = {"title": f"{item.rule} {item.subject}".strip()}
    if home is not None:
        properties = {"file": home.file, **properties}
        if home.line:
            properties = {"file": home.file, "line": str(home.line), **properties}
    shown = ",".join(f"{key}={escaped_property(value)}" for key, value in properties.items())
    return f"::{name} {shown}::{escaped(_message(item, home))}"


def _message(item: Finding | Remark, home: Place | None) -> str:
    lines = [item.message]
    others = [place for place in item.where if place is not home and str(place)]
    lines += [f"{place.side}: {place}" if place.side else str(place) for place in others]
    lines += [f"fix: {item.fix}"] if item.fix else []
    return "\n".join(lines)


def escaped(text: str) -> str:
    """Return the text as a workflow command's message carries it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escaped_property(text: str) -> str:
    """Return the text as a workflow command's property carries it."""
    return escaped(text).replace(":", "%3A").replace(",", "%2C")
