"""What the portability checks say: codes, their titles, and one issue on one line."""

from __future__ import annotations

import re
from dataclasses import dataclass

from invoke_stack.findings.model import Finding, Place, Rule, Severity

RULES = (
    Rule("ENV-SYNTAX", "A line that a reader drops or refuses"),
    Rule("ENV-LITERAL", "Quotes, escapes or a comment are read in two ways"),
    Rule("ENV-ENCODING", "Bytes or line ends that readers decode differently"),
    Rule("ENV-KEY", "A name that is not portable or reserved"),
    Rule("ENV-DUP", "A key stands twice in one file"),
    Rule("ENV-DOLLAR", "A dollar sign that readers understand differently"),
    Rule("ENV-EXEC", "Text that some readers run as a command"),
    Rule("ENV-REF", "A reference that cannot be resolved the same way everywhere"),
    Rule("ENV-NEXT", "Next.js reads another value"),
    Rule("ENV-NEXT-PROC", "Next.js expands a value of the process environment once more"),
    Rule("ENV-SHADOW", "The process environment overrides a file"),
    Rule("ENV-BYPASS", "A service reads one env file past the layers"),
    Rule("ENV-LAYER", "Another reader layers the files to another value"),
)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,79}")
_MIXED = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])")


@dataclass(frozen=True, slots=True)
class Issue:
    """Something to say about a line of a file; never with a value.

    Attributes:
        key: the variable, or "" where the line has none that may be shown.
    """

    code: str
    severity: Severity
    line: int
    key: str
    message: str
    fix: str = ""

    def finding(self, file: str) -> Finding:
        """Return the finding of a file with this issue."""
        place = Place("local", file, self.line)
        subject = self.key or file
        return Finding(self.code, self.severity, "high", subject, self.message, self.fix, (place,))


def nameable(key: str | None) -> str:
    """Return a key that is fit to print, else "".

    A line of a broken key file can look like a name; such a one mixes cases and digits.
    """
    fits = key is not None and _NAME.fullmatch(key) and not _MIXED.match(key)
    return key if fits and key else ""
