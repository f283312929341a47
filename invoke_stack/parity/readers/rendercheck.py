"""What Render itself would refuse, ignore or call old in a Blueprint."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from invoke_stack.compose.nodes import Node
from invoke_stack.parity.declaration import Complaint


def complaints(
    root: Node, parts: Iterable[Node], defaults: Mapping[str, Any]
) -> Iterator[Complaint]:
    """Yield unknown, useless, missing and deprecated keys, and references to nothing."""
    keys = defaults["keys"]
    yield from _unknown(root, keys["top"])
    yield from _deprecated(root, defaults)
    every = list(parts)
    for part in every:
        for node in part.get("databases").items:
            yield from _unknown(node, keys["database"])
        for node in part.get("envVarGroups").items:
            yield from _unknown(node, keys["group"])
            yield from _variables(node, defaults, every, in_group=True)
        for node in part.get("services").items:
            yield from _service(node, defaults, every)


def _service(node: Node, defaults: Mapping[str, Any], parts: list[Node]) -> Iterator[Complaint]:
    keys, kind = defaults["keys"], node.get("type").value
    if kind not in defaults["types"]["known"]:
        yield _wrong(
            node.get("type") or node, "type", f"no such service type: {kind or 'none'}", defaults
        )
    if kind in {"keyvalue", "redis"}:
        yield from _unknown(node, keys["keyvalue"])
        if kind == "redis":
            yield _old(node.get("type"), "redis", "keyvalue", "type: keyvalue")
        if "ipAllowList" not in node.fields:
            fix = "ipAllowList: []"
            where = node.get("type").here
            yield Complaint(
                "missing", "ipAllowList", "a key value store needs ipAllowList", where, fix
            )
        return
    yield from _unknown(node, keys["service"])
    yield from _deprecated(node, defaults)
    yield from _unknown(node.get("disk"), keys["disk"])
    yield from _without_effect(node, kind)
    yield from _free(node)
    runtime = (node.get("runtime") or node.get("env")).value
    if runtime and runtime not in defaults["types"]["runtimes"]:
        yield _wrong(
            node.get("runtime") or node.get("env"),
            "runtime",
            f"no such runtime: {runtime}",
            defaults,
        )
    yield from _variables(node, defaults, parts, in_group=False)


def _wrong(node: Node, key: str, message: str, defaults: Mapping[str, Any]) -> Complaint:
    known = defaults["types"]["known" if key == "type" else "runtimes"]
    near = difflib.get_close_matches(node.value, known, n=1)
    fix = f"{key}: {near[0]}" if near else f"one of {', '.join(known)}"
    return Complaint("unknown", key, message, node.here, fix)


def _unknown(node: Node, known: Iterable[str]) -> Iterator[Complaint]:
    names = list(known)
    for key, value in node.fields.items():
        if key in names or key.startswith("x-"):
            continue
        near = difflib.get_close_matches(key, names, n=1, cutoff=0.6)
        fix = f"did you mean {near[0]}?" if near else "remove the line"
        if key == "version" and "postgresMajorVersion" in names:
            near, fix = ["postgresMajorVersion"], f'postgresMajorVersion: "{value.value}"'
        yield Complaint(
            "unknown",
            key,
            f"{key} is no key of a Blueprint here",
            value.here,
            fix,
            certain=bool(near),
        )


def _deprecated(node: Node, defaults: Mapping[str, Any]) -> Iterator[Complaint]:
    for old, new in defaults["deprecated"].items():
        if old in node.fields:
            value = node.fields[old].value
            if old == "autoDeploy":
                value = "commit" if node.fields[old].true else "off"
            yield _old(node.fields[old], old, new, f"{new}: {value}".rstrip(": "))


def _old(node: Node, old: str, new: str, fix: str) -> Complaint:
    return Complaint("deprecated", old, f"{old} is the old spelling of {new}", node.here, fix)


def _without_effect(node: Node, kind: str) -> Iterator[Complaint]:
    runtime = (node.get("runtime") or node.get("env")).value
    docker = runtime in {"docker", "image"}
    ignored = {
        "buildCommand": docker, "startCommand": docker or runtime == "static",
        "dockerfilePath": bool(runtime) and runtime != "docker",
        "dockerContext": bool(runtime) and runtime != "docker",
        "dockerCommand": bool(runtime) and not docker,
        "healthCheckPath": kind != "web" or runtime == "static",
        "disk": kind == "cron" or runtime == "static",
        "preDeployCommand": kind == "cron" or runtime == "static",
        "schedule": kind != "cron",
        "staticPublishPath": bool(runtime) and runtime != "static" and kind != "static",
    }  # fmt: skip
    what = (
        "a static site"
        if runtime == "static"
        else f"a {kind} service with runtime {runtime or 'not set'}"
    )
    for key, useless in ignored.items():
        if useless and node.get(key):
            message = f"{key} has no effect on {what}"
            yield Complaint("effect", key, message, node.get(key).here, "remove the line")


def _free(node: Node) -> Iterator[Complaint]:
    if node.get("plan").value != "free":
        return
    kind = node.get("type").value
    static = (node.get("runtime") or node.get("env")).value == "static"
    if kind in {"worker", "pserv", "cron"}:
        message = f"the free plan has no {kind} services"
        yield Complaint("effect", "plan", message, node.get("plan").here, "plan: starter")
    for key in ("disk", "preDeployCommand"):
        if node.get(key) and not static:
            message = f"the free plan has no {'disks' if key == 'disk' else key}"
            yield Complaint("effect", key, message, node.get(key).here, "plan: starter")


def _variables(
    node: Node, defaults: Mapping[str, Any], parts: list[Node], *, in_group: bool
) -> Iterator[Complaint]:
    keys = defaults["keys"]
    for item in node.get("envVars").items:
        yield from _unknown(item, keys["env"])
        key = item.get("key").value
        if in_group and item.get("sync").value == "false":
            message = f"{key}: sync: false is not allowed in an env group"
            yield Complaint(
                "effect", key, message, item.get("sync").here, "set it in the dashboard"
            )
        yield from _dangling(item, "fromDatabase", "databases", parts)
        yield from _dangling(item, "fromService", "services", parts)
        group = item.get("fromGroup")
        if group.value:
            yield from _missing(group, group.value, "envVarGroups", parts, in_file=False)


def _dangling(item: Node, key: str, section: str, parts: list[Node]) -> Iterator[Complaint]:
    reference = item.get(key)
    if not reference.fields:
        return
    name = reference.get("name")
    yield from _missing(name or reference, name.value, section, parts, in_file=True)
    copied = reference.get("envVarKey")
    target = _named(parts, section).get(name.value)
    if copied.value and target is not None and not copied.value.startswith("RENDER_"):
        declared = [each.get("key").value for each in target.get("envVars").items]
        groups = any(each.get("fromGroup") for each in target.get("envVars").items)
        if copied.value not in declared:
            near = difflib.get_close_matches(copied.value, declared, n=1, cutoff=0.6)
            fix = f"envVarKey: {near[0]}" if near else f"declare {copied.value} in {name.value}"
            message = f"{name.value} declares no {copied.value}"
            yield Complaint("dangling", copied.value, message, copied.here, fix, certain=not groups)


def _named(parts: list[Node], section: str) -> dict[str, Node]:
    return {each.get("name").value: each for part in parts for each in part.get(section).items}


def _missing(
    node: Node, name: str, section: str, parts: list[Node], *, in_file: bool
) -> Iterator[Complaint]:
    known = _named(parts, section)
    if name in known:
        return
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    what = {"databases": "database", "services": "service", "envVarGroups": "env group"}[section]
    fix = f"did you mean {near[0]}?" if near else f"declare the {what} {name}"
    message = f"no {what} of the name {name} in this file"
    yield Complaint("dangling", name, message, node.here, fix, certain=bool(near) or in_file)
