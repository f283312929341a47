"""The forms that Compose's schema allows for the fields of a service that are read here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from invoke_stack.compose import scalars
from invoke_stack.compose.nodes import Node
from invoke_stack.errors import UsageError


@dataclass(frozen=True, slots=True)
class Form:
    """What may stand behind a key.

    Attributes:
        words: for messages.
        text, items, fields: whether it may be a text, a list, a mapping.
        each: whether the list's items are texts alone, not numbers or mappings.
        flat: whether the mapping's values are single values.
    """

    words: str
    text: bool = False
    items: bool = False
    fields: bool = False
    each: bool = False
    flat: bool = False

    def fits(self, node: Node) -> bool:
        """Tell whether a value as a whole has this form."""
        if node.text is not None:
            return node.null or (self.text and _is_text(node))
        return self.items if node.listed else self.fields

    def misfits(self, node: Node) -> Iterator[tuple[Node, str]]:
        """Yield what stands in a value and may not, with what was expected."""
        for item in node.items:
            if (self.each and not _is_text(item)) or item.null or item.listed:
                yield item, "a text"
        for value in node.fields.values() if self.flat else ():
            if value.text is None:
                yield value, "a single value"


def _is_text(node: Node) -> bool:
    return node.text is not None and isinstance(scalars.value(node), str)


def wrong(name: str, body: Node) -> Iterator[UsageError]:
    """Yield what is wrong with the fields of a service, each with its line."""
    for key, form in _FORMS.items():
        node = body.fields.get(key)
        if node is None:
            continue
        path = f"services.{name}.{key}"
        if not form.fits(node):
            yield shape(node, path, form.words)
        for each, expected in form.misfits(node):
            yield shape(each, each.src.path, expected)


def shape(node: Node, path: str, expected: str) -> UsageError:
    """Return the error for a value that is not of the form it should have."""
    return UsageError(str(node.here), f"{path} is not {expected}", hint="correct the file")


_LIST = Form("a list", items=True)
_FORMS: Mapping[str, Form] = {
    "build": Form("a path or a mapping", text=True, fields=True),
    "command": Form("a text or a list", text=True, items=True, each=True),
    "depends_on": Form("a mapping or a list", items=True, fields=True, each=True),
    "entrypoint": Form("a text or a list", text=True, items=True, each=True),
    "env_file": Form("a path or a list", text=True, items=True),
    "environment": Form("a mapping or a list", items=True, fields=True, each=True, flat=True),
    "healthcheck": Form("a mapping", fields=True),
    "image": Form("a text", text=True),
    "ports": _LIST,
    "profiles": Form("a list", items=True, each=True),
    "volumes": _LIST,
}
