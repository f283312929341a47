"""What rules ask about the two sides again and again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from invoke_stack.dockerfile.model import Dockerfile
from invoke_stack.parity.declaration import Build, Datastore, Declaration, Process
from invoke_stack.parity.pairing import Pair
from invoke_stack.parity.parts import EnvVar, Step
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.values import Src

NATIVE = frozenset({"node", "python", "go", "ruby", "rust", "elixir"})
CONTAINER = frozenset({"docker", "image"})
STORES = frozenset({"postgres", "mysql", "mongo", "clickhouse", "keyvalue", "queue"})
"""Kinds whose version and presence decide whether the app works; mail and objects do not."""

SQL = frozenset({"postgres", "mysql", "mongo", "clickhouse"})


def contained(facts: Facts) -> Iterator[Pair]:
    """Yield the pairs whose local side is a container."""
    return (each for each in facts.pairing.processes if not each.local.host_run)


def layers(facts: Facts) -> tuple[Declaration, ...]:
    """Return every local layer once, the prod-like one first."""
    found = [facts.local, *facts.layers.values()]
    return tuple(each for n, each in enumerate(found) if not any(each is x for x in found[:n]))


def production_file(facts: Facts) -> Src:
    """Return the file that describes production."""
    return Src(facts.production.layers[0]) if facts.production.layers else Src("")


def local_file(facts: Facts) -> Src:
    """Return the first file of the local stack."""
    layer = facts.layers.get("base") or facts.local
    return Src(layer.layers[0]) if layer.layers else Src("")


def apps(declaration: Declaration) -> Iterator[Process]:
    """Yield the processes that are the project's own, jobs included, dev tools not."""
    return (each for each in declaration.processes.values() if not each.dev_tool)


def last_env_line(process: Process) -> Src:
    """Return where a further variable of a process would be written."""
    own = [each.src for each in process.env.values() if each.src.file == process.src.file]
    lines = [each for each in own if each.line]
    return max(lines, key=lambda each: each.line, default=process.src)


def env_line(facts: Facts, key: str, text: str = "") -> str:
    """Return the line that declares a variable in the language of the production file."""
    if facts.production.target == "render":
        value = f"value: {text}" if text else "sync: false"
        return f"- key: {key}\n  {value}"
    if facts.production.target == "compose":
        return f"{key}: {text or f'${{{key}:?}}'}"
    return f"{key}={text}"


def repository_name(image: str) -> str:
    """Return an image reference without registry host, tag and digest."""
    name = image.partition("@")[0]
    head, slash, tail = name.rpartition("/")
    parts = f"{head}{slash}{tail.partition(':')[0]}".split("/")
    hosted = len(parts) > 1 and ("." in parts[0] or ":" in parts[0] or parts[0] == "localhost")
    return "/".join(parts[1:] if hosted else parts).removeprefix("library/")


def tag(image: str) -> str:
    """Return an image's tag; "" without one."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]


def builds(facts: Facts) -> dict[str, tuple[Dockerfile, str, Src]]:
    """Return the Dockerfiles that make the app: path to (parsed, target, where it is named).

    Those of production, of the local stack and of other descriptions of production; not those
    of databases and dev tools.
    """
    found: dict[str, tuple[Dockerfile, str, Src]] = {}
    sides = [facts.production, *layers(facts)]
    for declaration in sides:
        for process in apps(declaration):
            build = process.build
            if build is None or build.parsed is None or build.inline:
                continue
            # The dev layer may stop at an earlier stage; what ships is the first one named.
            found.setdefault(
                str(build.dockerfile.value), (build.parsed, build.target.value or "", process.src)
            )
    for candidate in facts.targets:
        for path in sorted(candidate.builds):
            parsed = facts.repository.dockerfiles.get(path)
            if parsed is not None:
                found.setdefault(path, (parsed, "", Src(candidate.files[0])))
    return found


def shipped(facts: Facts) -> Iterator[tuple[str, Process, Build]]:
    """Yield what production builds: side, process, build; then what the local stack builds."""
    for side, declaration in (("production", facts.production), ("local", facts.local)):
        for process in apps(declaration):
            if process.build is not None and process.build.parsed is not None:
                yield side, process, process.build


def everything(declaration: Declaration) -> tuple[Process | Datastore, ...]:
    """Return what a side runs: processes, then datastores."""
    return (*declaration.processes.values(), *declaration.datastores.values())


def steps(process: Process) -> tuple[Step, ...]:
    """Return what a process runs before and at its start."""
    return (*process.steps_release, *process.steps_start)


def store_of(key: str) -> str:
    """Return the kind of datastore that a variable's name speaks of; ""."""
    words = set(key.split("_"))
    if words & {"REDIS", "VALKEY", "KV"}:
        return "keyvalue"
    if words & {"DATABASE", "DB", "POSTGRES", "POSTGRESQL", "PG"}:
        return "postgres"
    kinds = {"MYSQL": "mysql", "MONGO": "mongo", "MONGODB": "mongo", "CLICKHOUSE": "clickhouse"}
    kinds |= {"RABBITMQ": "queue", "AMQP": "queue", "KAFKA": "queue", "NATS": "queue"}
    return next((kind for word, kind in kinds.items() if word in words), "")


def known_hosts(facts: Facts) -> frozenset[str]:
    """Return every name that something local answers to, in any layer."""
    names: set[str] = set()
    for declaration in layers(facts):
        for each in everything(declaration):
            names |= {each.name, *each.names}
            names |= set(each.extra_hosts) if isinstance(each, Process) else set()
    return frozenset(name.casefold() for name in names)


def listed(words: Iterable[str]) -> str:
    """Return words as a sentence shows them: sorted, each once."""
    return ", ".join(sorted(set(words)))


def public(key: str) -> bool:
    """Tell whether a bundler compiles a variable into what browsers get."""
    return re.match(r"(NEXT_PUBLIC_|VITE_|REACT_APP_|NUXT_PUBLIC_|PUBLIC_|EXPO_PUBLIC_|GATSBY_)",
                    key) is not None  # fmt: skip


def said(var: EnvVar) -> str:
    """Return a variable's value as a message may show it."""
    return "(secret)" if var.sensitive or var.masked else (var.value or "")


def dockerfiles_of(facts: Facts, process: Process) -> list[Dockerfile]:
    """Return the Dockerfiles that could make a process which production runs natively."""
    root = str(process.root.value or ".")
    found = []
    for path, parsed in facts.repository.dockerfiles.items():
        folder = path.rpartition("/")[0] or "."
        name = path.rpartition("/")[2]
        sources = [one.rstrip("/") for stage in parsed.stages for each in stage.copies
                   if not each.origin for one in each.sources]  # fmt: skip
        copies = any(one == root or one.startswith(f"{root}/") for one in sources)
        if not dev_file(name) and (folder == root or (root != "." and copies)):
            found.append(parsed)
    return found


def dev_file(name: str) -> bool:
    """Tell whether a Dockerfile is for development, tests or tools."""
    words = set(re.split(r"[._-]", name.casefold()))
    return bool(words & {"dev", "development", "local", "test", "tests", "e2e", "ci", "gitpod"})
