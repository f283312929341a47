"""The URL path at which a project says that its app tells how it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from invoke_stack.compose import nodes
from invoke_stack.compose.nodes import Node
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import UsageError
from invoke_stack.images.targets import Target
from invoke_stack.project import Project

COMMON = "/api/health"
"""Where an app is asked that says nothing about it."""

BLUEPRINTS = ("render.yaml", "render.yml")
_PLAIN = re.compile(r"/[\w./~-]*")
_URL = re.compile(
    r"(?:https?://[^/\s'\"`]+|(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::[^/\s'\"`]+)?)"
    r"(/[\w./~-]*)"
)
# `'http://localhost:' + port + '/health'`, `{path: '/health'}`: in quotes of its own.
_APART = re.compile(r"['\"`](/[\w./~-]*)['\"`?]")


def path(project: Project, declared: Declared, target: Target) -> str:
    """Return the path to ask a service at, by what the project asks elsewhere.

    Production's own comes first (Render's `healthCheckPath`,
    https://render.com/docs/blueprint-spec), then a check of the compose files, which may be
    another mode's or switched off, then one of the Dockerfile's other stages.
    """
    known = (
        *_of_blueprints(project, target),
        *_of_compose(declared, target.name),
        *_of_stages(target),
    )
    return next(iter(known), COMMON)


def asked(text: str) -> str:
    """Return the path that a health check's command asks for, or ""."""
    found = _URL.search(text) or (_APART.search(text) if "http" in text else None)
    return found[1] if found else ""


def _of_blueprints(project: Project, target: Target) -> Iterator[str]:
    """Yield the path of the Blueprint's service that is this one, or of its only web service."""
    services = [
        (each, plain)
        for name in BLUEPRINTS
        for each in _read(project.root / name).walk()
        if (plain := _plain(each.get("healthCheckPath").value))
    ]
    name, file = target.name.casefold(), target.source.file
    yield from (plain for each, plain in services if _called(each, name))
    yield from (plain for each, plain in services if file and _built_from(each) == file)
    if len({plain for _, plain in services}) == 1:
        yield services[0][1]


def _called(service: Node, name: str) -> bool:
    """Tell whether a Blueprint's service has a name of the stack: `web`, or `shop-web`."""
    known = service.get("name").value.casefold()
    return known == name or known.endswith(f"-{name}")


def _built_from(service: Node) -> str:
    return service.get("dockerfilePath").value.removeprefix("./")


def _of_compose(declared: Declared, service: str) -> Iterator[str]:
    """Yield the paths that the compose files of every mode ask the service at."""
    others = sorted(declared.files.folder.glob("*compose*.y*ml"))
    for file in dict.fromkeys((*reversed(declared.files.paths), *others)):
        test = _read(Path(file)).get("services", service, "healthcheck", "test")
        text = " ".join([test.value, *(each.value for each in test.items)])
        if found := asked(text):
            yield found


def _of_stages(target: Target) -> Iterator[str]:
    dockerfile = target.source.dockerfile
    for stage in reversed(dockerfile.stages) if dockerfile else ():
        if stage.health and (found := asked(" ".join(stage.health.command))):
            yield found


def _plain(path: str) -> str:
    """Return a path without its query, or "" where it is none that fits into a command."""
    found = re.split(r"[?#]", path, maxsplit=1)[0]
    return found if _PLAIN.fullmatch(found) else ""


def _read(path: Path) -> Node:
    """Return what a YAML file says; nothing where it is not there or broken."""
    try:
        return nodes.read(path.read_text("utf-8-sig"), path.name)
    except (OSError, UnicodeDecodeError, UsageError):
        return Node(nodes.Src(path.name))
