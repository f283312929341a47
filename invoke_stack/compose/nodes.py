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

MOST = 100_000
"""Nodes; a stack of 1,000 services has some 50,000."""
_DEEPEST = 100
_TEXT = "tag:yaml.org,2002:str"
_NULL = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True, order=True)
class Src:
    """A place.

    Attributes:
        file: path from the project root with forward slashes; "" for a platform's default.
        line: counted from 1; 0 for the whole file.
        path: YAML path (`services.web.ports`) or Dockerfile instruction (`FROM`).
    """

    file: str
    line: int = 0
    path: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


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
        listed: a list, an empty one, too.
    """

    src: Src
    text: str | None = None
    items: tuple[Node, ...] = ()
    fields: Mapping[str, Node] = field(default_factory=dict)
    key: Src | None = None
    quoted: bool = False
    tag: str = ""
    listed: bool = False

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
            found = found.fields[name] if name in found.fields else Node(found.src)
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
    return next(_documents(text, _Reading(file)), Node(Src(file, 1)))


def strict(text: str, file: str) -> tuple[Node, ...]:
    """Return every document of a YAML text in which no key stands twice.

    Raises:
        UsageError: broken YAML, with its line; a key that stands twice.
    """
    return tuple(_documents(text, _Reading(file, strict=True)))


def _documents(text: str, reading: _Reading) -> Iterator[Node]:
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    file = reading.file
    try:
        # Events, not nodes: composing recurses in C, and a deep nest overflows its stack.
        yield from reading.documents(yaml.parse(text, loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        # Not `str(error)`: it quotes the line, which may hold a secret.
        raise UsageError(f"{file}:{line}", "broken YAML", hint="correct the line") from None
    except (yaml.YAMLError, ValueError):
        raise UsageError(file, "broken YAML", hint="correct the file") from None


def _own(tag: str | None) -> str:
    return tag if tag and tag.startswith("!") and tag != "!" else ""


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
    def __init__(self, file: str, *, strict: bool = False) -> None:
        self.file = file
        self._strict = strict
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._count = 0

    def documents(self, events: Iterator[Any]) -> Iterator[Node]:
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
                self._anchors.clear()
            if done is not None:
                self._count += done[1] if isinstance(event, yaml.AliasEvent) else 1
                self._bound(event, self._count > MOST, "expands without bounds")
                if self._open:
                    self._add(*done)
                else:
                    yield done[0]

    def _bound(self, event: Any, broken: bool, what: str) -> None:  # noqa: FBT001
        if broken:
            place = f"{self.file}:{event.start_mark.line + 1}"
            raise UsageError(place, f"YAML that {what}", hint="write a smaller file")

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
        return path, Src(self.file, above.name.src.line, path)

    def _scalar(self, event: Any) -> Node:
        path, key = self._place()
        src = Src(self.file, event.start_mark.line + 1, path)
        quoted = bool(event.style) or event.tag == _TEXT
        node = Node(src, event.value, key=key, quoted=quoted, tag=_own(event.tag))
        if event.anchor:
            self._anchors[event.anchor] = node, 1
        return node

    def _alias(self, event: Any) -> tuple[Node, int]:
        found = self._anchors.get(event.anchor)
        if found is None:
            line = event.start_mark.line + 1
            text = f"*{event.anchor} is used before &{event.anchor} is complete"
            hint = "name a value that stands above it in the same document"
            raise UsageError(f"{self.file}:{line}", text, hint=hint)
        _, key = self._place()
        return replace(found[0], key=key), found[1]

    def _start(self, event: Any, *, mapping: bool) -> None:
        self._bound(event, len(self._open) >= _DEEPEST, "is nested too deeply")
        path, key = self._place()
        line = event.start_mark.line + 1
        self._open.append(_Open(line, path, key, mapping, event.anchor, _own(event.tag)))

    def _end(self) -> tuple[Node, int]:
        done = self._open.pop()
        fields = {**done.merged, **done.fields}
        src = Src(self.file, done.line, done.path)
        node = Node(
            src, None, tuple(done.items), fields, done.key, tag=done.tag, listed=not done.mapping
        )
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
                if self._strict and name.text in above.fields:
                    message = f"{name.text} stands there twice"
                    raise UsageError(str(name.src), message, hint="leave one of the two away")
                above.fields[name.text or ""] = node
