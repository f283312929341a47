"""What was detected, and from where: `stack.config`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from invoke_stack.compose import families
from invoke_stack.compose.model import Service
from invoke_stack.environment import declared as loading
from invoke_stack.environment import layers
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import UsageError
from invoke_stack.project import Project
from invoke_stack.redaction import masked
from invoke_stack.stack import images


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """One service as detected; ``environment`` is masked."""

    name: str
    image: str
    kind: str
    active: bool
    profiles: tuple[str, ...]
    ports: tuple[str, ...]
    env_files: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that was detected in one mode."""

    project: str
    root: str
    mode: str
    compose: tuple[str, ...]
    reason: str
    profiles: tuple[str, ...]
    database: str
    cache: str
    layers: tuple[str, ...]
    templates: dict[str, str]
    missing: tuple[str, ...]
    services: tuple[ServiceFacts, ...]

    def sections(self) -> Iterator[tuple[str, list[str]]]:
        """Yield titles and lines for people."""
        yield f"project {self.project}", [f"root      {self.root}", f"mode      {self.mode}"]
        yield (
            "compose",
            [f"files     {', '.join(self.compose)}   ({self.reason})"]
            + ([f"profiles  {', '.join(self.profiles)}"] if self.profiles else []),
        )
        found = [f"layer     {name}" for name in self.layers] or ["layer     none"]
        found += [f"template  {path} for {name}" for name, path in self.templates.items()]
        yield "env", found + [f"missing   {each}" for each in self.missing]
        yield "found", [f"database  {self.database}", f"cache     {self.cache}"]
        for each in self.services:
            yield _title(each), [f"{key}={value}" for key, value in each.environment.items()]


def overview(project: Project) -> Overview:
    """Return what the project's files say, without asking an engine."""
    declared = loading.load(project)
    active = declared.active()
    return Overview(
        project=declared.name,
        root=str(project.root),
        mode=declared.mode.name,
        compose=tuple(project.shown(path) for path in declared.files.paths),
        reason=declared.files.reason,
        profiles=declared.profiles,
        database=_one(declared, "db", project.settings.db.service),
        cache=_one(declared, "cache", project.settings.cache.service),
        layers=declared.env.layers,
        templates=_templates(project, declared),
        missing=tuple(f"{v.name} ({v.file}:{v.line})" for v in declared.missing),
        services=tuple(
            _facts(project, declared, service, active=name in active)
            for name, service in sorted(declared.model.services.items())
        ),
    )


def _one(declared: Declared, kind: str, chosen: str) -> str:
    try:
        service = families.only(declared.model, kind, chosen)
    except UsageError as problem:
        return f"- ({problem.message})"
    origin = f"setting stack.{kind}.service" if chosen else f"image {service.image}"
    return f"{service.name} ({origin})"


def _templates(project: Project, declared: Declared) -> dict[str, str]:
    found = {}
    for folder in dict.fromkeys((project.root, declared.files.folder)):
        unclaimed = layers.leftover(folder, custom=project.custom_modes())
        for name, path in layers.templates(folder).items():
            target = "the missing env file" if name in unclaimed else project.shown(folder / name)
            found[target] = project.shown(path)
    return found


def _facts(project: Project, declared: Declared, body: Service, *, active: bool) -> ServiceFacts:
    return ServiceFacts(
        name=body.name,
        image=images.reference(declared, body),
        kind="built" if body.built else "image",
        active=active,
        profiles=body.profiles,
        ports=tuple(f"{p.published or 'any'}:{p.target}" for p in body.ports),
        env_files=tuple(project.shown(each.path) for each in body.env_files),
        environment={k: _masked(k, v or "") for k, v in sorted(body.environment.items())},
    )


def _masked(key: str, value: str) -> str:
    """Return a value without its secret; a required variable that is missing stays visible."""
    return value if value.startswith("${") else masked(key, value)


def _title(facts: ServiceFacts) -> str:
    parts = [f"service {facts.name}", f"{facts.image} ({facts.kind})"]
    parts += [f"ports {' '.join(facts.ports)}"] if facts.ports else []
    parts += [f"profiles {' '.join(facts.profiles)}"] if facts.profiles else []
    parts += [f"env_file {' '.join(facts.env_files)}"] if facts.env_files else []
    return "  ".join(parts) + ("" if facts.active else "  (not in this mode)")
