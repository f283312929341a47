"""A service, key-value store or database of a Blueprint."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from invoke_stack.compose.nodes import Node
from invoke_stack.parity.declaration import Build, Complaint, Datastore, Problem, Process, Role
from invoke_stack.parity.parts import EnvVar, Mount, Probe, Step
from invoke_stack.parity.readers import builds, images, languages, renderenv, scripts
from invoke_stack.parity.readers.builds import Source
from invoke_stack.parity.readers.env import hidden, variable
from invoke_stack.parity.readers.probes import plain_path
from invoke_stack.parity.readers.renderenv import Names
from invoke_stack.parity.readers.scripts import Where
from invoke_stack.parity.values import ABSENT, Src, Val, Version, version
from invoke_stack.parity.workspace import normal

_ROLES: dict[str, Role] = {
    "web": "web", "pserv": "private", "worker": "worker", "cron": "cron", "static": "static",
}  # fmt: skip
_DOCKER = frozenset({"docker", "image"})


@dataclass(frozen=True, slots=True)
class Reading:
    """What every service of a Blueprint is read with."""

    source: Source
    defaults: Mapping[str, Any]
    names: Names
    groups: Mapping[str, Mapping[str, EnvVar]]
    problems: list[Problem] = field(default_factory=list)
    complaints: list[Complaint] = field(default_factory=list)


def text(node: Node, *path: str) -> Val[str]:
    """Return a scalar below a node, masked where it holds a secret."""
    found = node.get(*path)
    return Val(hidden(found.value), found.here) if found.value else ABSENT


def process(reading: Reading, node: Node) -> Process:
    """Return a web service, private service, worker, cron job or static site."""
    runtime = _runtime(node)
    root = (
        Val(normal(node.get("rootDir").value), node.get("rootDir").here)
        if node.get("rootDir")
        else ABSENT
    )
    made = _build(reading, node, root.value or ".") if runtime.value == "docker" else None
    env, groups = _env(reading, node, runtime, made)
    steps = {
        key: _steps(reading, node, key, root.value or ".", made)
        for key in ("buildCommand", "preDeployCommand")
    }
    start = _start(reading, node, root.value or ".", made)
    kind = node.get("type").value
    role = "static" if runtime.value == "static" else _ROLES.get(kind, "unknown")
    command = (
        text(node, "dockerCommand") if runtime.value in _DOCKER else text(node, "startCommand")
    )
    return Process(
        node.get("name").value, role, runtime, (node.get("name") or node).src,
        image=text(node, "image", "url"), build=made, root=root,
        steps_build=() if runtime.value in _DOCKER else steps["buildCommand"],
        steps_release=steps["preDeployCommand"], steps_start=start,
        command_build=text(node, "buildCommand"), command_release=text(node, "preDeployCommand"),
        command=command, port=_port(reading, node, role, env),
        binds_port_env=builds.binds_port_env(start, env), health=_health(node), env=env,
        groups=groups, lang=_languages(reading, runtime, made, env, root.value or "."),
        mounts=_mounts(node), instances=_instances(node), names=(node.get("name").value,),
        plan=_plan(node), extra=_extra(node),
    )  # fmt: skip


def _runtime(node: Node) -> Val[str]:
    if node.get("type").value == "static":
        return Val("static", node.get("type").here)
    for key in ("runtime", "env"):
        if node.get(key):
            return Val(node.get(key).value, node.get(key).here)
    if node.get("image"):
        return Val("image", node.get("image").here, "inferred")
    if node.get("dockerfilePath"):
        return Val("docker", node.get("dockerfilePath").here, "inferred")
    return Val(None, node.src, "unknown")


def _build(reading: Reading, node: Node, root: str) -> Build:
    """Return the build; Render's pages disagree on what a path starts from with a rootDir."""
    workspace = reading.source.workspace

    def resolved(key: str, default: str) -> Val[str]:
        stated = node.get(key)
        path = normal(stated.value or default)
        below = normal(posixpath.join(root, path))
        chosen = path if workspace.has(path) or not workspace.has(below) else below
        if not stated and root != ".":
            chosen = below
        place = stated.here if stated else _runtime(node).src
        return Val(chosen, place, "declared" if stated else "default")

    args = {
        key: variable(key, each.value, each.src, each.origin, build_time=True)
        for key, each in renderenv.of_service(node, reading.names, reading.groups)[0].items()
    }
    context, dockerfile = resolved("dockerContext", "."), resolved("dockerfilePath", "./Dockerfile")
    made, problems = builds.build(reading.source, context, dockerfile, args=args)
    reading.problems.extend(problems)
    return made


def _env(
    reading: Reading, node: Node, runtime: Val[str], made: Build | None
) -> tuple[dict[str, EnvVar], tuple[Val[str], ...]]:
    own, groups = renderenv.of_service(node, reading.names, reading.groups)
    table = reading.defaults["env"]
    platform = [*table["all"], *(table["web"] if node.get("type").value == "web" else ())]
    found = builds.image_env(made) if made is not None else {}
    found |= {key: EnvVar(key, "platform", Src("")) for key in platform}
    values = reading.defaults["env_value"].get(runtime.value or "", {})
    found |= {key: variable(key, value, Src(""), "platform") for key, value in values.items()}
    if node.get("type").value == "web" and runtime.value != "static":
        port = str(reading.defaults["web"]["port"])
        found["PORT"] = variable("PORT", port, Src(""), "platform")
    return found | own, groups


def _where(reading: Reading, root: str, made: Build | None) -> Where:
    if made is not None:
        return builds.where(reading.source, made)
    return Where(reading.source.workspace, reading.source.packages, root, (), root)


