"""Prisma inside a container: where it lies there, and the calls that run it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from invoke_stack.compose.commands import ComposeCall
from invoke_stack.database.migrating import Place
from invoke_stack.engines.containers import Container
from invoke_stack.prisma.package import Package
from invoke_stack.process import Command
from invoke_stack.project import Project

PROBE_S = 20
SHELL = ("sh", "-c")

# Prints folder, program and version of the first Prisma whose project is there too: below the
# working directory where this machine has the package, or in it.
PROBE = """
for d in "$PWD/$1" "$PWD/$2" "$PWD"; do
  [ -d "$d" ] || continue
  [ -e "$d/prisma" ] || [ -e "$d/schema.prisma" ] || ls "$d"/prisma.config.* >/dev/null 2>&1 ||
    continue
  p=$d
  while :; do
    m=$p/node_modules/prisma/package.json
    if [ -f "$m" ]; then
      v=$(sed -n 's/^ *"version": *"\\([^"]*\\)".*/\\1/p' "$m" | head -n 1)
      printf '%s\\t%s\\t%s\\n' "$d" "$p/node_modules/.bin/prisma" "$v"
      exit 0
    fi
    [ "$p" = / ] && break
    p=$(dirname "$p")
  done
done
exit 3
"""


@dataclass(frozen=True, slots=True)
class Found:
    """A Prisma inside a container: its project's folder there, its program, its version."""

    folder: str
    program: str
    version: str


def read(output: str) -> Found | None:
    """Return what `PROBE` printed; the last line counts, before it may stand anything."""
    parts = (output.strip().splitlines() or [""])[-1].split("\t")
    return Found(*parts) if len(parts) == 3 and parts[0].startswith("/") else None  # noqa: PLR2004


def probe_words(project: Project, package: Package) -> tuple[str, ...]:
    """Return the program that finds Prisma in a container."""
    below = project.shown(package.folder)
    return (*SHELL, PROBE, "sh", below, package.folder.name)


def running(project: Project, place: Place, package: Package) -> tuple[Container, Found] | None:
    """Return the first running container of the stack that has Prisma, or None."""
    engine = place.container_engine
    if engine is None:
        return None
    services = place.declared.active()
    for each in engine.containers(place.declared.name):
        if not each.running or each.service not in services or not services[each.service].built:
            continue
        words = ("docker", "exec", each.id, *probe_words(project, package))
        done = project.runner.capture(Command(words, effect="read"), timeout_s=PROBE_S)
        found = read(done.stdout) if done.code == 0 else None
        if found is not None:
            return each, found
    return None


def execute(
    container: str, found: Found, words: tuple[str, ...], env: Mapping[str, str], *, read: bool
) -> Command:
    """Return the call in a running container; values reach it by name, never as arguments."""
    names = [word for name in env for word in ("--env", name)]
    argv = ("docker", "exec", *names, "--workdir", found.folder, container, *words)
    return Command(argv, env=env, effect="read" if read else "write")


def one_off(  # noqa: PLR0913 - the parts of one call
    call: ComposeCall,
    service: str,
    found: Found,
    words: tuple[str, ...],
    env: Mapping[str, str],
    *,
    flags: tuple[str, ...] = (),
    read: bool = False,
) -> Command:
    """Return the call in a container made for it, as the caller, who owns what it writes."""
    names = [word for name in env for word in ("--env", name)]
    head = ("run", "--rm", "--no-deps", "--no-TTY", *flags, *names)
    place = ("--workdir", found.folder, "--entrypoint", words[0], service)
    return call.command(*head, *place, *words[1:], read=read).with_env(**env)


def mounts(package: Package, found: Found) -> tuple[str, ...]:
    """Return the flags that let Prisma write this machine's migrations, as their owner.

    The folder around the migrations is mounted, with the schema in it; the process gets the
    caller's number, so that what it writes is the caller's.
    """
    schema = package.migrations.parent
    inside = f"{found.folder}/{schema.relative_to(package.folder).as_posix()}"
    user = ("--user", f"{os.getuid()}:{os.getgid()}") if hasattr(os, "getuid") else ()
    return ("--volume", f"{schema}:{inside}", *user, "--env", "HOME=/tmp")


# Studio 7 listens on the container's own loopback, which no published port reaches; a few lines
# in front of it do. Only 127.0.0.1 of this machine is published, so nobody else gets there.
RELAY = """
const net = require('node:net'), { spawn } = require('node:child_process');
const [program, inner, outer] = process.argv.slice(1);
const words = ['studio', '--port', inner, '--browser', 'none'];
const child = spawn(program, words, { stdio: 'inherit' });
child.on('exit', (code) => process.exit(code ?? 1));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
net.createServer((front) => {
  const back = net.connect(Number(inner), '127.0.0.1');
  front.pipe(back).pipe(front);
  for (const end of [front, back]) end.on('error', () => { front.destroy(); back.destroy(); });
}).listen(Number(outer), '0.0.0.0');
"""
INNER, OUTER = 5555, 5556


def studio(  # noqa: PLR0913 - the parts of one call
    call: ComposeCall, service: str, found: Found, env: Mapping[str, str], name: str, port: int
) -> Command:
    """Return the call that serves Studio from a container on this machine's loopback."""
    flags = ("--name", name, "--publish", f"127.0.0.1:{port}:{OUTER}")
    words = ("node", "-e", RELAY, found.program, str(INNER), str(OUTER))
    return one_off(call, service, found, words, env, flags=flags)
