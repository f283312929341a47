"""What a stack needs from env files, read tolerantly: also without Docker and before `env.init`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from invoke_stack.compose import families, files, interpolation, model, variables
from invoke_stack.compose.files import ComposeFiles
from invoke_stack.compose.model import EnvFile, Model
from invoke_stack.compose.variables import Variable
from invoke_stack.environment import declared, handover, reading, resolve
from invoke_stack.errors import StackError, UsageError
from invoke_stack.modes import Mode
from invoke_stack.project import Project

PASSWORD = "POSTGRES_PASSWORD"  # noqa: S105 - the name of a variable


@dataclass(frozen=True, slots=True)
class Context:
    """What a service's image is built from."""

    service: str
    folder: Path
    dockerfile: Path


@dataclass(frozen=True, slots=True)
class Needs:
    """What the compose files of a mode ask for.

    Attributes:
        name: the Compose project's name; "" without a stack.
        folder: Compose's project directory; None without a stack.
        variables: every use of a variable in the compose files.
        password_keys: the variables that a database's password is made of.
        volumes: names under which an engine knows the databases' volumes.
        folders: where the env files of each service lie: those of its `env_file:`, else the
            folder that it is built from.
        problem: why less is known than there may be.
    """

    mode: Mode
    name: str = ""
    folder: Path | None = None
    variables: tuple[Variable, ...] = ()
    env_files: tuple[EnvFile, ...] = ()
    contexts: tuple[Context, ...] = ()
    password_keys: frozenset[str] = frozenset()
    volumes: tuple[str, ...] = ()
    folders: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    problem: str = ""


def find(project: Project) -> Needs:
    """Read the compose files of the mode, as far as they can be read."""
    mode = project.mode()
    environ = _environ(project, mode)
    try:
        found = files.find(project, mode, environ)
        if found.mode != mode.name:
            mode = project.mode(found.mode)
            environ = _environ(project, mode)
        named = tuple(
            each for path in found.paths for each in variables.scan(path, project.shown(path))
        )
        tree = _composed(project, found, environ) or _plain(found)
    except UsageError as problem:
        return Needs(mode, problem=str(problem))
    return _needs(project, mode, found, tree, named, environ)


def _environ(project: Project, mode: Mode) -> dict[str, str]:
    try:
        own = declared.main_family(project, mode)
        env = resolve.resolve(mode, own, project.environ, project.overrides)
    except UsageError:  # told by env.check; the files may be about to be completed
        return dict(project.environ)
    return handover.compose_environ(project.environ, env)


def _composed(project: Project, found: ComposeFiles, environ: Mapping[str, str]) -> Any:
    """Return Compose's own reading of the files; None where Compose does not answer."""
    try:
        return reading.tree(project, found, environ)
    except (StackError, ValueError):
        return None


def _plain(found: ComposeFiles) -> Any:
    """Return the files merged as simply as possible: enough to know what they name."""
    merged: dict[str, Any] = {"services": {}, "volumes": {}}
    for path in found.paths:
        document = _document(path)
        merged["name"] = document.get("name") or merged.get("name")
        merged["volumes"] |= _mapping(document.get("volumes"))
        for name, body in _mapping(document.get("services")).items():
            merged["services"].setdefault(name, {}).update(_mapping(body))
    return merged


def _document(path: Path) -> Mapping[str, Any]:
    import yaml

    class Loader(yaml.SafeLoader):
        """Reads Compose's own tags (`!reset`, `!override`) as what they stand before."""

    def untagged(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> Any:
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        return None

    Loader.add_multi_constructor("!", untagged)
    try:
        return _mapping(yaml.load(path.read_bytes(), Loader))  # noqa: S506 - a safe loader
    except (yaml.YAMLError, OSError, ValueError, RecursionError):
        return {}


def _needs(  # noqa: PLR0913 - what is known of the files
    project: Project,
    mode: Mode,
    found: ComposeFiles,
    tree: Any,
    named: tuple[Variable, ...],
    environ: Mapping[str, str],
) -> Needs:
    filled = model.mapped(tree, lambda text: _filled(text, environ))
    raw, whole = model.parse(tree), model.parse(filled)
    name = environ.get("COMPOSE_PROJECT_NAME") or whole.name or found.folder.name
    name = re.sub(r"[^a-z0-9_-]", "", name.casefold())
    stores = [key for key, each in whole.services.items() if families.is_database(each)]
    active = _profiles(project, mode, environ)
    contexts = tuple(_contexts(filled, found.folder))
    return Needs(
        mode=mode,
        name=name,
        folder=found.folder,
        variables=named,
        env_files=tuple(_env_files(whole, found.folder, active)),
        contexts=contexts,
        folders={key: _folders(whole, key, found.folder, contexts) for key in whole.services},
        password_keys=frozenset(key for each in stores for key in _password_keys(raw, each)),
        volumes=tuple(dict.fromkeys(v for each in stores for v in _volumes(filled, each, name))),
    )


def _filled(text: str, environ: Mapping[str, str]) -> str:
    if "$" not in text:
        return text
    try:
        return interpolation.expand(interpolation.parse(text, ""), environ.get)
    except UsageError:
        return text


def _profiles(project: Project, mode: Mode, environ: Mapping[str, str]) -> set[str]:
    named = environ.get("COMPOSE_PROFILES", "").split(",")
    own = project.mode_settings(mode).profiles
    return {*named, *own, *project.settings.compose.profiles, *mode.aliases}


def _env_files(whole: Model, folder: Path, active: set[str]) -> Iterator[EnvFile]:
    """Yield every file that a service names; one that only other modes need is not required."""
    seen: dict[Path, bool] = {}
    for service in whole.services.values():
        runs = not service.profiles or active & set(service.profiles)
        for each in service.env_files:
            path = (folder / each.path).resolve()
            seen[path] = seen.get(path, False) or bool(each.required and runs)
    for path, required in seen.items():
        yield EnvFile(path, required)


def _folders(
    whole: Model, name: str, folder: Path, contexts: Sequence[Context]
) -> tuple[Path, ...]:
    named = [(folder / each.path).resolve().parent for each in whole.services[name].env_files]
    built = [each.folder for each in contexts if each.service == name]
    return tuple(dict.fromkeys(named or built))


def _contexts(tree: Mapping[str, Any], folder: Path) -> Iterator[Context]:
    for name, body in _mapping(tree.get("services")).items():
        build = _mapping(body).get("build")
        if not build:
            continue
        spec = _mapping(build) or {"context": str(build)}
        context = (folder / str(spec.get("context") or ".")).resolve()
        if context.is_dir():  # no `https://…`
            dockerfile = context / str(spec.get("dockerfile") or "Dockerfile")
            yield Context(str(name), context, dockerfile)


def _password_keys(raw: Model, service: str) -> Sequence[str]:
    found = raw.services[service]
    text = found.environment.get(PASSWORD)
    if text is None:
        return (PASSWORD,) if found.env_files or PASSWORD in found.environment else ()
    try:
        return interpolation.names(interpolation.parse(text, ""))
    except UsageError:
        return ()


def _volumes(tree: Mapping[str, Any], service: str, project: str) -> Iterator[str]:
    declared_volumes = _mapping(tree.get("volumes"))
    for entry in _mapping(_mapping(tree.get("services")).get(service)).get("volumes") or ():
        long = isinstance(entry, Mapping)
        source = str(entry.get("source")) if long else str(entry).split(":")[0]
        if source in declared_volumes:
            own = _mapping(declared_volumes[source]).get("name")
            yield str(own or f"{project}_{source}")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
