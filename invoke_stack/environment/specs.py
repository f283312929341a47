"""What a template asks of each key: its marks, and what a plain line implies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from invoke_stack.environment import marks, placeholders, secretgen, types
from invoke_stack.environment.dotenv import decode, statements
from invoke_stack.environment.marks import Mark
from invoke_stack.environment.secretgen import Generator
from invoke_stack.environment.types import Type
from invoke_stack.errors import UsageError
from invoke_stack.redaction import is_sensitive

MARKS = ("required", "sensitive", "type", "generate", "example", "optional", "public")
# Of the @env-spec family, without a meaning here.
_OTHERS = frozenset({"docs", "docsUrl", "icon", "deprecated", "default", "startsWith"})


@dataclass(frozen=True, slots=True)
class Spec:
    """One key of a template.

    Attributes:
        key: the variable.
        line: where its line stands in the template.
        value: what the template gives it, references unexpanded.
        required: it must not be missing or empty.
        sensitive: it must not be shown.
        type: what its value must look like; None for anything.
        type_line: the line that says so; that of the key for an implied type.
        type_reason: why a type is implied; "" for a mark.
        generate: how a new secret is made; None where a person decides.
        example: a value that would do, for people.
    """

    key: str
    line: int
    value: str = field(default="", repr=False)
    required: bool = False
    sensitive: bool = False
    type: Type | None = None
    type_line: int = 0
    type_reason: str = ""
    generate: Generator | None = None
    example: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """A template that was read.

    Attributes:
        file: its name as shown.
        text: its text, without a byte order mark.
        specs: by key, in the order of the file.
    """

    file: str
    path: Path
    text: str = field(repr=False)
    specs: Mapping[str, Spec]


def read(path: Path, file: str) -> Template:
    """Read a template.

    Raises:
        UsageError: it cannot be read, or has a mark, type or generator that does not exist.
    """
    try:
        data = path.read_bytes()
    except OSError as problem:
        reason = (problem.strerror or "unknown reason").lower()
        raise UsageError(file, f"cannot be read: {reason}") from None
    text = decode(data, file)
    return Template(file, path, text, specs(text, file))


def specs(text: str, file: str) -> dict[str, Spec]:
    """Return what a template's text asks of each key.

    Raises:
        UsageError: a mark, type or generator that does not exist, with its line.
    """
    values = {
        binding.key: (binding.value or "", line)
        for binding, line in statements(text)
        if binding.key is not None
    }
    return {
        key: _spec(key, *values[key], found, file)
        for key, found in marks.placed(text)
        if key in values
    }


def _spec(key: str, value: str, line: int, found: Sequence[Mark], file: str) -> Spec:
    named = {each.name: each for each in found}
    for each in found:
        if each.name not in MARKS and each.name not in _OTHERS:
            raise types.unknown(f"{file}:{each.line}", "mark", f"@{each.name}", _AT)
    sensitive = _sensitive(key, value, named)
    kind, type_line, reason = _type(key, value, named, line, file)
    return Spec(
        key,
        line,
        value,
        required=_is_on(named.get("required")) or "generate" in named,
        sensitive=sensitive,
        type=kind,
        type_line=type_line,
        type_reason=reason,
        generate=_generate(key, value, named, file, sensitive=sensitive),
        example=named["example"].argument if "example" in named else "",
    )


def _sensitive(key: str, value: str, named: Mapping[str, Mark]) -> bool:
    if "sensitive" in named:
        return _is_on(named["sensitive"])
    return "generate" in named or ("public" not in named and is_sensitive(key, value))


def _type(
    key: str, value: str, named: Mapping[str, Mark], line: int, file: str
) -> tuple[Type | None, int, str]:
    if "type" in named:
        mark = named["type"]
        return types.parse(mark.argument, f"{file}:{mark.line}"), mark.line, ""
    kind, reason = types.implied(key, value) or (None, "")
    return kind, line, reason


def _generate(
    key: str, value: str, named: Mapping[str, Mark], file: str, *, sensitive: bool
) -> Generator | None:
    if "generate" in named:
        mark = named["generate"]
        return secretgen.parse(mark.argument, f"{file}:{mark.line}")
    # A marked template says everything itself.
    if named or not sensitive or not secretgen.self_made(key):
        return None
    return None if value and not placeholders.reason(key, value) else secretgen.DEFAULT


def _is_on(mark: Mark | None) -> bool:
    return mark is not None and mark.argument.casefold() not in {"false", "no"}


_AT = tuple(f"@{name}" for name in MARKS)
