"""What form a value of a compose file has to have, where something here reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from invoke_stack.compose import scalars
from invoke_stack.compose.nodes import Node
from invoke_stack.errors import UsageError


@dataclass(frozen=True, slots=True)
class Form:
    """The forms that a value may have; ``words`` names them, ``empty`` lets nothing pass, too."""

    words: str
    text: bool = False
    items: bool = False
    fields: bool = False
    empty: bool = True

    def fits(self, node: Node) -> bool:
        """Tell whether a value has one of them."""
        if node.text is None:
            return self.items if node.listed else self.fields
        if node.null:
            return self.empty
        return self.text and isinstance(scalars.value(node), str)


MAPPING = Form("a mapping", fields=True, empty=False)
_MAPPING = Form("a mapping", fields=True)
_LIST = Form("a list", items=True)
_PAIRS = Form("a mapping or a list", items=True, fields=True)
_TEXTS = Form("a text or a list", text=True, items=True)
_BUILD: Mapping[str, Form] = {
    "additional_contexts": _PAIRS,
    "args": _PAIRS,
    "labels": _PAIRS,
    "secrets": _LIST,
    "ssh": _PAIRS,
    "tags": _LIST,
}
_SERVICE: Mapping[str, Form] = {
    "annotations": _PAIRS,
    "build": Form("a path or a mapping", text=True, fields=True),
    "command": _TEXTS,
    "configs": _LIST,
    "depends_on": _PAIRS,
    "deploy": _MAPPING,
    "develop": _MAPPING,
    "dns": _TEXTS,
    "dns_opt": _LIST,
    "dns_search": _TEXTS,
    "entrypoint": _TEXTS,
    "env_file": _TEXTS,
    "environment": _PAIRS,
    "expose": _LIST,
    "extra_hosts": _PAIRS,
    "healthcheck": _MAPPING,
    "image": Form("a text", text=True),
    "label_file": _TEXTS,
    "labels": _PAIRS,
    "links": _LIST,
    "networks": _PAIRS,
    "ports": _LIST,
    "profiles": _LIST,
    "secrets": _LIST,
    "sysctls": _PAIRS,
    "tmpfs": _TEXTS,
    "volumes": _LIST,
    "volumes_from": _LIST,
}


def wrong(node: Node, path: str, form: Form) -> Iterator[UsageError]:
    """Yield the error for a value of another form."""
    if not form.fits(node):
        hint = "correct the file"
        yield UsageError(str(node.here), f"{path} is not {form.words}", hint=hint)


def of_service(body: Node, path: str) -> Iterator[UsageError]:
    """Yield what has another form in a service."""
    yield from wrong(body, path, MAPPING)
    yield from _all(body, path, _SERVICE)
    if "build" in body.fields:
        yield from _all(body.fields["build"], f"{path}.build", _BUILD)
    if "healthcheck" in body.fields:
        yield from _all(body.fields["healthcheck"], f"{path}.healthcheck", {"test": _TEXTS})


def _all(node: Node, path: str, known: Mapping[str, Form]) -> Iterator[UsageError]:
    for key, form in known.items():
        if key in node.fields:
            yield from wrong(node.fields[key], f"{path}.{key}", form)
