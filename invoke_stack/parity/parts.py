"""The parts of a declaration: variables, commands, health checks, mounts, ports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from invoke_stack.parity.values import Address, Masked, Src

Tag = Literal["install", "build", "generate", "migrate", "seed", "serve", "worker", "other"]
Origin = Literal[
    "literal",  # a text in the file
    "secret_prompt",  # asked for or set by hand on the platform (`sync: false`)
    "generated",  # the platform makes it up
    "ref",  # a property of another service or database: see `ref`
    "template",  # an env template's example value
    "interpolated",  # `${X:-default}` in a compose file: the value is what the defaults give
    "image",  # ENV of the Dockerfile
    "platform",  # the platform injects it
]


@dataclass(frozen=True, slots=True)
class Ref:
    """A value that the platform takes from elsewhere.

    Attributes:
        kind: what `name` names.
        property: `host`, `hostport`, `port`, `connectionString`, …; "" with `key`.
        key: the variable of the other service that is copied (`envVarKey`).
        resolved: whether the same file declares `name`.
    """

    kind: Literal["database", "service", "group"]
    name: str
    property: str = ""
    key: str = ""
    resolved: bool = True


@dataclass(frozen=True, slots=True)
class EnvVar:
    """A variable as one process, template, group or build gets it.

    Attributes:
        value: the text; None when not known or secret. In a URL only the password is masked.
        masked: of a secret: its length, for equality; also for a URL with a password.
        sensitive: its name or form says that it is a secret.
        placeholder: its value stands in for a real one (`changeme`, `<token>`).
        address: where the value points, when it is a URL, `host:port`, or the host of a *_HOST.
        shape: "url", "hostport", "host", "bool", "number", "text", "empty"; "" when not known.
        required: True: cannot be left out (`${X:?}`, "REQUIRED", @required, Prisma's env()) ·
            False: optional (commented, empty in the template, "OPTIONAL") · None: nobody says.
        build_time: a build argument, not (only) a run-time value.
        variables: names of the Compose variables that went into it.
        group: the env group it came through; "".
        commented: a commented line of a template.
    """

    key: str
    origin: Origin
    src: Src
    value: str | None = None
    masked: Masked | None = None
    sensitive: bool = False
    placeholder: bool = False
    address: Address | None = None
    shape: str = ""
    ref: Ref | None = None
    required: bool | None = None
    build_time: bool = False
    variables: tuple[str, ...] = ()
    group: str = ""
    commented: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One command out of a chain.

    Attributes:
        words: program and arguments, without wrappers (`exec`, `NODE_ENV=…`, `npx`, `dotenv --`).
        text: the command as written, secrets masked.
        src: the line it stands on, in the script where it does.
        via: the places that led there (`package.json:12`), outermost first.
        guarded: its failure is swallowed (`|| true`).
        wrapper: what runs it: "npx", "pnpm exec", "uv run", …; "".
    """

    tag: Tag
    words: tuple[str, ...]
    text: str
    src: Src
    via: tuple[Src, ...] = ()
    guarded: bool = False
    wrapper: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """A health check.

    Attributes:
        origin: who runs it: "platform" (production's router), "compose", "image".
        path: URL path of an HTTP check, without query and trailing slash; "" when not HTTP.
        port: None when not said.
        host: `localhost`, `127.0.0.1`, …; "" for the platform's own.
        binary: the program (`curl`, `node`, `pg_isready`); "" for the platform's own.
        command: its words (shell form: one text).
        disabled: switched off (`disable: true`, NONE).
        shadowed: another one counts instead (an image's check below Compose's).
    """

    origin: Literal["platform", "compose", "image"]
    src: Src
    path: str = ""
    port: int | None = None
    host: str = ""
    binary: str = ""
    command: tuple[str, ...] = ()
    disabled: bool = False
    shadowed: bool = False


@dataclass(frozen=True, slots=True)
class Mount:
    """Something mounted into a process.

    Attributes:
        kind: "disk" is a platform's; "anonymous" a volume without a name.
        source: volume or disk name, or host path from the project root; "".
        target: absolute path inside the container.
    """

    kind: Literal["volume", "bind", "disk", "tmpfs", "anonymous"]
    source: str
    target: str
    src: Src
    read_only: bool = False
    from_base: bool = False


@dataclass(frozen=True, slots=True)
class PortMap:
    """A published port.

    Attributes:
        published: on the host; None when the engine chooses.
        target: inside the container.
        host: the address it is bound to; "".
        src: the line in the file that says it (base or override).
    """

    target: int
    published: int | None
    src: Src
    protocol: str = "tcp"
    host: str = ""


@dataclass(frozen=True, slots=True)
class EnvFile:
    """An `env_file:` entry.

    Attributes:
        path: from the project root.
        required: `required: false` makes it optional.
        template: the committed template that makes it, from the root; "" without one.
        committed: the file itself is part of the repository.
    """

    path: str
    src: Src
    required: bool = True
    template: str = ""
    committed: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """A `depends_on` entry: service, condition (`service_healthy`, …)."""

    service: str
    condition: str
    src: Src