def _steps(
    reading: Reading, node: Node, key: str, root: str, made: Build | None
) -> tuple[Step, ...]:
    found = node.get(key)
    if not found.value:
        return ()
    return scripts.steps(_where(reading, root, made), found.value, _command_line(found))


def _command_line(node: Node) -> Src:
    """Return where a command's first line stands: a block starts below its key."""
    return node.here


def _start(reading: Reading, node: Node, root: str, made: Build | None) -> tuple[Step, ...]:
    runtime = _runtime(node).value
    key = "dockerCommand" if runtime in _DOCKER else "startCommand"
    if node.get(key).value:
        return _steps(reading, node, key, root, made)
    return builds.start_steps(reading.source, made) if made is not None else ()


def _port(reading: Reading, node: Node, role: Role, env: Mapping[str, EnvVar]) -> Val[int]:
    own = env.get("PORT")
    if own is not None and own.origin == "literal" and (own.value or "").isdecimal():
        return Val(int(own.value or 0), own.src)
    if role != "web":
        return Val(None)
    number = int(reading.defaults["web"]["port"])
    return Val(number, node.get("name").src, "default", f"Render sets PORT={number}")


def _health(node: Node) -> tuple[Probe, ...]:
    path = node.get("healthCheckPath")
    return (Probe("platform", path.here, plain_path(path.value)),) if path.value else ()


def _mounts(node: Node) -> tuple[Mount, ...]:
    disk = node.get("disk")
    if not disk.fields:
        return ()
    place = disk.get("mountPath").here
    return (Mount("disk", disk.get("name").value, disk.get("mountPath").value, place),)


def _instances(node: Node) -> Val[int]:
    for path in (("numInstances",), ("scaling", "minInstances")):
        found = node.get(*path)
        if found.value.isdecimal():
            return Val(int(found.value), found.here)
    return Val(1, node.src, "default")


def _plan(node: Node) -> Val[str]:
    if node.get("plan"):
        return Val(node.get("plan").value, node.get("plan").here)
    return Val("starter", node.src, "default", "Render's default plan")


def _extra(node: Node) -> dict[str, str]:
    keys = ("region", "branch", "repo", "schedule", "staticPublishPath", "autoDeployTrigger")
    return {key: node.get(key).value for key in keys if node.get(key).value}


def _languages(
    reading: Reading, runtime: Val[str], made: Build | None, env: Mapping[str, EnvVar], root: str
) -> dict[str, Val[Version]]:
    """Return what decides the language's version, by the platform's precedence."""
    if made is not None:
        return builds.language(made)
    name = runtime.value or ""
    key = reading.defaults["language_key"].get(name)
    stated = env.get(key or "")
    if stated is not None and stated.value and stated.origin != "platform":
        return {name: Val(version(stated.value), stated.src)}
    known = languages.read(reading.source.workspace, reading.source.packages).get(name, ())
    inside = [each for each in known if (posixpath.dirname(each.src.file) or ".") == root]
    if inside:
        # A file with one version wins over the range of `engines`.
        best = next((each for each in inside if not each.src.file.endswith(".json")), inside[0])
        return {name: _newest(best)}
    default = reading.defaults["language"].get(name)
    if default is None:
        return {}
    note = f"Render's default on {reading.defaults['date']}"
    return {name: Val(version(default), runtime.src, "default", note)}


def _newest(stated: Val[Version]) -> Val[Version]:
    """Return a range as the newest version in it, which is what the platform installs."""
    found = stated.value
    upper = re.search(r"<\s*(\d{1,4})(?:\.0)*(?:\s|$)", found.text) if found else None
    if found is None or upper is None:
        return stated
    newest = replace(found, parts=(int(upper[1]) - 1,))
    return Val(newest, stated.src, "inferred", "the newest version in the range is installed")


def keyvalue(reading: Reading, node: Node) -> Datastore:
    """Return a key-value store."""
    table = reading.defaults["keyvalue"]
    name, place = node.get("name").value, node.get("type").here
    note = f"new instances on {reading.defaults['date']}"
    policy = text(node, "maxmemoryPolicy")
    if not policy.value:
        policy = Val(table["policy"], place, "default", "Render's default")
    return Datastore(
        "keyvalue", name, table["engine"], Val(version(table["version"]), place, "default", note),
        node.get("name").src, policy, managed=True, names=(name,), plan=_plan(node),
    )  # fmt: skip


def database(reading: Reading, node: Node) -> Datastore:
    """Return a PostgreSQL database."""
    name = node.get("name").value
    stated = node.get("postgresMajorVersion")
    if stated.value:
        major: Val[Version] = Val(version(stated.value), stated.here)
    else:
        newest = reading.defaults["postgres"]["newest_major"]
        month = reading.defaults["date"][:7]
        note = f"not pinned: a new database gets the newest major, {newest} in {month}"
        major = Val(None, node.get("name").src if node.get("name") else node.src, "unknown", note)
    return Datastore(
        "postgres", name, "postgres", major, node.get("name").src, managed=True, names=(name,),
        plan=_plan(node), database=text(node, "databaseName"), user=text(node, "user"),
    )  # fmt: skip


def store(made: Process) -> Datastore | None:
    """Return the datastore that a private service runs in a container; None when it runs none."""
    runs = builds.base_image(made.build) if made.build is not None else made.image
    kind = images.store(runs.value) if runs.value else None
    if kind is None or made.role not in {"private", "worker"}:
        return None
    return Datastore(
        kind[0], made.name, kind[1], images.tag_version(runs.value or "", runs.src), made.src,
        extensions=images.extensions(runs.value or ""), names=(made.name,), image=runs,
        build=made.build, health=made.health, mounts=made.mounts, env=made.env, plan=made.plan,
    )  # fmt: skip
