"""The rules about images. An ID never changes its meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from invoke_stack.findings.model import Confidence, Finding, Place, Rule, Severity


class _Entry(NamedTuple):
    severity: Severity
    confidence: Confidence
    title: str
    help: str


_RULES: Mapping[str, _Entry] = {
    "IMG100": _Entry(
        "warning", "high", "a suppression that does nothing",
        "A comment `# image: ignore[…]` without a reason, past its date, or for nothing.",
    ),
    "IMG101": _Entry(
        "warning", "high", "runs as root",
        "Neither the image nor the stack names another user. A hole in the app is then root's "
        "inside the container, and one step nearer to the host.",
    ),
    "IMG102": _Entry(
        "warning", "high", "no health check",
        "Neither the image nor the compose file has one, so nobody learns that the app hangs.",
    ),
    "IMG103": _Entry(
        "error", "high", "the health check's program is missing",
        "The probe calls a program that the image does not have: it always fails, and the service "
        "never becomes healthy. Slim images have neither curl nor wget.",
    ),
    "IMG104": _Entry(
        "warning", "medium", "two ports where PORT decides",
        "A host such as Render sets PORT and expects the app there; a number written into the "
        "start command or the health check does not follow it.",
    ),
    "IMG105": _Entry(
        "error", "high", "a wrong target",
        "A mode for production builds a stage that others are made from: it has the sources and "
        "the tools, not only the app.",
    ),
    "IMG106": _Entry(
        "error", "high", "the start command cannot be run",
        "It calls a program that the image does not have, or `prisma migrate deploy` without "
        "Prisma's CLI, schema or migrations.",
    ),
    "IMG107": _Entry(
        "error", "high", "Prisma without openssl",
        "Prisma's native engines load libssl; without it every query fails at run time.",
    ),
    "IMG108": _Entry(
        "warning", "high", "a base image that floats",
        "Without a version (`latest`, none) tomorrow's build starts from something else.",
    ),
    "IMG109": _Entry(
        "info", "high", "no labels",
        "org.opencontainers.image.* tell whose image it is, and of what.",
    ),
    "IMG110": _Entry(
        "error", "high", "an env file inside",
        "Whoever can pull the image reads it, also when a later layer deletes it.",
    ),
    "IMG111": _Entry(
        "error", "high", "the repository's history inside",
        "`.git` has every version of every file, and sometimes the credentials of the remote.",
    ),
    "IMG112": _Entry(
        "error", "high", "a private key inside",
        "Whoever can pull the image has the key, also when a later layer deletes it.",
    ),
    "IMG113": _Entry(
        "error", "high", "a secret in a layer",
        "A file of some layer holds one of this project's secret values, or a token of a known "
        "form. Deleting it in a later layer does not take it out of the image.",
    ),
    "IMG114": _Entry(
        "error", "high", "a secret in a build argument",
        "Build arguments stand in the image's history, and `docker history` prints them. A "
        "BuildKit secret is there while its RUN runs, and nowhere afterwards.",
    ),
    "IMG115": _Entry(
        "error", "high", "a secret in the image's environment",
        "ENV is part of the image and of every container made from it.",
    ),
    "IMG116": _Entry(
        "warning", "high", "a package manager's cache",
        "Downloads and indexes that nothing reads at run time.",
    ),
    "IMG117": _Entry(
        "warning", "high", "development dependencies",
        "Packages of `devDependencies` in an image for production: size, and more to attack.",
    ),
    "IMG118": _Entry(
        "error", "medium", "does not run hardened",
        "With a read-only root file system and no capabilities it ends, though it runs without.",
    ),
    "IMG201": _Entry(
        "error", "high", "over its budget", "The image is bigger than `stack.image.budget` allows.",
    ),
    "IMG301": _Entry(
        "error", "high", "a known vulnerability",
        "Found by trivy or grype in a package of the image.",
    ),
    "IMG302": _Entry(
        "warning", "high", "a Dockerfile line that hadolint minds",
        "See the hadolint rule it names.",
    ),
}  # fmt: skip

RULES = tuple(Rule(id, each.title, each.help) for id, each in _RULES.items())  # noqa: A001 - its name
"""Every rule."""


def rules(*families: str) -> tuple[Rule, ...]:
    """Return the rules of some families (`IMG1`)."""
    return tuple(each for each in RULES if each.id.startswith(families))


def finding(  # noqa: PLR0913 - the parts of a finding
    rule: str,
    subject: str,
    message: str,
    fix: str = "",
    *where: Place,
    severity: Severity | None = None,
    confidence: Confidence | None = None,
) -> Finding:
    """Return a finding with its rule's own severity and confidence, unless told otherwise."""
    entry = _RULES[rule]
    return Finding(
        rule,
        severity or entry.severity,
        confidence or entry.confidence,
        subject,
        message,
        fix,
        where,
    )
