"""What Compose builds for a service: Dockerfile, target and arguments of the mode."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from invoke_stack import files
from invoke_stack.compose.commands import ComposeCall
from invoke_stack.compose.model import Service
from invoke_stack.compose.tolerant import mapping
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import UsageError
from invoke_stack.images.source import Source
from invoke_stack.project import Project
from invoke_stack.stack import images, preflight

PUBLIC = re.compile(r"(?:NEXT_PUBLIC|NUXT_PUBLIC|EXPO_PUBLIC|VITE|REACT_APP)_")
"""Variables that frameworks compile into what browsers load, so the build needs them."""

OVERRIDE = "build.yml"


@dataclass(frozen=True, slots=True)
class Target:
    """One image to build.

    Attributes:
        service: the Compose service.
        tag: the reference under which the engine stores it.
        stage: the Dockerfile's stage; "" for the last one.
        args: build arguments as Compose passes them; None where nobody sets one.
        source: the Dockerfile.
        public: arguments that the Dockerfile declares, the env sets and Compose does not pass.
    """

    service: Service
    tag: str
    stage: str
    args: Mapping[str, str | None] = field(repr=False)
    source: Source
    public: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The service's name."""
        return self.service.name


def find(project: Project, declared: Declared, chosen: Sequence[str]) -> tuple[Target, ...]:
    """Return the images of the chosen services, or of all that the mode builds.

    Raises:
        UsageError: an unknown service, one that is not built, or nothing to build.
    """
    services = declared.model.services
    where = preflight.project_files(declared)
    for name in chosen:
        if name not in services:
            raise preflight.no_such_service(where, services, name)
        if not services[name].built:
            hint = f"it runs {services[name].image or 'no image'}; built here: {_built(declared)}"
            raise UsageError(name, "has no `build:` in the compose files", hint=hint)
    wanted = chosen or [name for name, each in declared.active().items() if each.built]
    if not wanted:
        hint = f"a service with `build:` in {where}, or another mode"
        raise UsageError(declared.mode.flag, "no service is built in this mode", hint=hint)
    return tuple(_target(project, declared, services[name]) for name in sorted(set(wanted)))


def _built(declared: Declared) -> str:
    return ", ".join(name for name, each in declared.model.services.items() if each.built) or "none"


def _target(project: Project, declared: Declared, service: Service) -> Target:
    build = _section(service)
    args = {k: declared.environ.get(k) if v is None else v for k, v in service.build_args.items()}
    given = {key: value for key, value in args.items() if value is not None}
    source = Source.read(project, build, preflight.project_files(declared), given)
    known = [name for name in source.arguments if PUBLIC.match(name) and name not in args]
    return Target(
        service=service,
        tag=images.reference(declared, service),
        stage=str(build.get("target") or ""),
        args=args,
        source=source,
        public=tuple(name for name in known if name in declared.env.values),
    )


def _section(service: Service) -> Mapping[str, Any]:
    document = json.loads(service.build)
    return {"context": document} if isinstance(document, str) else mapping(document)


def override(targets: Sequence[Target], platforms: Sequence[str]) -> str:
    """Return what our Compose call adds to the files: public arguments and platforms.

    The text is JSON, which is YAML too; it names variables and never holds a value.
    """
    services: dict[str, Any] = {}
    for each in targets:
        build: dict[str, Any] = {}
        if each.public:
            build["args"] = dict.fromkeys(each.public)
        if platforms:
            build["platforms"] = list(platforms)
        if build:
            services[each.name] = {"build": build}
    return json.dumps({"services": services}, indent=2) + "\n"


@contextmanager
def completed(
    project: Project,
    call: ComposeCall,
    targets: Sequence[Target],
    platforms: Sequence[str] = (),
) -> Iterator[ComposeCall]:
    """Yield the Compose call with what `override` adds; its file is gone afterwards."""
    if project.dry or not (platforms or any(each.public for each in targets)):
        yield call
        return
    path = project.state / OVERRIDE
    files.write(path, override(targets, platforms))
    try:
        yield replace(call, files=(*call.files, path))
    finally:
        path.unlink(missing_ok=True)


def folder(build: Mapping[str, Any]) -> Path | None:
    """Return the folder of a build's context; None for a URL or an image's."""
    context = str(build.get("context") or ".")
    path = Path(context)
    return path if path.is_absolute() and "://" not in context else None
