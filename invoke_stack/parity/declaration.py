"""One side of the comparison, whichever vendor's files it came from.

Rules read these types and know no vendor. A value never appears without its place, a secret
never as text, and what nobody says is "unknown", not absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from invoke_stack.compose.variables import Variable
from invoke_stack.dockerfile.model import Dockerfile, Stage
from invoke_stack.parity.parts import EnvFile, EnvVar, Mount, PortMap, Probe, Step, Wait
from invoke_stack.parity.values import ABSENT, Src, Val, Version

if TYPE_CHECKING:
    from invoke_stack.parity.workspace import Workspace

Side = Literal["production", "local"]
Role = Literal["web", "private", "worker", "cron", "static", "job", "unknown"]
Kind = Literal[
    "postgres", "mysql", "mongo", "keyvalue", "clickhouse", "queue", "objectstore", "mail", "other"
]


@dataclass(frozen=True, slots=True)
class Build:
    """How an image is built.

    Attributes:
        context: folder from the project root ("." is the root); certainty "default" if not said.
        dockerfile: path from the project root; certainty "default" if not said.
        target: stage name; ABSENT builds the last.
        args: build arguments.
        parsed: the Dockerfile; None when it does not exist or cannot be read.
        stage: the stage that is built; None when missing.
        inline: `dockerfile_inline`.
    """

    context: Val[str]
    dockerfile: Val[str]
    target: Val[str] = ABSENT
    args: Mapping[str, EnvVar] = field(default_factory=dict)
    parsed: Dockerfile | None = field(default=None, repr=False)
    stage: Stage | None = field(default=None, repr=False)
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Process:
    """Something that runs the project's code or a prebuilt image of it.

    Attributes:
        runtime: "docker" (built here), "image" (pulled), "node", "python", "go", "ruby",
            "rust", "elixir", "static".
        image: reference for `runtime` image; also Compose's `image:` beside `build:`.
        root: folder of the code from the project root (`rootDir`, build context); ".".
        steps_build: native build command. Steps inside a Dockerfile are in `build.parsed`.
        steps_release: before traffic (`preDeployCommand`, one-off jobs it waits for).
        steps_start: what the container runs: command, else entrypoint + CMD, scripts followed.
        command: the start command as written (dockerCommand, startCommand, `command:`).
        entrypoint: Compose's `entrypoint:`.
        port: where it listens or is expected to; platform default with certainty "default".
        binds_port_env: whether the start command, image or framework reads $PORT.
        health: the one that counts first; () when there is none.
        env: at run time, by key, everything merged as the platform does (image ENV lowest).
        lang: "node", "python", … to what decides the version there, by precedence.
        ports: published ports, every one that Compose ends up with.
        profiles: Compose profiles; () always starts.
        dev_tool: pgadmin, mail catchers, …: never paired, never missed.
        job: runs once and ends (waited for with `service_completed_successfully`).
        host_run: not a container: the app that runs beside an infra-only stack.
        names: every host name it answers to in the network (service, aliases, container).
        groups: env groups it names.
        user: Compose's `user:`.
        plan: the platform's plan ("free", …).
        privileged: "privileged", "devices", "cap_add" as far as they are set.
        extra: vendor facts no rule of ours reads, for projects' own rules; never a secret.
    """

    name: str
    role: Role
    runtime: Val[str]
    src: Src
    image: Val[str] = ABSENT
    build: Build | None = None
    root: Val[str] = ABSENT
    steps_build: tuple[Step, ...] = ()
    steps_release: tuple[Step, ...] = ()
    steps_start: tuple[Step, ...] = ()
    command_build: Val[str] = ABSENT
    command_release: Val[str] = ABSENT
    command: Val[str] = ABSENT
    entrypoint: Val[str] = ABSENT
    port: Val[int] = field(default_factory=lambda: Val(None))
    binds_port_env: Val[bool] = field(default_factory=lambda: Val(None, certainty="unknown"))
    health: tuple[Probe, ...] = ()
    env: Mapping[str, EnvVar] = field(default_factory=dict)
    env_files: tuple[EnvFile, ...] = ()
    groups: tuple[Val[str], ...] = ()
    lang: Mapping[str, Val[Version]] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    ports: tuple[PortMap, ...] = ()
    waits: tuple[Wait, ...] = ()
    instances: Val[int] = field(default_factory=lambda: Val(1, certainty="default"))
    profiles: tuple[str, ...] = ()
    dev_tool: bool = False
    job: bool = False
    host_run: bool = False
    names: tuple[str, ...] = ()
    extra_hosts: tuple[str, ...] = ()
    user: Val[str] = ABSENT
    plan: Val[str] = ABSENT
    privileged: tuple[Val[str], ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Datastore:
    """A database, cache, broker, object store or mail catcher.

    Attributes:
        engine: "postgres", "postgis", "redis", "valkey", "mariadb", "rabbitmq", "minio", …
        version: unknown certainty when the platform decides; ABSENT-like never: there is
            always a Val with the place where a version would be written.
        policy: eviction policy of a key-value store.
        extensions: "postgis", "vector", "timescaledb" that the image brings.
        managed: the platform runs it.
        names: host names under which env values refer to it.
        image: its reference (the Dockerfile's FROM where it is built), as written.
        health: as for a process.
        referenced: processes that point to it, with the key: (process, key) pairs.
        external: not declared anywhere: a variable (`DATABASE_URL`, sync: false) points to it.
    """

    kind: Kind
    name: str
    engine: str
    version: Val[Version]
    src: Src
    policy: Val[str] = ABSENT
    extensions: frozenset[str] = frozenset()
    managed: bool = False
    external: bool = False
    names: tuple[str, ...] = ()
    image: Val[str] = ABSENT
    build: Build | None = None
    health: tuple[Probe, ...] = ()
    ports: tuple[PortMap, ...] = ()
    mounts: tuple[Mount, ...] = ()
    env: Mapping[str, EnvVar] = field(default_factory=dict)
    waits: tuple[Wait, ...] = ()
    profiles: tuple[str, ...] = ()
    referenced: tuple[tuple[str, str], ...] = ()
    plan: Val[str] = ABSENT
    database: Val[str] = ABSENT
    user: Val[str] = ABSENT


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read (PAR001).

    Attributes:
        skipped: what is therefore not compared, for people.
        fix: the next step.
    """

    src: Src
    message: str
    fix: str = ""
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class Complaint:
    """What the vendor itself would object to, found by its reader (PAR901, 902, 903).

    Attributes:
        kind: "unknown": no such key · "effect": the key has no effect here or is refused ·
            "missing": a required key · "deprecated" · "dangling": names what is not declared.
        subject: the key or name.
        fix: the line to write; "".
        certain: False: newer than we know, or declared elsewhere in the workspace.
    """

    kind: Literal["unknown", "effect", "missing", "deprecated", "dangling"]
    subject: str
    message: str
    src: Src
    fix: str = ""
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Declaration:
    """One side, or one layer of the local side.

    Attributes:
        target: the reader's name ("render", "compose", …).
        layers: the files it was read from, lowest first, from the project root.
        processes, datastores: by name, in the order of the files.
        groups: env groups: name to variables.
        variables: Compose variables as written, with their lines (local side).
        problems, complaints: in file order.
        partial: merge rules do not hold (read without Compose).
    """

    side: Side
    target: str
    layers: tuple[str, ...] = ()
    processes: Mapping[str, Process] = field(default_factory=dict)
    datastores: Mapping[str, Datastore] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, EnvVar]] = field(default_factory=dict)
    variables: tuple[Variable, ...] = ()
    problems: tuple[Problem, ...] = ()
    complaints: tuple[Complaint, ...] = ()
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """What a reader is told.

    Attributes:
        side: which side the declaration is for.
        environment: of a file with several (`projects[].environments[]` of Render); "".
        templates: env file to its template, both from the project root (settings).
    """

    side: Side
    environment: str = ""
    templates: Mapping[str, str] = field(default_factory=dict)


class Reader(Protocol):
    """Reads one vendor's files.

    A project adds its own through `stack.parity.readers`.
    """

    name: str

    def detect(self, workspace: Workspace) -> tuple[str, ...]:
        """Return this vendor's files, from the project root, the likeliest first."""

    def read(self, workspace: Workspace, files: tuple[str, ...], options: Options) -> Declaration:
        """Return what the files declare.

        Raises:
            StackError: they cannot be read at all.
        """
