"""Which compose files of a repository make its local stack, and which are stacks beside it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from invoke_stack.compose.nodes import Node
from invoke_stack.errors import StackError
from invoke_stack.parity.declaration import Declaration
from invoke_stack.parity.naming import ALIKE, Names, same_name
from invoke_stack.parity.readers import composefiles, images
from invoke_stack.parity.readers.composefiles import Written
from invoke_stack.parity.workspace import Workspace, joined

_FILE = re.compile(r"(?:docker-)?compose(?:[.-](?P<middle>[\w.-]+?))?\.ya?ml")
DEV = frozenset({"override", "dev", "development", "local", "develop"})
PROD = frozenset(
    {"prod", "production", "prd", "live", "release", "deploy", "render", "vps", "server"}
)
_TEST = frozenset({"test", "tests", "testing", "ci", "e2e", "bench", "cypress", "playwright"})
_SKIPPED = frozenset({
    "examples", "example", "tests", "test", "testing", "e2e", "docs", "doc", ".devcontainer",
    ".github",
    "fixtures", "node_modules", "vendor", "benchmarks", "bench", "integration", "templates",
})  # fmt: skip
_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class Stack:
    """Compose files that belong together.

    Attributes:
        base: files of every mode.
        dev, prod: the whole list of files of that mode, base included where it is one; ().
        builds: Dockerfiles, from the root.
        images: repositories of the images, without tag.
        names: services.
    """

    base: tuple[str, ...]
    dev: tuple[str, ...] = ()
    prod: tuple[str, ...] = ()
    builds: frozenset[str] = field(default=frozenset())
    images: frozenset[str] = field(default=frozenset())
    names: frozenset[str] = field(default=frozenset())


def found(workspace: Workspace, without: Sequence[str] = ()) -> tuple[Stack, ...]:
    """Return the stacks of a repository, nearest to the root first.

    Args:
        workspace: the repository.
        without: files that describe production and are no local stack.
    """
    folders: dict[str, dict[str, str]] = {}
    for file in sorted(workspace.files, key=lambda each: (each.count("/"), each)):
        match = _FILE.fullmatch(posixpath.basename(file))
        parts = posixpath.dirname(file).split("/") if "/" in file else []
        if match is None or file in without or len(parts) > _DEEPEST or _SKIPPED & set(parts):
            continue
        folders.setdefault(posixpath.dirname(file), {}).setdefault(match["middle"] or "", file)
    stacks = [each for files in folders.values() for each in _of_folder(workspace, files)]
    return tuple(_described(workspace, each) for each in _by_folder_names(stacks))


def _of_folder(workspace: Workspace, files: dict[str, str]) -> Iterator[Stack]:
    kinds = {middle: _kind(middle) for middle in files}
    base = files.get("")
    dev = [files[each] for each in sorted(files, key=_dev_rank) if kinds[each] == "dev"]
    prod = [files[each] for each in sorted(files) if kinds[each] == "prod"]
    others = [files[each] for each in sorted(files) if kinds[each] == "other"]
    if base is not None:
        head = (base,)
        yield Stack(head, (*head, *dev) if dev else (), _whole(workspace, head, prod))
    elif dev or prod:
        first = (dev or prod)[:1]
        rest = prod if dev else prod[1:]
        yield Stack(tuple(first), (), tuple(rest[:1]))
    for each in others:
        if standalone(workspace, each):
            yield Stack((each,))


def _kind(middle: str) -> str:
    words = set(re.split(r"[.-]", middle.casefold()))
    if not middle:
        return "base"
    if words & _TEST:
        return "test"
    return "dev" if words & DEV else "prod" if words & PROD else "other"


def _dev_rank(middle: str) -> tuple[bool, str]:
    return middle != "override", middle


def _whole(workspace: Workspace, head: tuple[str, ...], prod: list[str]) -> tuple[str, ...]:
    if not prod:
        return ()
    alone = standalone(workspace, prod[0], head)
    return (prod[0],) if alone else (*head, prod[0])


def standalone(workspace: Workspace, file: str, base: tuple[str, ...] = ()) -> bool:
    """Tell whether a file is a stack of its own and not an override of ``base``.

    An override repeats only what it changes; a stack of its own brings its datastores along.
    """
    written = _written(workspace, (file,))
    if written is None:
        return False
    services = written.trees[file].get("services").fields
    if not services or not all(map(_complete, services.values())):
        return False
    below = _written(workspace, base) if base else None
    names = set(below.services()) if below is not None else set()
    stored = any(
        images.store(composefiles.by_default(each.get("image"))) for each in services.values()
    )
    return stored or not names & set(services) or names <= set(services)


def _complete(service: Node) -> bool:
    """Tell whether a service can run without another file."""
    build = service.get("build")
    return bool(
        service.get("image") or build.value or build.get("context") or service.get("extends")
    )


def _by_folder_names(stacks: list[Stack]) -> Iterator[Stack]:
    """Put `docker/development/compose.yml` and `docker/production/compose.yml` together."""
    used: set[int] = set()
    for stack in stacks:
        if id(stack) in used:
            continue
        folder = posixpath.dirname(stack.base[0])
        above, name = posixpath.split(folder)
        if name.casefold() in DEV:
            for other in stacks:
                place = posixpath.dirname(other.base[0])
                if (
                    posixpath.dirname(place) == above
                    and posixpath.basename(place).casefold() in PROD
                ):
                    used.add(id(other))
                    stack = replace(stack, prod=other.base)  # noqa: PLW2901
        yield stack
    # A production folder that came before its development one was given out too.


def _written(workspace: Workspace, files: tuple[str, ...]) -> Written | None:
    try:
        return workspace.once(f"written {files}", lambda: composefiles.load(workspace, files))
    except StackError:
        return None


def _described(workspace: Workspace, stack: Stack) -> Stack:
    builds, repositories, names = set(), set(), set()
    for files in {stack.base, stack.dev, stack.prod} - {()}:
        written = _written(workspace, files)
        for name in written.services() if written is not None else ():
            names.add(name)
            for node in written.nodes(name) if written is not None else ():
                if node.get("image").value:
                    reference = composefiles.by_default(node.get("image"))
                    repositories.add(images.parsed(reference).repository)
                if build := node.get("build"):
                    folder = joined(
                        posixpath.dirname(files[0]),
                        build.value or build.get("context").value or ".",
                    )
                    builds.add(joined(folder, build.get("dockerfile").value or "Dockerfile"))
    return replace(
        stack, builds=frozenset(builds), images=frozenset(repositories), names=frozenset(names)
    )


def best(stacks: Sequence[Stack], production: Declaration) -> Stack | None:
    """Return the stack that shares most with production; of equals the nearest to the root."""
    processes = list(production.processes.values())
    builds = {each.build.dockerfile.value for each in processes if each.build}
    pulled = {
        images.parsed(reference).repository
        for reference in (
            *(each.image.value for each in processes),
            *(each.image.value for each in production.datastores.values()),
        )
        if reference
    }
    kinds = {each.kind for each in production.datastores.values()}

    def score(stack: Stack) -> float:
        stored = {kind[0] for each in stack.images if (kind := images.store(each))}
        shared = 3 * len(builds & stack.builds) + 3 * len(pulled & stack.images)
        names = Names((each, each) for each in stack.names)
        alike = sum(
            any(same_name(one.name, it) >= ALIKE for it in names.near(one.name))
            for one in processes
        )
        depth = posixpath.dirname(stack.base[0]).count("/") + bool(posixpath.dirname(stack.base[0]))
        return shared + 2 * alike + len(kinds & stored) + 0.5 * len(stored) - 0.4 * depth

    return max(stacks, key=score, default=None)
