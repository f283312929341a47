"""PAR507: files that outlive the container on one side only."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator

from invoke_stack.findings.model import Severity
from invoke_stack.parity.declaration import Process
from invoke_stack.parity.parts import Mount
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.rule import Found, Outcome, Passed, places, rule
from invoke_stack.parity.rules import sides

_CACHES = re.compile(
    r"/(?:\.?cache|caches|\.next|\.turbo|\.venv|venv|__pycache__|\.pnpm-store|\.npm|\.yarn|dist|"
    r"build|tmp|\.gradle|\.m2|target|vendor|htmlcov|coverage|logs?)(?:/|$)"
)
_MODULES = re.compile(r"/node_modules(?:/|$)")
_CONFIG = re.compile(r"\.(?:conf|cfg|ya?ml|toml|json|ini|template|sh|sql|env|crt|pem)$")
_OBJECTS = re.compile(
    r"^(?:S3_|AWS_S3|AWS_BUCKET|BLOB_|GCS_|R2_|CLOUDINARY_|UPLOADTHING_)|_BUCKET(?:_NAME)?$"
)


@rule("PAR507", "Persistent files differ", "error")
def persistence(facts: Facts) -> Iterator[Outcome]:
    """Compare the app's volumes with production's disks."""
    for pair in facts.pairing.processes:
        disks = [each for each in pair.production.mounts if each.kind in {"disk", "volume"}]
        for mount in pair.local.mounts:
            yield from _local(facts, pair.production, pair.local, mount, disks)
        kept = [each for each in pair.local.mounts if each.kind in {"volume", "bind"}]
        for disk in disks:
            covered = any(_covers(disk.target, each.target) for each in kept)
            if pair.local.host_run or covered:
                continue
            message = f"{disk.target} is kept in production and lost with the container locally"
            where = places([disk.src], [pair.local.src])
            name = pair.production.name
            fix = f"volumes:\n  - {disk.source or 'data'}:{disk.target}"
            yield Found(name, message, where, fix, "warning")
    yield from _shared_disks(facts)


def _local(
    facts: Facts, production: Process, local: Process, mount: Mount, disks: list[Mount]
) -> Iterator[Outcome]:
    where = places([production.src], [mount.src])
    name = mount.target
    if mount.kind in {"tmpfs", "disk"} or mount.target.endswith(".sock"):
        return
    if _MODULES.search(mount.target):
        if mount.kind == "volume" and local.build is not None and not _sources(local):
            message = f"the volume over {name} survives rebuilds: stale dependencies stay"
            yield Found(name, message, where, "no volume there", "info")
        return
    if _CACHES.search(mount.target) or (mount.kind == "bind" and _in_project(mount)):
        return
    if mount.kind == "anonymous":
        return
    if any(_covers(each.target, mount.target) for each in disks):
        yield Passed(name, f"{name} is kept on both sides", where)
        return
    if mount.kind == "bind" and (mount.read_only or _CONFIG.search(mount.target)):
        message = f"{name} is a file of the host locally; production has to get it as a value"
        yield Found(name, message, where, "its content in a secret variable", "info")
        return
    message = f"{name} is kept in the volume {mount.source}; production loses it at each deploy"
    objects = any(_OBJECTS.search(key) for key in production.env)
    level: Severity | None = "info" if objects else None
    yield Found(name, message, where, _disk(facts, production, mount), level)


def _disk(facts: Facts, process: Process, mount: Mount) -> str:
    if facts.production.target == "render":
        free = "   (not on the free plan)" if process.plan.value == "free" else ""
        return f"disk:\n  name: data\n  mountPath: {mount.target}\n  sizeGB: 1{free}"
    return f"volumes:\n  - {mount.source or 'data'}:{mount.target}"


def _in_project(mount: Mount) -> bool:
    """Tell whether a bind shows the repository's own files: sources, or what a job leaves."""
    return not mount.source.startswith("/")


def _sources(process: Process) -> bool:
    """Tell whether the sources are mounted: then it is a development container."""
    binds = [each for each in process.mounts if each.kind == "bind" and _in_project(each)]
    return any(not each.read_only for each in binds)


def _covers(outer: str, inner: str) -> bool:
    one, two = posixpath.normpath(outer), posixpath.normpath(inner)
    return one == two or two.startswith(f"{one}/") or one.startswith(f"{two}/")


def _shared_disks(facts: Facts) -> Iterator[Outcome]:
    if facts.production.target != "render":
        return
    disks = [
        (each, mount)
        for each in sides.apps(facts.production)
        for mount in each.mounts
        if mount.kind == "disk" and mount.source
    ]
    counts = Counter(mount.source for _, mount in disks)
    # A disk belongs to one service: two with one name are two disks, not a shared one.
    for name, number in counts.items():
        if number > 1 and name not in {"data", "disk", "storage"}:
            users = [(process, mount) for process, mount in disks if mount.source == name]
            message = f"disk {name} is named by {sides.listed(p.name for p, _ in users)}: "
            message += "each gets its own, nothing is shared"
            yield Found(name, message, places([mount.src for _, mount in users]), "object storage")
