"""Rules about what lies in the layers: secrets, history, caches, development packages."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from invoke_stack import sizes
from invoke_stack.compose.tolerant import mapping
from invoke_stack.environment import placeholders
from invoke_stack.findings.model import Finding
from invoke_stack.images import arguments, layers
from invoke_stack.images.checks.subject import Subject
from invoke_stack.images.contents import CACHES, Trace
from invoke_stack.images.needles import KEY, KNOWN, Needles
from invoke_stack.images.rules import finding
from invoke_stack.images.source import keyword
from invoke_stack.redaction import is_sensitive

NOISE = 100_000
"""Bytes of a cache below which nobody gains anything by removing it."""

_SHOWN = 5


def check(subject: Subject) -> Iterator[Finding]:
    """Yield what should not be in the image."""
    yield from _traces(subject)
    yield from arguments.check(subject.target, frozenset(subject.secrets.values()), subject.compose)
    yield from _environment(subject)
    yield from _history(subject)
    yield from _caches(subject)
    if subject.production:
        yield from _development(subject)


def _traces(subject: Subject) -> Iterator[Finding]:
    """Tell of each file once: an env file with a secret in it is an env file."""
    told: set[tuple[str, int]] = set()
    folders: list[str] = []
    ranked = sorted(subject.contents.traces, key=lambda each: _RANK.get(each.what, 9))
    for each in ranked:
        inherited = each.layer < subject.image.base
        if inherited and not each.what.startswith(KNOWN):
            continue  # what everyone's base image holds is nobody's secret
        if (each.path, each.layer) in told or any(each.path.startswith(one) for one in folders):
            continue
        if each.what == "env" and "/node_modules/" in each.path:
            continue
        told.add((each.path, each.layer))
        if each.what == "git":
            folders.append(f"{each.path}/")
        yield _trace(subject, each)


_RANK: Mapping[str, int] = {"git": 0, "env": 1, KEY: 2}


def _trace(subject: Subject, each: Trace) -> Finding:
    gone = ", which a later layer deletes, but not from the image" if each.deleted else ""
    places = (subject.layer(each.layer), subject.inside(each.path))
    ignore = f"add {_pattern(each.path)} to .dockerignore, and COPY only what the app needs"
    if each.what == "env":
        return finding("IMG110", subject.name, f"{each.path} is in a layer{gone}", ignore, *places)
    if each.what == "git":
        return finding("IMG111", subject.name, f"{each.path} is in a layer{gone}", ignore, *places)
    mount = (
        "have it there for one RUN only: RUN --mount=type=secret,id=NAME …; and replace the "
        "secret: whoever has the image has it"
    )
    rule = "IMG112" if each.what == KEY else "IMG113"
    message = f"{each.path} holds {each.what}{gone}"
    return finding(rule, subject.name, message, f"{ignore}; or {mount}", *places)


def _pattern(path: str) -> str:
    name = posixpath.basename(path)
    if name.startswith(".env"):
        return "**/.env*"
    return name if name == ".git" else f"**/{name}"


def _environment(subject: Subject) -> Iterator[Finding]:
    known = set(subject.secrets.values())
    for key, value in subject.own_environment.items():
        named = is_sensitive(key, value) and not placeholders.reason(key, value)
        if value and (named or value in known):
            yield finding(
                "IMG115",
                subject.name,
                f"ENV {key} holds a secret",
                f"delete it from the Dockerfile and set {key} where the container runs "
                f"(env_file or environment in {subject.compose}); replace the secret",
                subject.word("ENV", key),
            )


def _history(subject: Subject) -> Iterator[Finding]:
    """Tell of secrets in the text of instructions; arguments and ENV have rules of their own."""
    needles = Needles(subject.secrets.items())
    explained = {*subject.target.source.arguments, *subject.own_environment}
    for text, known in layers.steps(subject.contents.archive.config, subject.target):
        if known is None or keyword(text) in {"ARG", "ENV"}:
            continue
        for what in needles.names(layers.told(text).encode()):
            if what.removeprefix(KNOWN) not in explained:
                yield finding(
                    "IMG113",
                    subject.name,
                    f"{known[0].name} holds {what}, and `docker history` prints it",
                    "RUN --mount=type=secret,id=NAME …; and replace the secret",
                    subject.target.source.place(known[1]),
                )


def _caches(subject: Subject) -> Iterator[Finding]:
    fixes = dict(CACHES.values())
    for (name, layer), count in sorted(subject.contents.caches.items()):
        if layer >= subject.image.base and count >= NOISE:
            yield finding(
                "IMG116",
                subject.name,
                f"{sizes.decimal(count)} of {name}'s cache in a layer",
                fixes[name],
                subject.layer(layer),
                severity=None if subject.production else "info",
            )


def _development(subject: Subject) -> Iterator[Finding]:
    for folder in _app_folders(subject):
        sure, names = _installed(subject, folder)
        if not names:
            continue
        shown = ", ".join(names[:_SHOWN])
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        entry = subject.files.entry(posixpath.join(folder, "node_modules", names[0]))
        yield finding(
            "IMG117",
            subject.name,
            f"development dependencies in {posixpath.join(folder, 'node_modules')}: {shown}{more}",
            "npm ci --omit=dev (pnpm install --prod) in a stage of its own, and COPY --from it",
            subject.layer(entry.layer if entry else 0),
            confidence="high" if sure else "medium",
        )


def _app_folders(subject: Subject) -> Iterator[str]:
    """Yield the folders with a package.json and a node_modules of their own."""
    for path in subject.contents.texts:
        folder, name = posixpath.split(path)
        entry = subject.files.entry(path)
        own = entry is not None and entry.layer >= subject.image.base
        modules = posixpath.join(folder, "node_modules")
        if own and name == "package.json" and "/node_modules" not in folder:
            yield from [folder] if modules in subject.files else []


def _installed(subject: Subject, folder: str) -> tuple[bool, tuple[str, ...]]:
    """Return the development packages that are there, and whether a lock file says so."""
    modules = posixpath.join(folder, "node_modules")
    locked = mapping(_json(subject, posixpath.join(modules, ".package-lock.json")).get("packages"))
    if locked:
        paths = [p for p, each in locked.items() if mapping(each).get("dev") is True]
        there = [p for p in paths if posixpath.join(folder, p, "package.json") in subject.files]
        return True, tuple(sorted(re.sub(r"^.*node_modules/", "", path) for path in there))
    package = _json(subject, posixpath.join(folder, "package.json"))
    wanted = set(mapping(package.get("devDependencies"))) - {
        name
        for key in ("dependencies", "optionalDependencies", "peerDependencies")
        for name in mapping(package.get(key))
    }
    # Next.js traces single files of packages; a package that was installed has its package.json.
    return False, tuple(
        sorted(n for n in wanted if posixpath.join(modules, n, "package.json") in subject.files)
    )


def _json(subject: Subject, path: str) -> Mapping[str, Any]:
    try:
        return mapping(json.loads(subject.contents.texts.get(path) or "{}"))
    except (ValueError, RecursionError):
        return {}
