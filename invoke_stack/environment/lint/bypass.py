"""Services whose `env_file:` reads one layer past the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import yaml


def env_files(path: Path) -> Iterator[tuple[str, str, int]]:
    """Yield service, `env_file:` entry as written, and line, of a compose file.

    Broken YAML yields nothing: the tasks that need the file say what is wrong with it.
    """
    import yaml

    try:
        root = yaml.compose(path.read_text("utf-8-sig"), yaml.SafeLoader)
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return
    for name, service in _pairs(dict(_pairs(root)).get("services")):
        for entry in _entries(dict(_pairs(service)).get("env_file")):
            yield name, entry.value, entry.start_mark.line + 1


def _entries(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    import yaml

    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.SequenceNode):
        for each in node.value:
            yield from _entries(each)
    elif isinstance(node, yaml.MappingNode):
        yield from _entries(dict(_pairs(node)).get("path"))


def _pairs(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    import yaml

    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield key.value, value
