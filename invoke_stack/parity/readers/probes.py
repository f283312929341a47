"""Health checks: the program, and the URL it asks for."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from invoke_stack.dockerfile.model import Health
from invoke_stack.parity.parts import Probe
from invoke_stack.parity.readers.env import hidden_words
from invoke_stack.parity.readers.shelltext import commands
from invoke_stack.parity.values import Src

_URL = re.compile(
    r"(?:https?://)?(?P<host>localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]|\$\{?HOSTNAME\}?|\$\(hostname\)"
    r"|(?<=://)[\w.-]+)(?::(?P<port>\d+|\\?\$[^\s/'\"]*))?(?P<path>/[^\s'\"`)?#;|&\\]*)?"
)
_OPTIONS = re.compile(r"path\s*:\s*['\"](?P<path>/[^'\"?#]*)")
_APART = re.compile(r"['\"`}](/[\w./-]+)['\"`?]")
_PORT = re.compile(r"port\s*:\s*(?P<port>\d+)")


def of_compose(body: Mapping[str, Any], src: Src) -> Probe | None:
    """Return the check of a service's `healthcheck:`; None where it only changes the timing."""
    test = body.get("test")
    if body.get("disable") is True or test in ("NONE", ["NONE"]):
        return Probe("compose", src, disabled=True)
    if not test:
        return None
    words = [str(each) for each in test] if isinstance(test, list) else ["CMD-SHELL", str(test)]
    kind, rest = words[0], words[1:]
    return probe("compose", rest, src, shell=kind == "CMD-SHELL")


def of_image(health: Health, file: str, *, shadowed: bool) -> Probe:
    """Return the check of an image."""
    src = Src(file, health.line, "HEALTHCHECK")
    if health.disabled:
        return Probe("image", src, disabled=True, shadowed=shadowed)
    return probe("image", health.command, src, shell=not health.exec, shadowed=shadowed)


def probe(
    origin: Literal["compose", "image"],
    words: Sequence[str],
    src: Src,
    *,
    shell: bool,
    shadowed: bool = False,
) -> Probe:
    """Return what a check's command asks for."""
    text = " ".join(words)
    simple = next(iter(commands(text)), None) if shell else None
    first = (simple.words[0] if simple else "") if shell else (words[0] if words else "")
    if posixpath.basename(first) in {"sh", "bash"} and "-c" in text:
        inner = next(iter(commands(_after_c(words if not shell else shlex_split(text)))), None)
        first = inner.words[0] if inner else first
    found = _URL.search(text)
    path, port, host = "", None, ""
    options = None if found and found["path"] else _OPTIONS.search(text)
    if found and not options:
        host = found["host"]
        port = int(found["port"]) if (found["port"] or "").isdigit() else None
        http = "http" in text or "curl" in first or "wget" in first or found["path"]
        # `'http://localhost:' + port + '/health'`: the path stands in a text of its own.
        apart = None if found["path"] else _APART.search(text, found.end())
        path = plain_path(found["path"] or (apart[1] if apart else "/")) if http else ""
    elif options:
        path = plain_path(options["path"])
        number = _PORT.search(text)
        port = int(number["port"]) if number else None
        host = "localhost"
    return Probe(
        origin, src, path, port, host, posixpath.basename(first),
        hidden_words(words), shadowed=shadowed,
    )  # fmt: skip


def plain_path(path: str) -> str:
    """Return a URL path without query and trailing slash."""
    return re.split(r"[?#]", path, maxsplit=1)[0].rstrip("/") or "/"


def shlex_split(text: str) -> list[str]:
    """Return the words of a shell text; those between spaces where its quotes do not fit."""
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _after_c(words: Sequence[str]) -> str:
    plain = list(words)
    return plain[plain.index("-c") + 1] if "-c" in plain[:-1] else " ".join(plain)
