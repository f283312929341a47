"""One way to every format."""

from __future__ import annotations

from invoke_stack.errors import UsageError
from invoke_stack.findings import document, github, markdown, sarif, text
from invoke_stack.findings.model import Report

FORMATS = ("text", "json", "sarif", "github", "markdown")
"""What `--format` takes."""


def write(report: Report, format: str, where: str = "--format") -> str:  # noqa: A002 - the flag's name
    """Return the report in a format, without a line break at the end.

    Raises:
        UsageError: there is no such format; ``where`` is the flag or setting that named it.
    """
    writers = {
        "text": text.write,
        "json": document.write,
        "sarif": sarif.write,
        "github": github.write,
        "markdown": markdown.write,
    }
    if format not in writers:
        raise UsageError(where, f"no such format: {format}", hint=f"known: {', '.join(FORMATS)}")
    return writers[format](report)
