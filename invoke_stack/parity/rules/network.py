"""PAR801-804: what Compose makes of the files."""

from __future__ import annotations

from collections.abc import Iterator

from invoke_stack.parity.declaration import Datastore, Declaration, Process
from invoke_stack.parity.parts import PortMap
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.rule import Found, Outcome, Passed, Unknown, places, rule
from invoke_stack.parity.rules import sides
from invoke_stack.parity.values import Src

_UNCHECKED = frozenset({"postgres", "mysql", "mariadb", "mongo", "redis", "valkey/valkey", "node",
                        "python", "nginx", "rabbitmq", "memcached", "clickhouse/clickhouse-server",
                        "minio/minio", "postgis/postgis", "pgvector/pgvector", "ruby", "golang",
                        "debian", "alpine", "ubuntu"})  # fmt: skip
"""Images that bring no HEALTHCHECK of their own."""


@rule("PAR801", "Override adds instead of replaces", "warning", "high")
def appended(facts: Facts) -> Iterator[Outcome]:
    """Find container ports that base and override publish on two host ports."""
    seen: set[tuple[Src, ...]] = set()
    for layer in sides.layers(facts):
        if layer.partial:
            continue
        for each in sides.everything(layer):
            for one, two in _twice(each.ports):
                key = (one.src, two.src)
                if key in seen:
                    continue
                seen.add(key)
                message = (
                    f"{each.name} publishes {one.target} on {one.published} and {two.published}: "
                    "Compose adds the override's ports to the base's"
                )
                host = f"{two.published}:{two.target}"
                fix = f'ports: !override\n  - "{host}"'
                yield Found(each.name, message, places((), [one.src, two.src]), fix)


def _twice(ports: tuple[PortMap, ...]) -> Iterator[tuple[PortMap, PortMap]]:
    for number, one in enumerate(ports):
        for two in ports[number + 1 :]:
            same = one.target == two.target and one.protocol == two.protocol
            if same and one.published != two.published and one.src.file != two.src.file:
                yield one, two


@rule("PAR802", "Connection uses the host port inside the network", "error", "high")
def host_ports(facts: Facts) -> Iterator[Outcome]:
    """Find addresses that name a service with the port of the host."""
    seen: set[Src] = set()
    for layer in sides.layers(facts):
        named = _named(layer)
        for process in sides.apps(layer):
            for var in () if process.host_run else process.env.values():
                address = var.address
                if address is None or address.port is None or var.src in seen:
                    continue
                target = named.get(address.host)
                inner = _inner(target, address.port) if target else None
                if target is None or inner is None:
                    continue
                seen.add(var.src)
                message = (
                    f"{var.key} of {process.name} asks {address.host} on {address.port}, which is "
                    f"the host's port; inside the network it is {inner.target}"
                )
                fix = f"{address.host}:{inner.target}"
                yield Found(var.key, message, places((), [var.src, inner.src]), fix)


def _named(layer: Declaration) -> dict[str, Process | Datastore]:
    found: dict[str, Process | Datastore] = {}
    for each in sides.everything(layer):
        if not (isinstance(each, Process) and each.host_run):
            found |= {name.casefold(): each for name in (each.name, *each.names)}
    return found


def _inner(target: Process | Datastore, port: int) -> PortMap | None:
    if any(each.target == port for each in target.ports):
        return None
    return next((each for each in target.ports if each.published == port), None)


@rule("PAR803", "Waits for health of a service without healthcheck", "error", "high")
def waits(facts: Facts) -> Iterator[Outcome]:
    """Find `service_healthy` on a service that never becomes healthy."""
    seen: set[Src] = set()
    for layer in sides.layers(facts):
        stack: dict[str, Process | Datastore] = {**layer.processes, **layer.datastores}
        for each in stack.values():
            for wait in each.waits:
                target = stack.get(wait.service)
                if wait.condition != "service_healthy" or target is None or wait.src in seen:
                    continue
                seen.add(wait.src)
                yield from _waited(each.name, target, wait.src)


def _waited(name: str, target: Process | Datastore, src: Src) -> Iterator[Outcome]:
    where = places((), [src, target.src])
    if any(not probe.disabled and not probe.shadowed for probe in target.health):
        yield Passed(name, f"{target.name} has the health check that {name} waits for", where)
        return
    off = any(probe.disabled for probe in target.health)
    image = sides.repository_name(target.image.value or "")
    base = target.build.parsed.root(target.build.stage).image if (
        target.build and target.build.parsed and target.build.stage
    ) else image  # fmt: skip
    if not off and sides.repository_name(base) not in _UNCHECKED:
        message = f"{name} waits for {target.name}, whose image may bring a health check"
        yield Unknown(name, message, f"a healthcheck of {target.name}", where)
        return
    message = f"{name} waits until {target.name} is healthy, and {target.name} has no health check"
    yield Found(name, message, where, f"healthcheck:   at {target.name}")


@rule("PAR804", "Needed env file has no template", "warning", "high")
def untemplated(facts: Facts) -> Iterator[Outcome]:
    """Find env files that Compose requires and a fresh clone cannot have."""
    files: dict[str, list[Src]] = {}
    for layer in sides.layers(facts):
        for process in layer.processes.values():
            for each in process.env_files:
                needed = each.required and not each.committed and not each.template
                if needed and each.src not in files.setdefault(each.path, []):
                    files[each.path].append(each.src)
    for path, sources in files.items():
        if not sources:
            continue
        names = sorted(each.name for each in facts.local.variables if each.operator in {"?", ":?"})
        message = f"{path} is required, and nothing in the repository says what belongs in it"
        message += f" ({sides.listed(names)})" if names else ""
        fix = f"{path}.example, or `required: false`"
        yield Found(path, message, places((), sources), fix)
