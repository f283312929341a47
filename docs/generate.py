"""Writes docs/settings.md and docs/tasks.md from the code, so that both stay true."""

from __future__ import annotations

import dataclasses
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from invoke_stack import namespace
from invoke_stack.parity.catalogue import RULES
from invoke_stack.settings import PREFIX, Settings

FOLDER = Path(__file__).resolve().parent
HEAD = "<!-- Written by `inv settings`; change the code instead. -->\n\n"


def settings_page() -> str:
    """Return the table of every setting."""
    lines = [
        "# Settings",
        "",
        "Under `stack:` in `invoke.yaml`, or in `namespace({...})`. A flag wins over the",
        "variable, the variable over `invoke.yaml`, that over `namespace({...})`, that over what",
        "is detected.",
        "",
        "| setting | variable | type | default | what it does |",
        "|---|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in _settings(Settings, ())),
    ]
    return HEAD.replace("\n\n", "\n") + "\n".join(lines) + "\n"


def _settings(kind: type[Any], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    hints = typing.get_type_hints(kind)
    for item in dataclasses.fields(kind):
        hint, here = hints[item.name], (*path, item.name)
        if dataclasses.is_dataclass(hint):
            yield from _settings(typing.cast("type[Any]", hint), here)
            continue
        name = ".".join(here)
        inner = [each for each in typing.get_args(hint) if dataclasses.is_dataclass(each)]
        mapping = typing.get_origin(hint) not in {None, tuple}
        single = not mapping and not inner and not {"NAME", "[]"} & set(here)
        variable = f"`{PREFIX}{'_'.join(here).upper()}`" if single else ""
        yield f"`{name}`", variable, _type(hint), _default(item), item.metadata["help"]
        for each in inner:
            yield from _settings(each, (*here, "NAME" if mapping else "[]"))


def _type(hint: Any) -> str:
    plain = {str: "text", int: "number", bool: "true or false", Any: "text or mapping"}
    if hint in plain:
        return plain[hint]
    return "list" if typing.get_origin(hint) is tuple else "mapping"


def _default(item: dataclasses.Field[Any]) -> str:
    factory = item.default_factory
    value = item.default if factory is dataclasses.MISSING else factory()
    if value in ("", (), {}):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def tasks_page() -> str:
    """Return every task with its flags."""
    lines = ["# Tasks", ""]
    for section, collection in sorted(namespace().collections.items()):
        lines += [f"## {section}", "", (collection.__doc__ or "").strip().splitlines()[0], ""]
        for name, each in sorted(collection.tasks.items()):
            lines += [f"### `inv {section}.{name}`", "", (each.__doc__ or "").strip(), ""]
            lines += [f"- {_flag(argument)}: {argument.help}" for argument in each.get_arguments()]
            lines += [""]
    return HEAD.replace("\n\n", "\n") + "\n".join(lines).rstrip() + "\n"


def _flag(argument: Any) -> str:
    """Return a flag as it is typed; one that is on by default is switched off."""
    names = [argument.name.strip("_").replace("_", "-"), *argument.nicknames]
    if argument.kind is bool and argument.default is True:
        return f"`--no-{names[0]}`"
    suffix = "" if argument.kind is bool else " …"
    return ", ".join(f"`{'--' if len(each) > 1 else '-'}{each}{suffix}`" for each in names)


def rules_page() -> str:
    """Return every parity rule with its page."""
    trust = {"high": "certain", "medium": "likely", "low": "possible"}
    rows = [
        f"| [{each.id}](../invoke_stack/parity/pages/{each.id}.md) | {each.severity} "
        f"| {trust[each.confidence]} | {each.title} |"
        for each in RULES
    ]
    head = ["# Rules of `parity.check`", "", "| rule | severity | confidence | what it finds |"]
    return HEAD.replace("\n\n", "\n") + "\n".join([*head, "|---|---|---|---|", *rows]) + "\n"


PAGES = {"settings.md": settings_page, "tasks.md": tasks_page, "rules.md": rules_page}


def main() -> int:
    """Write the pages."""
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
