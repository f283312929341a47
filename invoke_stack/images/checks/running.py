"""Rules about how the image runs: its user, its health check, its port, its labels."""

from __future__ import annotations

import re
from collections.abc import Iterator

from invoke_stack.findings.model import Finding
from invoke_stack.images.checks import programs
from invoke_stack.images.checks.subject import Subject
from invoke_stack.images.rules import finding

_ROOT = re.compile(r"(?:root|0)(?::.*)?")
_DROPS = re.compile(r"\b(?:gosu|su-exec|setpriv|runuser|su)\b")
_PORT_FLAG = re.compile(r"(?:^|\s)(?:--port|--listen|-p|-l)[ =](\d{2,5})(?=\s|$)")
_ADDRESS = re.compile(r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]):(\d{2,5})")
_PORT_OPTION = re.compile(r"\bport\s*[:=]\s*(\d{2,5})\b")
LABELS = "org.opencontainers.image."


def check(subject: Subject) -> Iterator[Finding]:
    """Yield what is wrong with how the image runs."""
    yield from _user(subject)
    yield from _health(subject)
    yield from _port(subject)
    yield from _labels(subject)


def _user(subject: Subject) -> Iterator[Finding]:
    user = subject.service.user or str(subject.config.get("User") or "")
    if (user and not _ROOT.fullmatch(user)) or _drops(subject):
        return
    known = "node" if "node" in _users(subject) else "app"
    create = "" if known == "node" else "RUN adduser --system --uid 1001 app, then "
    yield finding(
        "IMG101",
        subject.name,
        f"its processes run as root: {'USER ' + user if user else 'no USER'} in the stage",
        f"{create}USER {known} before CMD",
        subject.dockerfile("USER" if user else ""),
        severity=None if subject.production else "info",
    )


def _users(subject: Subject) -> tuple[str, ...]:
    lines = subject.contents.texts.get("/etc/passwd", "").splitlines()
    return tuple(line.partition(":")[0] for line in lines)


def _drops(subject: Subject) -> bool:
    """Tell whether the entrypoint's own script hands over to another user."""
    first = subject.start[:1]
    found = subject.files.program(first[0], subject.path, subject.workdir) if first else None
    return bool(found and _DROPS.search(subject.contents.texts.get(found, "")))


def _health(subject: Subject) -> Iterator[Finding]:
    if not subject.probe:
        off = " (it is switched off there)" if subject.service.unchecked else ""
        yield finding(
            "IMG102",
            subject.name,
            f"neither the image nor {subject.compose} has a health check{off}",
            "HEALTHCHECK --interval=30s --timeout=3s --start-period=40s CMD "
            f'["node", "-e", "fetch(`http://127.0.0.1:${{process.env.PORT}}{subject.asked}`)'
            '.then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]',
            subject.dockerfile(),
            severity=None if subject.production else "info",
        )
        return
    for words in programs.called(subject.probe):
        if subject.files.program(words[0], subject.path, subject.workdir) is None:
            stack = bool(subject.service.probe)
            yield finding(
                "IMG103",
                subject.name,
                f"its health check calls {words[0]}, which the image does not have",
                _probe_fix(subject, words[0]),
                subject.target.source.place(0) if stack else subject.dockerfile("HEALTHCHECK"),
            )
            return


def _probe_fix(subject: Subject, missing: str) -> str:
    for name, how in (
        ("wget", "wget -q -O /dev/null URL"),
        ("curl", "curl -fsS -o /dev/null URL"),
        ("node", "node -e \"fetch('URL').then((r) => process.exit(r.ok ? 0 : 1))\""),
    ):
        if subject.files.program(name, subject.path):
            return f"{how}, or install {missing} in the stage"
    return f"install {missing} in the stage"


def _port(subject: Subject) -> Iterator[Finding]:
    port = subject.environment.get("PORT", "")
    start, probe = " ".join(subject.start), " ".join(subject.probe)
    fixed = _PORT_FLAG.search(start)
    if fixed and "PORT" not in start:
        yield _ports(
            subject,
            f"the start command says port {fixed[1]} and does not read PORT",
            "leave the port away: the app reads PORT, and PORT=3000 is the default to set",
            "CMD",
        )
        return
    if not port:
        return
    asked = next((m[1] for p in (_ADDRESS, _PORT_OPTION) if (m := p.search(probe))), "")
    if asked and asked != port:
        yield _ports(
            subject,
            f"the health check asks port {asked}, and the app listens on PORT={port}",
            "ask $PORT (in the shell form) or process.env.PORT",
            "HEALTHCHECK",
        )
    exposed = {str(each).partition("/")[0] for each in subject.config.get("ExposedPorts") or ()}
    if exposed and port not in exposed:
        yield _ports(
            subject,
            f"EXPOSE {' '.join(sorted(exposed))}, and the app listens on PORT={port}",
            f"EXPOSE {port}",
            "EXPOSE",
        )


def _ports(subject: Subject, message: str, fix: str, instruction: str) -> Finding:
    return finding("IMG104", subject.name, message, fix, subject.dockerfile(instruction))


def _labels(subject: Subject) -> Iterator[Finding]:
    if not any(str(key).startswith(LABELS) for key in subject.labels):
        yield finding(
            "IMG109",
            subject.name,
            "no label tells where the image comes from",
            f'LABEL {LABELS}source="https://…" {LABELS}revision="$REVISION"',
            subject.dockerfile(),
        )
