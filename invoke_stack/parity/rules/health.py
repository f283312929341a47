"""PAR401, 402 and 404: health checks and the port that they and the router expect."""

from __future__ import annotations

import re
from collections.abc import Iterator

from invoke_stack.parity.declaration import Process
from invoke_stack.parity.parts import Probe
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.rule import Found, Outcome, Passed, Unknown, places, rule
from invoke_stack.parity.rules import sides
from invoke_stack.parity.values import Src
from invoke_stack.parity.workspace import joined

_LITERAL = re.compile(r"(?:--port[ =]|-p |--bind[ =]\S*:|-b \S*:|0\.0\.0\.0:)(\d{2,5})\b")
_REACH = 12
"""Lines of a file that one health check may take."""


def counted(process: Process) -> Probe | None:
    """Return the health check that counts; None without one or when it is switched off."""
    live = [each for each in process.health if not each.shadowed]
    return live[0] if live and not live[0].disabled else None


@rule("PAR401", "Health path differs", "error", "high")
def paths(facts: Facts) -> Iterator[Outcome]:
    """Compare the URL that production asks with the one that the laptop asks."""
    for pair in facts.pairing.processes:
        production, local = counted(pair.production), counted(pair.local)
        if production is None or not production.path:
            continue
        if local is not None and local.path:
            where = places([production.src], [local.src])
            if local.path == production.path:
                yield Passed(pair.production.name, f"{local.path} on both sides", where)
            else:
                message = f"health path differs: production {production.path}, local {local.path}"
                fix = _fix(facts, local, production.path)
                yield Found(pair.production.name, message, where, fix)
        for hidden in pair.local.health:
            if hidden.shadowed and hidden.path and hidden.path != production.path:
                message = f"the image probes {hidden.path}, production {production.path}; "
                message += "Compose overrides it, a plain `docker run` does not"
                where = places([production.src], [hidden.src, local.src if local else None])
                fix = _fix(facts, hidden, production.path)
                yield Found(pair.production.name, message, where, fix, "info")


def _fix(facts: Facts, probe: Probe, path: str) -> str:
    """Return the probe's own line with the other path, or in words what to change."""
    workspace = facts.repository.workspace
    known = workspace.readable(probe.src.file) and not any("***" in each for each in probe.command)
    lines = workspace.text(probe.src.file).splitlines() if known and probe.path != "/" else []
    asked = re.compile(rf"(?<=[\w}}\]'\"]){re.escape(probe.path)}(?![\w/.-])")
    for line in lines[probe.src.line - 1 :][:_REACH]:
        if len(asked.findall(line)) == 1:
            return asked.sub(lambda _: path, line).strip()
    return f"let the probe ask {path} instead of {probe.path}"


@rule("PAR402", "Health check on one side only", "warning", "high")
def one_sided(facts: Facts) -> Iterator[Outcome]:
    """Compare whether anybody asks a web service how it is."""
    for pair in facts.pairing.processes:
        web = pair.production.role == "web" and pair.production.runtime.value != "static"
        if not web or pair.local.host_run:
            continue
        production, local = counted(pair.production), counted(pair.local)
        image = _unseen(facts, pair.local) if local is None else ""
        name = pair.production.name
        anchor = production.src if production else pair.production.src
        where = places([anchor], [local.src if local else pair.local.src])
        if production is not None and local is not None:
            yield Passed(name, "a health check on both sides", where)
        elif image:
            message = f"the image {image} may bring a health check of its own"
            yield Unknown(name, message, _compose(production, pair.local, pair.production), where)
        elif production is not None:
            path = production.path or "a check"
            message = f"production asks {path}, the local stack asks nothing"
            yield Found(name, message, where, _compose(production, pair.local, pair.production))
        elif local is not None:
            message = f"the local stack asks {local.path or local.binary}, production nothing"
            yield Found(name, message, where, f"healthCheckPath: {local.path or '/health'}")
        else:
            message = "nobody asks this web service how it is, on neither side"
            hosted = facts.production.target != "compose"
            check = _compose(None, pair.local, pair.production)
            yield Found(name, message, where, "healthCheckPath: /health" if hosted else check)
    yield from _never_contained(facts)


