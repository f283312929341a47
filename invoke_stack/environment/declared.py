"""The stack as the project's files declare it in one mode, before any engine is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from invoke_stack.compose import files, interpolation, model, ports, variables
from invoke_stack.compose.commands import ComposeCall
from invoke_stack.compose.files import ComposeFiles
from invoke_stack.compose.model import Model, Service
from invoke_stack.compose.ports import Port
from invoke_stack.compose.variables import Variable
from invoke_stack.environment import handover, layers, reading, resolve, views
from invoke_stack.environment.layers import Layer
from invoke_stack.environment.reading import EVERY_PROFILE
from invoke_stack.environment.resolve import ResolvedEnv
from invoke_stack.errors import UsageError
from invoke_stack.modes import Mode
from invoke_stack.project import Project
from invoke_stack.redaction import is_sensitive


@dataclass(frozen=True, slots=True)
class Declared:
    """A stack in one mode.

    Attributes:
        env: the resolved env, host view, with origins.
        environ: what Compose gets as its environment: the stack view of all of it.
        model: every service of every profile, with our own interpolation.
        profiles: the active profiles.
        missing: required variables that nobody sets.
        undefined: others without a default that nobody sets; Compose puts in nothing.
        port_variables: the variable behind a published port, by service and container port.
    """

    mode: Mode
    files: ComposeFiles
    env: ResolvedEnv
    environ: Mapping[str, str] = field(repr=False)
    model: Model = field(repr=False)
    profiles: tuple[str, ...]
    missing: tuple[Variable, ...]
    undefined: tuple[Variable, ...]
    port_variables: Mapping[tuple[str, int], str]

    @property
    def name(self) -> str:
        """The Compose project's name."""
        return self.model.name

    def active(self) -> dict[str, Service]:
        """Return the services that this mode starts."""
        return {
            name: service
            for name, service in self.model.services.items()
            if not service.profiles
            or EVERY_PROFILE in self.profiles
            or set(service.profiles) & set(self.profiles)
        }

    def call(self, *overrides: Path) -> ComposeCall:
        """Return what every Compose call on this stack shares."""
        paths = (*self.files.paths, *overrides)
        return ComposeCall(paths, self.files.folder, self.name, self.profiles, self.environ)


def load(
    project: Project, mode: str = "", meanwhile: Callable[[], object] = lambda: None
) -> Declared:
    """Find, resolve and read the stack of a mode.

    Args:
        project: the project.
        mode: the mode whatever the flags say; "" for theirs.
        meanwhile: called while Compose reads the files, if it does.

    Raises:
        UsageError: no compose file, broken YAML, a line in an env file that two readers read
            differently, Compose missing or refusing the files.
    """
    chosen = project.mode(mode)
    own, first = _resolved(project, chosen)
    found = files.find(project, chosen, {**project.environ, **first.exported()})
    if found.mode != chosen.name:
        chosen = project.mode(found.mode)
        own, first = _resolved(project, chosen)
    named = [v for path in found.paths for v in variables.scan(path, project.shown(path))]
    env = resolve.resolve(
        chosen,
        own,
        project.environ,
        project.overrides,
        variables=named,
        templates_marks=template_marks(project, chosen, own, *template_folders(project, found)),
    )
    project.secrets.learn(env.secrets())
    tree = reading.tree(project, found, handover.compose_environ(project.environ, env), meanwhile)
    return _declared(project, chosen, found, env, tree, named)


def template_marks(
    project: Project, mode: Mode, own: Sequence[Layer], *folders: Path
) -> dict[str, dict[str, str]]:
    """Return the marks in the templates of some folders, by key."""
    known = {key for layer in own for key in layer.keys}
    where = [each.resolve() for each in folders]
    return layers.template_marks(where, mode, known, custom=project.custom_modes())


def template_folders(project: Project, found: ComposeFiles) -> tuple[Path, ...]:
    """Return where the templates of the project's own env files lie."""
    return project.root, project.root / project.settings.env.directory, found.folder


