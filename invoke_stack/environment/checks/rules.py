"""The rules of `env.check`. An id never changes its meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from invoke_stack.environment.values import Value
from invoke_stack.findings.model import Finding, Place, Rule, Severity
from invoke_stack.modes import Mode

_TITLES: Mapping[str, tuple[str, str]] = {
    "ENV-MISSING": (
        "a key or file is missing",
        "A key that the template or a compose file asks for is set nowhere.",
    ),
    "ENV-EMPTY": (
        "a key has no value",
        "A required key, or a secret of the project's own, is there without a value.",
    ),
    "ENV-PLACEHOLDER": (
        "a placeholder in place of a value",
        (
            "CHANGE_ME and its like, the key's own name, or in staging and production the value "
            "that the template or the compose file gives everyone."
        ),
    ),
    "ENV-WEAK": (
        "a weak secret",
        "A signing key below 32 characters, a password below 12, or one of a few repeated ones.",
    ),
    "ENV-TYPE": ("a value of the wrong type", "A value is not what the template asks for."),
    "ENV-EXTRA": ("a key that no template names", "A typing error, or a key that nobody needs."),
    "ENV-DUP": ("a key twice in one file", "Readers disagree on which line counts."),
    "ENV-RESERVED": (
        "a key that steers programs",
        "PATH, NODE_OPTIONS, DOCKER_HOST and the like change more than the stack.",
    ),
    "ENV-SYNTAX": ("a line that readers refuse", "Compose or python-dotenv drops or refuses it."),
    "ENV-REF": ("a reference that cannot be resolved", "A circle, or one to a later line."),
    "ENV-URL": (
        "a value that breaks a URL",
        "A reference puts it in front of the `@` of a URL, where it would have to be encoded.",
    ),
    "ENV-PUBLIC": (
        "a secret in the browser's bundle",
        "NEXT_PUBLIC_, VITE_ and their like are compiled into what every visitor downloads.",
    ),
    "ENV-MODE": ("a file that others can read", "A file with secrets is its owner's alone."),
    "ENV-TRACKED": (
        "an env file that git has",
        (
            "Whoever clones the repository reads it. `git rm --cached` leaves it in the history: "
            "a secret in there has to be replaced."
        ),
    ),
    "ENV-UNIGNORED": ("an env file that git would take", "The next `git add` commits it."),
    "ENV-IMAGE": (
        "an env file that reaches an image",
        "COPY takes every file of the build context that .dockerignore does not keep out.",
    ),
}

RULES = tuple(Rule(id, title, help) for id, (title, help) in _TITLES.items())  # noqa: A001 - their names
"""Every rule of `env.check`."""


@dataclass(frozen=True, slots=True)
class Judge:
    """How bad things are in a mode: a development default is fine in development."""

    mode: Mode

    @property
    def serious(self) -> bool:
        """Whether real users and real data are meant."""
        return self.mode.name in {"staging", "prod"} or self.mode.node == "production"

    @property
    def level(self) -> Severity:
        """The severity of what development can live with."""
        return "error" if self.serious else "warning"


def finding(
    rule: str,
    severity: Severity,
    subject: str,
    message: str,
    fix: str = "",
    *where: Place,
) -> Finding:
    """Return a finding that is sure."""
    return Finding(rule, severity, "high", subject, message, fix, where)


def place(value: Value) -> Place:
    """Return where a value stands."""
    if value.file is not None:
        return Place("local", value.file, value.line or 0)
    return Place({"process": "environment", "set": "--set"}.get(value.origin, "local"))
