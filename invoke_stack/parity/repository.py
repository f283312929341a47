"""What the repository itself says, whoever deploys it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from invoke_stack.dockerfile.model import Dockerfile
from invoke_stack.parity.declaration import Declaration, Problem
from invoke_stack.parity.parts import EnvVar
from invoke_stack.parity.values import ABSENT, Src, Val, Version

if TYPE_CHECKING:
    from invoke_stack.parity.pairing import Pairing
    from invoke_stack.parity.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Package:
    """A package.json.

    Attributes:
        folder: from the project root; ".".
        scripts: name to command.
        manager: `packageManager` ("pnpm@10.1.0"), else ABSENT.
        lockfiles: of its folder, by manager ("npm", "pnpm", "yarn", "bun") to file.
        engines: "node", "pnpm", … to range.
        dependencies: all kinds, name to version text with its line.
    """

    folder: str
    src: Src
    name: str = ""
    scripts: Mapping[str, Val[str]] = field(default_factory=dict)
    manager: Val[str] = ABSENT
    lockfiles: Mapping[str, str] = field(default_factory=dict)
    engines: Mapping[str, Val[str]] = field(default_factory=dict)
    dependencies: Mapping[str, Val[str]] = field(default_factory=dict)
    workspaces: bool = False


@dataclass(frozen=True, slots=True)
class Schema:
    """A Prisma schema.

    Attributes:
        provider: "postgresql", "mysql", "sqlite", …
        env: keys in `env("X")` (datasource url, directUrl, shadowDatabaseUrl), with lines.
        generator: "prisma-client-js", "prisma-client", …
        engine: False when no Rust engine runs (Prisma ≥ 7, or `prisma-client` with none).
        extensions: names in `extensions = […]`.
        migrations: folder from the root, "" when there is none.
        version: of the package (dependencies of the nearest package.json).
    """

    file: str
    src: Src
    provider: Val[str] = ABSENT
    env: Mapping[str, Src] = field(default_factory=dict)
    generator: Val[str] = ABSENT
    engine: bool = True
    targets: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    migrations: str = ""
    version: Val[Version] = field(default_factory=lambda: Val(None, certainty="unknown"))


@dataclass(frozen=True, slots=True)
class Template:
    """A committed env template (or env file).

    Attributes:
        file: from the project root.
        target: the file it makes, from the root (name and header comment say it).
        keys: by key; commented ones too (`commented`).
        template: False for a committed env file (`.env.production`).
        folder: whose family it is.
    """

    file: str
    target: str
    folder: str
    keys: Mapping[str, EnvVar] = field(default_factory=dict)
    template: bool = True


@dataclass(frozen=True, slots=True)
class Migrations:
    """A migration tool in use.

    Attributes:
        tool: "prisma", "drizzle", "knex", "sequelize", "typeorm", "alembic", "django", "rails",
            "flyway".
        folder: of the migrations, from the root.
        count: migrations in it; 0 when the tool is there and the folder is not.
    """

    tool: str
    folder: str
    src: Src
    count: int = 0


@dataclass(frozen=True, slots=True)
class Repository:
    """Everything beside the two sides.

    Attributes:
        workspace: the files: `has(path)`, `text(path)`, `dockerfile(path)`, `ignored(…)`.
        packages: by folder ("." is the root).
        dockerfiles: by path: every one in the repository.
        schemas, templates, migrations: in path order.
        languages: "node" … to every place that states a version, strongest first: .nvmrc,
            .node-version, .tool-versions, engines, .python-version, runtime.txt, go.mod, …
    """

    workspace: Workspace = field(repr=False)
    packages: Mapping[str, Package] = field(default_factory=dict)
    dockerfiles: Mapping[str, Dockerfile] = field(default_factory=dict)
    schemas: tuple[Schema, ...] = ()
    templates: tuple[Template, ...] = ()
    migrations: tuple[Migrations, ...] = ()
    languages: Mapping[str, tuple[Val[Version], ...]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A description that exists beside the one compared (PAR105).

    Attributes:
        reader: "render", "compose", "fly", …
        files: from the root.
        builds: Dockerfiles it builds.
    """

    reader: str
    files: tuple[str, ...]
    builds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Facts:
    """All that rules look at.

    Attributes:
        production: the declaration compared.
        layers: the local side: "base", and "dev" and "prod" where they differ from it.
        pairing: which local process and datastore stands for which of production; for the
            prod-like layer.
        targets: other descriptions of production.
        stacks: other local stacks.
        answers: the `facts` setting (`postgres_major: 16`).
        problems: everything that could not be read, from every reader.
    """

    repository: Repository
    production: Declaration
    layers: Mapping[str, Declaration]
    pairing: Pairing
    targets: tuple[Candidate, ...] = ()
    stacks: tuple[Candidate, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def local(self) -> Declaration:
        """The prod-like layer: "prod", else "base"."""
        return self.layers.get("prod") or self.layers["base"]

    @property
    def dev(self) -> Declaration:
        """The dev layer, else "base"."""
        return self.layers.get("dev") or self.layers["base"]