def main_family(project: Project, mode: Mode) -> tuple[Layer, ...]:
    """Return the layers of the project's own env files in a mode, lowest rank first."""
    return family(project, main_folder(project), mode)


def main_folder(project: Project) -> Path:
    """Return the folder of the project's own env files.

    Raises:
        UsageError: the setting names none.
    """
    named = project.settings.env.directory
    folder = (project.root / named).resolve()
    if not folder.is_dir():
        raise UsageError("stack.env.directory", f"no such folder: {named}", hint="correct the name")
    return folder


def family(project: Project, folder: Path, mode: Mode) -> tuple[Layer, ...]:
    """Return the layers of one folder's env files in a mode, lowest rank first."""
    paths = layers.layer_paths(folder, mode, custom=project.custom_modes())
    allow = project.settings.env.allow
    return tuple(layers.read(path, project.root, allow=allow) for path in paths)


def service_values(project: Project, declared: Declared, service: Service) -> ResolvedEnv:
    """Return what a service gets through its `env_file:`, host view."""
    found = resolve.service_env(
        [each.path for each in service.env_files],
        project.root,
        declared.mode,
        project.environ,
        project.overrides,
        base=main_family(project, declared.mode),
        custom=project.custom_modes(),
        allow=project.settings.env.allow,
        templates=template_folders(project, declared.files),
    )
    project.secrets.learn(found.secrets())
    return found


def _resolved(project: Project, mode: Mode) -> tuple[Sequence[Layer], ResolvedEnv]:
    own = main_family(project, mode)
    return own, resolve.resolve(mode, own, project.environ, project.overrides)


def _declared(  # noqa: PLR0913 - the parts of one value, put together in one place
    project: Project,
    mode: Mode,
    found: ComposeFiles,
    env: ResolvedEnv,
    tree: Any,
    named: Sequence[Variable],
) -> Declared:
    host = {**project.environ, **env.exported()}
    published = model.parse(model.mapped(tree, _filler(host.get))).ports()
    handed = handover.compose_environ(project.environ, env)
    environ = stack_view(project, handed, env, published)
    whole = model.parse(model.mapped(tree, _filler(environ.get)))
    project.secrets.allow([whole.name, *whole.services, project.root.name])
    # As the files write it: a secret that a variable brings into an image's name stays one.
    project.secrets.allow([each.image for each in model.parse(tree).services.values()])
    for service in whole.services.values():
        pairs = (*service.environment.items(), *service.build_args.items())
        project.secrets.learn([v for k, v in pairs if v and is_sensitive(k, v)])
    return Declared(
        mode=mode,
        files=found,
        env=env,
        environ=environ,
        model=whole,
        profiles=_profiles(project, mode, whole, environ),
        missing=variables.missing(named, environ.get),
        undefined=variables.undefined(named, environ.get),
        port_variables=ports.variables(tree),
    )


def stack_view(
    project: Project,
    environ: Mapping[str, str],
    env: ResolvedEnv,
    published: Sequence[Port],
) -> dict[str, str]:
    """Return an environment whose resolved URLs are those that containers can reach."""
    extra = project.settings.env.rewrite
    changed = {
        key: views.to_stack(key, environ[key], published, extra=extra)
        for key in env.values
        if key in environ
    }
    return {**environ, **changed}


def _filler(lookup: Callable[[str], str | None]) -> Callable[[str], str]:
    def fill(text: str) -> str:
        if "$" not in text:
            return text
        try:
            return interpolation.expand(interpolation.parse(text, ""), lookup)
        except UsageError:  # a required variable is missing: reported with all the others
            return text

    return fill


def _profiles(
    project: Project, mode: Mode, whole: Model, environ: Mapping[str, str]
) -> tuple[str, ...]:
    wanted = [*project.settings.compose.profiles, *project.mode_settings(mode).profiles]
    wanted += [part.strip() for part in environ.get("COMPOSE_PROFILES", "").split(",")]
    wanted += [alias for alias in mode.aliases if alias in whole.profiles()]
    return tuple(dict.fromkeys(name for name in wanted if name))
