"""A Dockerfile's text to its instructions and stages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from invoke_stack.dockerfile import lines, stages, words
from invoke_stack.dockerfile.lines import Source
from invoke_stack.dockerfile.model import Dockerfile, Heredoc, Instruction
from invoke_stack.dockerfile.words import WordError

LARGEST = 512 * 1024
"""Characters; no Dockerfile that a person maintains is larger."""


def parse(text: str, file: str, args: Mapping[str, str] | None = None) -> Dockerfile:
    """Return a Dockerfile, read as BuildKit reads it.

    Args:
        text: the whole file.
        file: its name in messages.
        args: build arguments (`--build-arg`), which win over the defaults of ARG.

    Raises:
        UsageError: BuildKit would refuse the text; the line is in the message's place.
    """
    source = Source(text, file)
    found = tuple(_instructions(source))
    if not found:
        raise source.refused("a file without instructions", 1)
    return stages.assemble(file, found, source.directives, source.escape, args or {})


def instructions(text: str, file: str) -> tuple[Instruction, ...]:
    """Return the instructions alone, for texts that need not have a FROM.

    Raises:
        UsageError: as for `parse`.
    """
    return tuple(_instructions(Source(text, file)))


def _instructions(source: Source) -> Iterator[Instruction]:
    if sum(map(len, source.lines)) > LARGEST:
        raise source.refused(f"larger than {LARGEST >> 10} KiB", 1)
    for line in lines.logical(source):
        try:
            found = _instruction(line.text, line.first, source.escape)
            bodies = tuple(_bodies(source, found, line))
        except WordError as problem:
            raise source.refused(str(problem), line.first) from None
        yield replace(found, end=source.number, heredocs=bodies)


def _instruction(text: str, line: int, escape: str) -> Instruction:
    name, flags, rest = words.split(text)
    if name == "ONBUILD":
        # An ONBUILD in an ONBUILD is refused by BuildKit's next step; its words are of no use.
        inner = words.split(rest).name
        trigger = Instruction(inner, line, line) if inner == "ONBUILD" else None
        if inner not in {"", "ONBUILD"}:
            trigger = _instruction(rest, line, escape)
        return Instruction(name, line, line, flags, text=rest, trigger=trigger)
    found = words.arguments(name, rest, escape)
    return Instruction(name, line, line, flags, found.args, rest, exec=found.exec)


def _bodies(source: Source, found: Instruction, line: lines.Line) -> Iterator[Heredoc]:
    inner = found.trigger or found
    if inner.name not in words.HEREDOCS or inner.exec:
        return
    for each in words.heredocs(line.text):
        yield replace(each, text=lines.body(source, _end(each), line.first))


def _end(heredoc: Heredoc) -> lines.Ends:
    if heredoc.chomp:
        return lambda line: line.lstrip("\t") == heredoc.name
    return lambda line: line == heredoc.name
