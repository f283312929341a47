"""Compose files without Compose: the tree that `docker compose config --no-interpolate` prints.

Bounded, because some of Compose's language is refused by name instead of being guessed at:
`extends`, `include`, `!reset` and `!override`. Networks, secrets and configs are left as written;
nothing here reads them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from invoke_stack.compose import canonical, forms, keys, merging, nodes, scalars, variables
from invoke_stack.compose.interpolation import Lookup
from invoke_stack.compose.nodes import Node, Src
from invoke_stack.compose.tolerant import mapping
from invoke_stack.errors import UsageError

Fill: TypeAlias = Callable[[str, str], str]
"""Text and its file:line to the text with its variables replaced."""
PROJECT_NAME = "COMPOSE_PROJECT_NAME"

_TAGS = ("!reset", "!override")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9_-]")
# As Compose's schema has it. A dot alone is none: data lies in a folder of that name.
_SERVICE = re.compile(r"(?!\.+$)[a-zA-Z0-9._-]+")
_SERVICE_HINT = "use letters, digits, . _ and - alone"
_EMPTY = "write its services, or name another file in stack.compose.files"
_HINT = "write out what it brings, or install Docker Compose, which can read it"


@dataclass(frozen=True, slots=True)
class Source:
    """What is read.

    Attributes:
        paths: compose files, in the order that Compose merges them.
        folder: Compose's project directory, absolute.
        environ: Compose's environment: the project's name, and values where some are asked for.
        shown: a path as messages show it.
    """

    paths: tuple[Path, ...]
    folder: Path
    environ: Mapping[str, str] = field(repr=False)
    shown: Callable[[Path], str] = str


def tree(source: Source, fill: Fill | None = None) -> dict[str, Any]:
    """Return what the files say together.

    Args:
        source: the files.
        fill: replaces variables before files are merged; by default they stay as written.

    Raises:
        UsageError: a file cannot be read, is no compose file, or uses what is refused here.
    """
    found: dict[str, Any] = {}
    names = [_default_name(source.folder)]
    for path in source.paths:
        shown = source.shown(path)
        for document in nodes.strict(variables.read_text(path, shown), shown):
            _require_plain(document)
            names.append(_normalised(document.get("name").value))
            found = _over(found, _plain(document, fill), shown)
    if not found:
        raise UsageError(source.shown(source.paths[0]), "an empty compose file", hint=_EMPTY)
    # Where Compose replaces no variables it looks up no values either.
    lookup = source.environ.get if fill is not None else _nothing
    whole = {**found, "services": _services(source, found, lookup)}
    return dict(_sorted({**whole, "name": _name(source, names)}))


def _nothing(_name: str) -> None:
    return None


def _over(low: dict[str, Any], high: Any, shown: str) -> dict[str, Any]:
    """Put one document over those before it, as Compose does: then again everything is long."""
    try:
        found = merging.unique(merging.merged(low, high))
    except UsageError as problem:
        raise UsageError(shown, str(problem), hint="use the same form in both files") from None
    services = {name: canonical.long(body) for name, body in mapping(found.get("services")).items()}
    found = {key: value for key, value in found.items() if key != "version"}
    return dict(merging.unique(_without_empty({**found, "services": services})))


def _without_empty(value: Any) -> Any:
    """Return a tree in which an empty list is nothing, which Compose makes of one."""
    if isinstance(value, Mapping):
        return {key: _without_empty(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_empty(each) for each in value] or None
    return value


def _sorted(value: Any) -> Any:
    """Return a tree in the order that Compose prints."""
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list) else value


def _services(source: Source, found: Mapping[str, Any], lookup: Lookup) -> dict[str, Any]:
    complete = canonical.Complete(source.folder, lookup, source.environ.get("HOME", ""))
    return {name: complete.service(body) for name, body in mapping(found["services"]).items()}


def _plain(node: Node, fill: Fill | None) -> Any:
    """Return a node as plain data, typed as Compose types it."""
    if node.text is not None:
        if fill is not None and "$" in node.text:
            return fill(node.text, str(node.src))
        return scalars.value(node)
    if node.listed:
        return [_plain(each, fill) for each in node.items]
    return {key: _plain(each, fill) for key, each in node.fields.items()}


def _require_plain(document: Node) -> None:
    """Refuse what this reader does not know, and what is no stack.

    Raises:
        UsageError: with the line.
    """
    for problem in _problems(document):
        raise problem


def _problems(document: Node) -> Iterator[UsageError]:
    if not forms.MAPPING.fits(document):
        yield UsageError(str(document.src), "no compose file: a mapping was expected", hint=_EMPTY)
    include = document.fields.get("include")
    if include is not None:
        yield _refused(include.here, "include")
    yield from keys.of_file(document)
    services = document.fields.get("services")
    if services is not None:
        yield from forms.wrong(services, "services", forms.MAPPING)
    for name, body in services.fields.items() if services is not None else ():
        if not _SERVICE.fullmatch(name):
            text = f"`{name}` cannot be a service's name"
            yield UsageError(str(body.here), text, hint=_SERVICE_HINT)
        if "extends" in body.fields:
            yield _refused(body.fields["extends"].here, "extends")
        yield from keys.of_service(body, f"services.{name}")
        yield from forms.of_service(body, f"services.{name}")
    for node in document.walk():
        if node.tag in _TAGS:
            yield _refused(node.here, node.tag)


def _refused(src: Src, what: str) -> UsageError:
    return UsageError(str(src), f"`{what}` cannot be read without Docker Compose", hint=_HINT)


def _name(source: Source, names: Sequence[str]) -> str:
    """Return the project's name: the environment's, the last file's that has one, the folder's."""
    stated = source.environ.get(PROJECT_NAME) or ""
    found = stated or next((each for each in reversed(names) if each), "")
    if not found or found != _normalised(found):
        raise UsageError(
            "project name",
            f"`{found}` must consist of lower-case letters, digits, - and _, and begin with a "
            "letter or a digit",
            hint=f"set another one: `name:` in the compose file, or {PROJECT_NAME}",
        )
    return found


def _default_name(folder: Path) -> str:
    return _normalised(folder.name)


def _normalised(text: str) -> str:
    return _NOT_IN_NAMES.sub("", text.lower()).lstrip("_-")