def _unseen(facts: Facts, process: Process) -> str:
    """Return the prebuilt image whose health check nobody can see from here; ""."""
    if process.runtime.value != "image":
        return ""
    # An image of our own is built from a Dockerfile of ours, whichever it is.
    own = facts.repository.dockerfiles.values()
    apps = [each for each in own if each.last is not None and each.cmd(each.last) is not None]
    checked = any(each.last and each.health(each.last) for each in apps)
    return "" if apps and not checked else process.image.value or "?"


def _never_contained(facts: Facts) -> Iterator[Outcome]:
    """Yield what production asks where the app runs on the host and its image asks nothing."""
    for process in facts.production.processes.values():
        local, probe = facts.pairing.local_of(process), counted(process)
        boxed = local is not None and not local.host_run
        if process.role != "web" or probe is None or boxed:
            continue
        images = sides.dockerfiles_of(facts, process)
        if not images or any(each.last and each.health(each.last) for each in images):
            continue
        message = f"production asks {probe.path}, no image of the repository asks anything"
        lines = [Src(each.file, each.last.line if each.last else 0) for each in images]
        yield Found(process.name, message, places([probe.src], lines), _compose(probe, process))


def _compose(probe: Probe | None, *processes: Process) -> str:
    """Return the check to write; the port stays open where no side tells it."""
    path = probe.path if probe and probe.path else "/health"
    port = next((each.port.value for each in processes if each.port.value), "<port>")
    return (
        "healthcheck:\n"
        f'  test: ["CMD", "wget", "-qO-", "http://127.0.0.1:{port}{path}"]  # or with node, curl'
    )


@rule("PAR404", "Port not taken from $PORT")
def ports(facts: Facts) -> Iterator[Outcome]:
    """Find web services that listen elsewhere than where the platform looks."""
    if facts.production.target == "compose":  # there the proxy is told the port
        return
    for process in facts.production.processes.values():
        expected, listens = process.port.value, _listens(process)
        if process.role != "web" or listens is None or expected is None:
            continue
        if process.binds_port_env.value and not process.port.declared:
            continue
        where = places([process.port, process.src], [listens[1], *_configured(facts, process)])
        if listens[0] == expected:
            yield Passed(process.name, f"listens on {expected}, where production looks", where)
            continue
        message = f"listens on {listens[0]}, while the platform sends traffic to {expected}"
        fix = sides.env_line(facts, "PORT", str(listens[0]))
        yield Found(process.name, message, where, fix)


def _listens(process: Process) -> tuple[int, Src] | None:
    """Return the port that a process cannot help listening on, or says it does, and where.

    A server that may read $PORT is only held to its EXPOSE when production states a port.
    """
    for step in process.steps_start:
        found = _LITERAL.search(" ".join(step.words))
        if found and step.tag == "serve":
            return int(found[1]), step.src
    build = process.build
    if build is None or build.parsed is None or build.stage is None:
        return None
    file, base = str(build.dockerfile.value), build.parsed.root(build.stage)
    static = re.search(r"(?:^|/)(?:nginx|httpd|caddy)$", sides.repository_name(base.image))
    for word in build.parsed.expose(build.stage):
        number = (word.value or "").partition("/")[0]
        if number.isdecimal() and (static or process.port.declared):
            return int(number), Src(file, word.line)
    return (80, Src(file, base.line)) if static else None


def _configured(facts: Facts, process: Process) -> list[Src]:
    """Return where a copied nginx configuration says what it listens on."""
    build, found = process.build, []
    workspace = facts.repository.workspace
    for copy in build.stage.copies if build and build.stage else ():
        for source in copy.sources if "nginx" in copy.target and not copy.origin else ():
            file = joined(build.context.value or "." if build else ".", source)
            if workspace.readable(file) and file in workspace.files:
                lines = workspace.text(file).splitlines()
                found += [Src(file, n) for n, line in enumerate(lines, start=1)
                          if re.match(r"\s*listen\s+\d", line)][:1]  # fmt: skip
    return found
