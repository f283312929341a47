"""The app that runs beside a stack of mere infrastructure, on the developer's own machine."""

from __future__ import annotations

import posixpath
from dataclasses import replace

from invoke_stack.parity.declaration import Declaration, Process
from invoke_stack.parity.naming import same_name
from invoke_stack.parity.parts import EnvVar
from invoke_stack.parity.readers import scripts
from invoke_stack.parity.readers.images import parsed
from invoke_stack.parity.readers.scripts import Where
from invoke_stack.parity.repository import Package, Repository, Template
from invoke_stack.parity.values import Src, Val

_STARTS = ("dev", "start:dev", "develop", "serve", "start")
_RUN = frozenset({"web", "private", "worker", "static", "cron"})


def with_host_run(
    repository: Repository, production: Declaration, layer: Declaration
) -> Declaration:
    """Return the layer, with production's processes on the host where it runs none itself.

    Their variables are those of the env templates, which is all that the host has.
    """
    if any(_is_app(each, production) for each in layer.processes.values()):
        return layer
    added = {
        each.name: _on_host(repository, each)
        for each in production.processes.values()
        if each.role in _RUN and not each.dev_tool and each.runtime.value != "image"
        and each.name not in layer.processes
    }  # fmt: skip
    return replace(layer, processes={**layer.processes, **added})


def _is_app(process: Process, production: Declaration) -> bool:
    if process.dev_tool or process.job:
        return False
    if process.build is not None:
        return True
    if not process.image.value:
        return False
    pulled = {_repository(each.image.value) for each in production.processes.values()}
    named = any(same_name(each.name, process.name) for each in production.processes.values())
    return _repository(process.image.value) in pulled or named


def _repository(image: str | None) -> str:
    return parsed(image).repository if image else ""


def _on_host(repository: Repository, process: Process) -> Process:
    folder = (process.build.context.value if process.build else process.root.value) or "."
    package = _package(repository, folder)
    own = [each for each in repository.templates if _applies(each, folder)]
    env: dict[str, EnvVar] = {}
    for template in own:
        env |= {key: each for key, each in template.keys.items() if not each.commented}
    known = package.scripts if package else {}
    start = next((known[name] for name in _STARTS if name in known), None)
    src = start.src if start else Src(own[-1].file, 1) if own else process.src
    where = Where(repository.workspace, repository.packages, package.folder if package else folder)
    steps = scripts.steps(where, start.value or "", start.src) if start else ()
    language = {name: stated[0] for name, stated in repository.languages.items() if stated}
    runtime = process.runtime.value if process.runtime.value not in {"docker", "image"} else "host"
    return Process(
        process.name, process.role, Val(runtime, src, "inferred", "runs on the host"), src,
        root=Val(folder, src, "inferred"), steps_start=steps, env=env, lang=language,
        host_run=True, names=("localhost", "127.0.0.1", "host.docker.internal"),
    )  # fmt: skip


def _package(repository: Repository, folder: str) -> Package | None:
    place = folder
    while place not in repository.packages and place not in {".", ""}:
        place = posixpath.dirname(place) or "."
    return repository.packages.get(place)


def _applies(template: Template, folder: str) -> bool:
    """Tell whether an env file of development belongs to a folder or one above it."""
    name = posixpath.basename(template.target)
    if name not in {".env", ".env.local", ".env.development", ".env.development.local"}:
        return False
    above = template.folder == "." or f"{folder}/".startswith(f"{template.folder}/")
    made_for_production = any(
        word in template.file for word in ("prod", "staging", "docker", "test")
    )
    return above and not made_for_production
