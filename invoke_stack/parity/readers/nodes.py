"""YAML with the line of everything and every scalar as text.

A YAML 1.1 loader would make `off` a false and `1.10` a number; whoever reads a field knows what
it is meant to be. Anchors and merge keys are followed, up to a bound: a small file can expand to
billions of nodes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from invoke_stack.errors import UsageError
from invoke_stack.parity.values import Src

MOST = 150_000
"""Nodes; a stack of 1,000 services has some 50,000."""
_DEEPEST = 100
_NULL = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a YAML file.

    Attributes:
        text: of a scalar; None for a list or mapping.
        items: of a list.
        fields: of a mapping.
        src: file, line and YAML path.
        key: where the key of this value stands, for a field of a mapping.
        quoted: a scalar in quotes, or a block: a text whatever it looks like.
        tag: an own tag (`!reset`), else "".
    """

    src: Src
    text: str | None = None
    items: tuple[Node, ...] = ()
    fields: Mapping[str, Node] = field(default_factory=dict)
    key: Src | None = None
    quoted: bool = False
    tag: str = ""

    @property
    def null(self) -> bool:
        """Whether nothing is written."""
        return self.text is not None and not self.quoted and self.text in _NULL

    @property
    def here(self) -> Src:
        """The line of the key, or of the value in a list."""
        return self.key or self.src

    def get(self, *path: str) -> Node:
        """Return a value below this one; an empty one at this place where there is none."""
        found = self
        for name in path:
            found = found.fields.get(name) or Node(found.src)
        return found

    @property
    def value(self) -> str:
        """The text of a scalar; "" for anything else and for null."""
        return "" if self.text is None or self.null else self.text

    @property
    def true(self) -> bool:
        """Whether it says yes."""
        return self.value.casefold() in {"true", "yes", "on", "y"}

    def __bool__(self) -> bool:
        """Whether anything is there."""
        return self.text is not None or bool(self.items) or bool(self.fields)

    def walk(self) -> Iterator[Node]:
        """Yield every node below, itself first."""
        pending = [self]
        while pending:
            node = pending.pop()
            yield node
            pending.extend(reversed([*node.items, *node.fields.values()]))


def read(text: str, file: str) -> Node:
    """Return the first document of a YAML text.

    Raises:
        UsageError: broken YAML, with its line; or one that expands without bounds.
    """
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        # Events, not nodes: composing recurses in C, and a deep nest overflows its stack.
        return _Reading(file).document(yaml.parse(text, loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        # Not `str(error)`: it quotes the line, which may hold a secret.
        raise UsageError(f"{file}:{line}", "broken YAML", hint="correct the line") from None
    except (yaml.YAMLError, ValueError):
        raise UsageError(file, "broken YAML", hint="correct the file") from None


@dataclass(slots=True)
class _Open:
    """A list or mapping that has not ended yet."""

    line: int
    path: str
    key: Src | None
    mapping: bool
    anchor: str | None
    tag: str
    items: list[Node] = field(default_factory=list)
    fields: dict[str, Node] = field(default_factory=dict)
    merged: dict[str, Node] = field(default_factory=dict)
    name: Node | None = None
    size: int = 1


class _Reading:
    def __init__(self, file: str) -> None:
        self._file = file
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._count = 0

    def document(self, events: Iterator[Any]) -> Node:
        import yaml

        for event in events:
            done: tuple[Node, int] | None = None
            if isinstance(event, yaml.ScalarEvent):
                done = self._scalar(event), 1
            elif isinstance(event, yaml.AliasEvent):
                done = self._alias(event)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._start(event, mapping=isinstance(event, yaml.MappingStartEvent))
            elif isinstance(event, yaml.CollectionEndEvent):
                done = self._end()
            elif isinstance(event, yaml.DocumentEndEvent):
                break
            if done is not None:
                self._count += done[1] if isinstance(event, yaml.AliasEvent) else 1
                self._bound(self._count > MOST, "expands without bounds")
                if not self._open:
                    return done[0]
                self._add(*done)
        return Node(Src(self._file, 1))

    def _bound(self, broken: bool, what: str) -> None:  # noqa: FBT001
        if broken:
            raise UsageError(self._file, f"YAML that {what}", hint="write a smaller file")

    def _place(self) -> tuple[str, Src | None]:
        """Return path and key place of the value that comes next."""
        if not self._open:
            return "", None
        above = self._open[-1]
        if not above.mapping:
            return f"{above.path}[{len(above.items)}]", None
        if above.name is None:
            return above.path, None
        name = above.name.text or ""
        path = f"{above.path}.{name}" if above.path else name
        return path, Src(self._file, above.name.src.line, path)

    def _scalar(self, event: Any) -> Node:
        path, key = self._place()
        src = Src(self._file, event.start_mark.line + 1, path)
        tag = event.tag if event.tag and event.tag.startswith("!") and event.tag != "!" else ""
        node = Node(src, event.value, key=key, quoted=bool(event.style), tag=tag)
        if event.anchor:
            self._anchors[event.anchor] = node, 1
        return node

    def _alias(self, event: Any) -> tuple[Node, int]:
        found = self._anchors.get(event.anchor)
        if found is None:
            line = event.start_mark.line + 1
            raise UsageError(f"{self._file}:{line}", "an alias without its anchor")
        _, key = self._place()
        return replace(found[0], key=key), found[1]

    def _start(self, event: Any, *, mapping: bool) -> None:
        self._bound(len(self._open) >= _DEEPEST, "is nested too deeply")
        path, key = self._place()
        tag = event.tag if event.tag and event.tag.startswith("!") and event.tag != "!" else ""
        line = event.start_mark.line + 1
        self._open.append(_Open(line, path, key, mapping, event.anchor, tag))

    def _end(self) -> tuple[Node, int]:
        done = self._open.pop()
        fields = {**done.merged, **done.fields}
        src = Src(self._file, done.line, done.path)
        node = Node(src, None, tuple(done.items), fields, done.key, tag=done.tag)
        if done.anchor:
            self._anchors[done.anchor] = node, done.size
        return node, done.size

    def _add(self, node: Node, size: int) -> None:
        above = self._open[-1]
        above.size += size
        if not above.mapping:
            above.items.append(node)
        elif above.name is None:
            above.name = node
        else:
            name, above.name = above.name, None
            if name.text == "<<" and not name.quoted:
                for each in node.items or (node,):
                    above.merged = {**each.fields, **above.merged}
            else:
                above.fields[name.text or ""] = node
