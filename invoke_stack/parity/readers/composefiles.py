"""Compose files as they are written: which line says what, and which variables they name."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from invoke_stack.compose import interpolation, nodes, variables
from invoke_stack.compose.nodes import Node
from invoke_stack.compose.variables import Variable
from invoke_stack.errors import StackError, UsageError
from invoke_stack.parity.values import Src
from invoke_stack.parity.workspace import Workspace, joined

_MOST = 60
"""Files that `extends` and `include` may lead to."""


@dataclass(frozen=True, slots=True)
class Written:
    """The compose files of one layer.

    Attributes:
        files: in the order that Compose merges them.
        trees: by file, with those that `extends` and `include` name.
        foreign: what they name outside of the project, which nobody reads.
    """

    files: tuple[str, ...]
    trees: Mapping[str, Node]
    foreign: tuple[str, ...] = ()

    def services(self) -> tuple[str, ...]:
        """Return the names of all services, in the order of the files."""
        found = dict.fromkeys(
            name for file in self._tops() for name in self.trees[file].get("services").fields
        )
        return tuple(found)

    def nodes(self, service: str) -> Iterator[Node]:
        """Yield what the files say about a service, the strongest first."""
        for file in reversed(self._tops()):
            node = self.trees[file].get("services").fields.get(service)
            if node is not None:
                yield from self._with_bases(file, node, {(file, service)})

    def at(self, service: str, *path: str) -> Src:
        """Return the line that sets a key of a service; that of the service without one."""
        first: Src | None = None
        for node in self.nodes(service):
            first = first or node.here
            found: Node | None = node
            for name in path:
                found = found.fields.get(name) if found is not None else None
            if found is not None:
                return found.here
        return first or Src(self.files[0])

    def entry(self, service: str, key: str, fits: Callable[[str], bool]) -> Src:
        """Return the line of the list item, or of the mapping's key, that fits."""
        for node in self.nodes(service):
            found = node.get(key)
            for item in found.items:
                inner = (each.value for each in item.fields.values())
                if fits(item.value) or any(fits(text) for text in inner):
                    return item.src
            for name, value in found.fields.items():
                if fits(name):
                    return value.here
        return self.at(service, key)

    def variables(self) -> Iterator[tuple[Variable, str]]:
        """Yield every use of a variable with the YAML path where it stands.

        Raises:
            UsageError: a reference that Compose does not accept.
        """
        for file, tree in self.trees.items():
            for node in tree.walk():
                if node.text is not None and "$" in node.text:
                    place = f"{file}:{node.src.line}"
                    template = interpolation.parse(node.text, place)
                    for each in variables.uses(template, file, node.src.line):
                        yield each, node.src.path

    def _tops(self) -> tuple[str, ...]:
        included = [
            joined(posixpath.dirname(file), each)
            for file in self.files
            for each in _included(self.trees[file])
        ]
        return tuple(dict.fromkeys(each for each in (*included, *self.files) if each in self.trees))

    def _with_bases(self, file: str, node: Node, seen: set[tuple[str, str]]) -> Iterator[Node]:
        yield node
        base = _base(file, node)
        if base is None or base in seen or base[0] not in self.trees:
            return
        seen.add(base)
        above = self.trees[base[0]].get("services").fields.get(base[1])
        if above is not None:
            yield from self._with_bases(base[0], above, seen)


def load(workspace: Workspace, files: Sequence[str]) -> Written:
    """Read compose files and those they lead to.

    Raises:
        UsageError: one of ``files`` cannot be read, or services extend each other in a circle.
    """
    trees: dict[str, Node] = {}
    foreign: dict[str, None] = {}
    pending = list(files)
    while pending and len(trees) < _MOST:
        file = pending.pop(0)
        if file in trees:
            continue
        found = _tree(workspace, file)
        if isinstance(found, Node):
            trees[file] = found
            pending += _led_to(file, found)
        elif file in files:
            raise found
        elif file not in workspace.files or not workspace.readable(file):
            foreign[file] = None
    _refuse_circles(trees)
    return Written(tuple(files), trees, tuple(foreign))


def _tree(workspace: Workspace, file: str) -> Node | StackError:
    """Return a file's tree, or why there is none; a large file is read only once."""

    def read() -> Node | StackError:
        try:
            return nodes.read(workspace.text(file), file)
        except StackError as problem:
            return problem

    return workspace.once(f"yaml {file}", read)


def expanded(node: Node, values: Mapping[str, str]) -> str:
    """Return a scalar with its variables replaced; as written where that cannot be done."""
    try:
        template = interpolation.parse(node.value, str(node.src))
        return interpolation.expand(template, values.get)
    except StackError:
        return node.value


def by_default(node: Node) -> str:
    """Return a scalar with the defaults of its variables."""
    return expanded(node, {})


def _included(tree: Node) -> Iterator[str]:
    for item in tree.get("include").items:
        inner = item.get("path")
        yield from (
            each for each in (item.value, inner.value, *(it.value for it in inner.items)) if each
        )


def _led_to(file: str, tree: Node) -> Iterator[str]:
    folder = posixpath.dirname(file)
    yield from (joined(folder, each) for each in _included(tree) if "$" not in each)
    for service in tree.get("services").fields.values():
        base = _base(file, service)
        if base is not None:
            yield base[0]


def _base(file: str, service: Node) -> tuple[str, str] | None:
    """Return file and service that a service extends."""
    extends = service.get("extends")
    name = extends.value or extends.get("service").value
    other = extends.get("file").value
    if not name or "$" in other:
        return None
    return (joined(posixpath.dirname(file), other) if other else file), name


def _refuse_circles(trees: Mapping[str, Node]) -> None:
    for file, tree in trees.items():
        for name, service in tree.get("services").fields.items():
            seen = {(file, name)}
            base = _base(file, service)
            while base is not None and base[0] in trees:
                if base in seen:
                    hint = "let one of the services stand on its own"
                    raise UsageError(str(service.here), f"{name} extends itself", hint=hint)
                seen.add(base)
                above = trees[base[0]].get("services").fields.get(base[1])
                base = _base(base[0], above) if above is not None else None
