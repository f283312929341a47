"""Prisma Studio for the browser of this machine, and for nobody else."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable
from contextlib import closing, suppress

from invoke_stack.errors import StackError, UnreachableError, UsageError
from invoke_stack.events import Line, Report
from invoke_stack.prisma import calls, complaints, inside, launch
from invoke_stack.prisma.spots import Spot
from invoke_stack.process import Command, Running
from invoke_stack.project import Project

HOST = "127.0.0.1"
READY_S = 60.0
ASK_S = 5.0


def serve(
    project: Project, spot: Spot, port: int, report: Report, ready: Callable[[str], None]
) -> None:
    """Serve Studio on the loopback until interrupted; tell ``ready`` its URL once it answers.

    Raises:
        UsageError: the port is taken.
        StackError: Studio ended by itself.
    """
    require_free(port)
    if spot.found is None:
        arguments = calls.studio(port, spot.major)
        _watched(project, spot, spot.run("studio", arguments), port, report, ready)
        return
    name = f"{spot.stack}-studio-{secrets.token_hex(4)}"
    if spot.call is None:  # a running container cannot publish another port
        raise AssertionError(spot.kind)
    command = inside.studio(spot.call, spot.service, spot.found, spot.env, name, port)
    try:
        _watched(project, spot, command, port, report, ready)
    finally:
        # Its client ends at ^C; the container would go on.
        with suppress(StackError):
            project.runner.capture(Command(("docker", "rm", "--force", name)), timeout_s=20)


def _watched(  # noqa: PLR0913 - a call, and the two ways out
    project: Project,
    spot: Spot,
    command: Command,
    port: int,
    report: Report,
    ready: Callable[[str], None],
) -> None:
    with project.runner.start(command) as running:
        if project.dry:
            return
        _until_ready(project, spot, running, port)
        ready(f"http://localhost:{port}")
        while running.poll() is None:
            for line in complaints.own_text(list(running.fresh())):
                report(Line(launch.SOURCE, line))
            time.sleep(0.1)
        if code := running.wait():
            raise launch.failed(project, spot, "\n".join(running.tail), code)


def _until_ready(project: Project, spot: Spot, running: Running, port: int) -> None:
    deadline = time.monotonic() + READY_S
    while not answers(port):
        if (code := running.poll()) is not None:
            running.wait()
            raise launch.failed(project, spot, "\n".join(running.tail), code)
        if time.monotonic() > deadline:
            text = f"Studio did not answer within {READY_S:g} s"
            raise UnreachableError(launch.where(project, spot), text, detail=running.tail[-8:])
        time.sleep(0.1)


def answers(port: int) -> bool:
    """Return whether a web server answers on a port of the loopback."""
    # A port that Docker publishes accepts connections before anything listens behind it.
    with suppress(OSError), closing(socket.create_connection((HOST, port), ASK_S)) as link:
        link.sendall(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
        return link.recv(5) == b"HTTP/"
    return False


def require_free(port: int) -> None:
    """Require that nobody listens on a port of the loopback.

    Raises:
        UsageError: somebody does, or it is no port.
    """
    try:
        with closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
    except (OSError, OverflowError) as problem:
        hint = "choose another: inv db.studio --port 5556"
        raise UsageError("--port", f"port {port} cannot be used", hint=hint) from problem
