"""Published ports: which are taken, by whom, and what to change."""

from __future__ import annotations

import contextlib
import errno
import re
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from invoke_stack.compose.ports import Port
from invoke_stack.engines.containers import Container
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import UsageError
from invoke_stack.process import Command
from invoke_stack.project import Project

LAST = 65535
EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - compared with, not bound to


@dataclass(frozen=True, slots=True)
class Taken:
    """A port that the stack wants and somebody else holds."""

    port: Port
    holder: str
    release: str


def taken(
    project: Project,
    wanted: Sequence[Port],
    publishers: Sequence[Container],
    *,
    name: str,
    local: bool,
) -> tuple[Taken, ...]:
    """Return the wanted ports that are not free.

    Args:
        project: the project, to ask the system which process listens.
        wanted: the published ports of the services about to start.
        publishers: every container of the engine that publishes a port.
        name: our Compose project; a port that it holds already is ours.
        local: the engine publishes on this machine, so its processes matter.
    """
    found = []
    for port in wanted:
        if port.published is None:
            continue
        holders = [c for c in publishers if any(_clash(port, b) for b in c.bindings)]
        if holders:
            found += [_by_container(port, c) for c in holders if c.project != name]
        elif local and not _free(port):
            found.append(Taken(port, *_by_process(project, port.published, port.protocol)))
    return tuple(found)


def error(declared: Declared, found: Sequence[Taken]) -> UsageError:
    """Return one error that names every taken port, its holder and the variable to change."""
    first = found[0]
    lines = tuple(
        f"port {each.port.published} ({each.port.service}) is held by {each.holder}"
        for each in found
    )
    variable = declared.port_variables.get((first.port.service, first.port.target))
    change = (
        f"set {variable} to a free port in your env file"
        if variable
        else f"change the published port of {first.port.service} in the compose file"
    )
    return UsageError(
        first.port.service,
        f"port {first.port.published} is taken by {first.holder}",
        hint=f"{change}, or {first.release}",
        detail=lines if len(found) > 1 else (),
    )


def impossible(declared: Declared, wanted: Sequence[Port]) -> None:
    """Require every published port to be one, and to be wanted by one service only.

    Raises:
        UsageError: a number above 65535, or two services that want the same.
    """
    where = ", ".join(path.name for path in declared.files.paths)
    seen: list[Port] = []
    for port in wanted:
        if max(port.published or 0, port.target) > LAST:
            number = max(port.published or 0, port.target)
            hint = f"a port is a number from 1 to {LAST}: correct it in {where}"
            raise UsageError(port.service, f"there is no port {number}", hint=hint)
        for other in seen if port.published else ():
            if other.service != port.service and _clash(port, other):
                both = f"{other.service} and {port.service}"
                hint = f"give one of them another port in {where}"
                raise UsageError(both, f"both publish port {port.published}", hint=hint)
        seen.append(port)


def doubled(declared: Declared) -> Iterator[tuple[str, int, tuple[int, ...]]]:
    """Yield services that publish one container port twice: service, port, published ports.

    An override that lists `ports:` adds to the base file's list; most people mean to replace.
    """
    for service in declared.active().values():
        published: dict[tuple[int, str], set[int]] = {}
        for port in service.ports:
            if port.published:
                published.setdefault((port.target, port.protocol), set()).add(port.published)
        for (target, _), numbers in published.items():
            if len(numbers) > 1 and len(declared.files.paths) > 1:
                yield service.name, target, tuple(sorted(numbers))


def _clash(port: Port, binding: object) -> bool:
    same = (port.published, port.protocol) == (
        getattr(binding, "published", None),
        getattr(binding, "protocol", None),
    )
    hosts = {port.host, getattr(binding, "host", "")}
    return same and (len(hosts) == 1 or bool(hosts & set(EVERYWHERE)))


def _by_container(port: Port, holder: Container) -> Taken:
    if holder.project:
        who = f"container {holder.name} of the Compose project {holder.project}"
        where = f" in {holder.folder}" if holder.folder else ""
        return Taken(port, who + where, f"stop that one: docker stop {holder.name}")
    return Taken(port, f"container {holder.name}", f"stop that one: docker stop {holder.name}")


def _free(port: Port) -> bool:
    """Return whether the port can be bound on this machine."""
    host = port.host or "0.0.0.0"  # noqa: S104 - what the engine would bind
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    kind = socket.SOCK_DGRAM if port.protocol == "udp" else socket.SOCK_STREAM
    with contextlib.closing(socket.socket(family, kind)) as probe:
        if kind == socket.SOCK_STREAM:  # with UDP it would share the port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port.published or 0))
        except OSError as problem:
            # Low ports and foreign addresses are the engine's business, not ours.
            return problem.errno != errno.EADDRINUSE
    return True


def _by_process(project: Project, number: int, protocol: str) -> tuple[str, str]:
    """Return who listens on a port of this machine, and how to end it."""
    found = _from_proc(number, protocol)
    if not found and protocol == "tcp":
        found = _from_lsof(project, number)
    if not found:
        return "another program on this machine", "end that program"
    program, pid = found
    return f"{program} (process {pid})", f"end process {pid}"


def _from_proc(number: int, protocol: str) -> tuple[str, str] | None:
    """Find the listener in Linux's /proc; other users' processes show only to root."""
    inodes = set()
    waiting = "07" if protocol == "udp" else "0A"
    for table in (protocol, f"{protocol}6"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                parts = line.split()
                if parts[3] == waiting and int(parts[1].rpartition(":")[2], 16) == number:
                    inodes.add(f"socket:[{parts[9]}]")
    if not inodes:
        return None
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if str(link.readlink()) in inodes:
                process = link.parents[1]
                return (process / "comm").read_text().strip(), process.name
    return None


def _from_lsof(project: Project, number: int) -> tuple[str, str] | None:
    """Ask lsof, which macOS always has."""
    command = Command(("lsof", "-nP", f"-iTCP:{number}", "-sTCP:LISTEN", "-Fpc"), effect="read")
    try:
        words = project.runner.capture(command, timeout_s=5).stdout
    except UsageError:
        return None
    pid, program = (
        re.search(r"^p(\d+)", words, re.MULTILINE),
        re.search(r"^c(.+)", words, re.MULTILINE),
    )
    return (program[1], pid[1]) if pid and program else None
