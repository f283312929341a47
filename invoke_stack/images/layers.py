"""The layers of a stored image: how big each is, and the Dockerfile line that made it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from invoke_stack.compose.tolerant import mapping
from invoke_stack.dockerfile.model import Instruction
from invoke_stack.engines.docker import Docker
from invoke_stack.errors import UsageError
from invoke_stack.images.source import Source, keyword
from invoke_stack.images.targets import Target

# Steps that change the image's configuration alone; WORKDIR makes a layer with BuildKit.
_PLAIN = frozenset(
    {
        *("CMD", "ENV", "LABEL", "EXPOSE", "ENTRYPOINT", "USER", "VOLUME", "HEALTHCHECK"),
        *("ARG", "STOPSIGNAL", "SHELL", "ONBUILD", "MAINTAINER"),
    }
)
_ARGUMENTS = re.compile(r"^(?:RUN )?\|\d+ .*?/bin/sh -c ", re.DOTALL)
_SHELL = re.compile(r"^(?:RUN )?/bin/sh -c (?:#\(nop\)\s+)?")
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer.

    Attributes:
        bytes: what it adds.
        created_by: the instruction, as the Dockerfile has it where that is known; no build
            argument's value.
        file: the Dockerfile, "" for a layer of the base image.
        line: counted from 1; 0 when not known.
        digest: of its content; "" when the engine's answers do not tell which is whose.
    """

    bytes: int
    created_by: str
    file: str = ""
    line: int = 0
    digest: str = ""

    @property
    def origin(self) -> str:
        """Where it comes from, for people."""
        if not self.file:
            return "base image"
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Image:
    """A stored image; its layers in the order in which they were made.

    Attributes:
        base: how many of the layers come with the base image.
    """

    service: str
    tag: str
    id: str
    bytes: int
    layers: tuple[Layer, ...]
    base: int = 0


def read(engine: Docker, target: Target, tag: str = "") -> Image:
    """Return the image of a target; ``tag`` names another one of the same Dockerfile.

    Raises:
        UsageError: the engine has no such image.
    """
    tag = tag or target.tag
    document = engine.image(tag)
    if document is None:
        hint = f"inv image.build -s {target.name}" if tag == target.tag else "docker image ls"
        raise UsageError(tag, "there is no such image", hint=hint)
    history = engine.history(str(document["Id"]))
    digests = tuple((document.get("RootFS") or {}).get("Layers") or ())
    layers = _layers(history, digests, target.source, target.stage)
    size = int(document.get("Size") or 0)
    return Image(target.name, tag, str(document["Id"]), size, layers, _inherited(layers))


def _layers(
    history: Sequence[Mapping[str, Any]], digests: Sequence[str], source: Source, stage: str
) -> tuple[Layer, ...]:
    texts = [str(each.get("CreatedBy") or "") for each in history]
    made = source.made_by(stage, texts)
    layers = [
        _layer(int(each.get("Size") or 0), text, known, source)
        for each, text, known in zip(history, texts, made, strict=True)
        if keyword(text) not in _PLAIN
    ]
    layers.reverse()
    if len(layers) != len(digests):
        return tuple(each for each in layers if each.bytes)
    pairs = zip(layers, digests, strict=True)
    return tuple(replace(each, digest=digest) for each, digest in pairs)


def told_by(image: Image, config: Mapping[str, Any], target: Target) -> Image:
    """Return an image with exactly the layers that its own configuration tells of.

    The engine's history does not say which steps made a layer; the configuration, which only
    the whole image has, does. It knows no sizes.
    """
    history = [mapping(each) for each in config.get("history") or ()]
    layers = [
        _layer(0, text, known, target.source)
        for each, (text, known) in zip(history, steps(config, target), strict=True)
        if not each.get("empty_layer")
    ]
    return replace(image, layers=tuple(layers), base=_inherited(layers))


def steps(
    config: Mapping[str, Any], target: Target
) -> tuple[tuple[str, tuple[Instruction, int] | None], ...]:
    """Return each step of an image's own history with the instruction behind it, in order."""
    texts = [str(mapping(each).get("created_by") or "") for each in config.get("history") or ()]
    texts.reverse()
    found = list(zip(texts, target.source.made_by(target.stage, texts), strict=True))
    return tuple(reversed(found))


def _inherited(layers: Sequence[Layer]) -> int:
    """Return how many layers come before the first one of the Dockerfile."""
    return next((number for number, each in enumerate(layers) if each.file), len(layers))


def _layer(size: int, text: str, known: tuple[Instruction, int] | None, source: Source) -> Layer:
    if known is None:
        return Layer(size, _short(told(text)))
    line = 0 if source.inline else known[1]
    return Layer(size, _short(written(known[0])), source.file, line)


def written(instruction: Instruction) -> str:
    """Return an instruction on one line, as the Dockerfile has it."""
    return " ".join((instruction.name, *instruction.flags, instruction.text))


def told(created_by: str) -> str:
    """Return a history entry as an instruction, without the values of build arguments."""
    text = created_by.removesuffix(" # buildkit").strip()
    text = _ARGUMENTS.sub("RUN ", text)
    found = _SHELL.match(text)
    if found:
        text = text[found.end() :] if "#(nop)" in found[0] else f"RUN {text[found.end() :]}"
    return text or "(imported)"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
