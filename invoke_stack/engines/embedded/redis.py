"""Redis's and Valkey's configuration out of a declared command line, and whether they answer.

The configuration goes in through the server's input: it may hold a password, and a command line
can be read by everybody.
"""

from __future__ import annotations

import re
import shlex
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from invoke_stack.compose.model import Mount
from invoke_stack.engines.embedded import mounts as paths
from invoke_stack.errors import UsageError

LOOPBACK = "127.0.0.1"
PORT = 6379
BOTH_LOOPBACKS = (6, 2)
"""The first version that takes `-::1`, an address that may be missing."""

_SERVERS = ("redis-server", "valkey-server")
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?-([^}]*))?\}|(\w+))")
_ELSEWHERE = ("include", "loadmodule")
_OURS = (
    *("bind", "port", "dir", "daemonize", "pidfile", "logfile", "unixsocket", "unixsocketperm"),
    *("protected-mode", "supervised", "tls-port", "syslog-enabled", "cluster-enabled"),
)
_FILES = ("aclfile", "tls-cert-file", "tls-key-file", "tls-ca-cert-file")

ARGUMENTS = ("REDIS_ARGS", "VALKEY_EXTRA_FLAGS", "REDIS_EXTRA_FLAGS")
"""Variables with further options: redis-stack's, valkey's and bitnami's."""
PASSWORDS = {"bitnami": ("REDIS_PASSWORD", "VALKEY_PASSWORD"), "dragonfly": ("DFLY_requirepass",)}
"""Variables that images take the password from, by a word in their name; the official do not."""

State = Literal["ready", "starting", ""]


def directives(
    command: Sequence[str],
    environment: Mapping[str, str],
    mounts: Sequence[Mount],
    service: str,
    image: str = "redis",
) -> tuple[str, ...]:
    """Return the lines of configuration that a command line means.

    Args:
        command: the words of `command:`; none for the image's own.
        environment: the service's, for `sh -c 'redis-server --requirepass "$REDIS_PASSWORD"'`.
        mounts: what the service sees of this machine, for a configuration file.
        service: for messages.
        image: some read further options and the password from the environment.

    Raises:
        UsageError: it starts something else, or needs a module or file of the container.
    """
    words = _plain(list(command), environment, service)
    if words and Path(words[0]).name == "docker-entrypoint.sh":
        words = words[1:]
    if words and Path(words[0]).name in _SERVERS:
        words = words[1:]
    lines = _of_the_image(environment, image)
    if words and not words[0].startswith("-"):
        lines += _file(words.pop(0), mounts, service)
    lines += _options(words, mounts)
    for line in lines:
        name = line.split(maxsplit=1)[0].casefold()
        if name in _ELSEWHERE:
            hint = "run this stack on Docker, or leave it away in a compose file of this mode"
            raise UsageError(service, f"{line} needs what only the image has", hint=hint)
    return tuple(line for line in lines if line.split()[0].casefold() not in _OURS)


def _of_the_image(environment: Mapping[str, str], image: str) -> list[str]:
    """Return what an image's own entrypoint makes of the environment."""
    keys = [each for name, known in PASSWORDS.items() if name in image for each in known]
    lines = [f"requirepass {quoted(environment[key])}" for key in keys if environment.get(key)]
    words = [word for key in ARGUMENTS for word in environment.get(key, "").split()]
    return [*lines, *_options(words, ())]


def _plain(words: list[str], environment: Mapping[str, str], service: str) -> list[str]:
    """Return the words that a shell would start, where it is only asked for its variables."""
    if len(words) != 3 or Path(words[0]).name not in ("sh", "bash") or words[1] != "-c":  # noqa: PLR2004
        return words
    try:
        inner = shlex.split(words[2].replace("\\\n", " "))
    except ValueError:
        inner = []
    inner = inner[1:] if inner[:1] == ["exec"] else inner
    if not inner or Path(inner[0]).name not in _SERVERS or re.search(r"[;&|<>`]|\$\(", words[2]):
        hint = "write `command:` as a list that begins with redis-server, or run it on Docker"
        raise UsageError(service, "its command needs a shell inside the container", hint=hint)
    # After splitting: what a variable holds is one word, whatever is in it.
    return [
        _VARIABLE.sub(lambda v: environment.get(v[1] or v[3]) or v[2] or "", word) for word in inner
    ]


def _file(path: str, mounts: Sequence[Mount], service: str) -> list[str]:
    found = paths.find(path, mounts)
    try:
        text = found.read_text("utf-8") if found else ""
    except OSError:
        found = None
    if found is None:
        hint = "mount it from the project, or give the options in `command:`"
        raise UsageError(service, f"{path} is a file of the image", hint=hint)
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _options(words: Sequence[str], mounts: Sequence[Mount]) -> list[str]:
    """Return `--name value value` as lines, as the server reads them itself."""
    lines: list[list[str]] = []
    for word in words:
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            lines.append([name, quoted(value)] if equals else [name])
        elif lines:
            known = paths.find(word, mounts) if lines[-1][0] in _FILES else None
            lines[-1].append(quoted(str(known or word)))
    return [" ".join(line) for line in lines]


def quoted(value: str) -> str:
    """Return a value as a configuration line takes it, whatever is in it.

    https://github.com/redis/redis/blob/7.0/src/sds.c (`sdssplitargs`)
    """
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'


def config(lines: Sequence[str], port: int, version: tuple[int, ...]) -> str:
    """Return what the server reads from its input; the last of several equal lines counts."""
    hosts = f"{LOOPBACK} -::1" if version >= BOTH_LOOPBACKS else LOOPBACK
    # By the working directory alone: another user's server may not enter the folders above.
    own = (f"bind {hosts}", f"port {port}", "pidfile redis.pid", "daemonize no", 'logfile ""')
    return "".join(f"{line}\n" for line in (*lines, *own))


def state(port: int, timeout_s: float) -> State:
    """Return what the server on a port of this machine says to a ping; "" when nothing."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout_s) as probe:
            probe.settimeout(timeout_s)
            probe.sendall(b"PING\r\n")
            answer = probe.recv(64)
    except OSError:
        return ""
    # Whoever wants a password first is up, too.
    if answer.startswith((b"+PONG", b"-NOAUTH", b"-NOPERM", b"-DENIED")):
        return "ready"
    return "starting" if answer else ""
