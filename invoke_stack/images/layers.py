"""The layers of a stored image: how big each is, and the Dockerfile line that made it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
    base = next((n for n, each in enumerate(layers) if each.file), len(layers))
    return Image(
        target.name, tag, str(document["Id"]), int(document.get("Size") or 0), layers, base
    )


def _layers(
    history: Sequence[Mapping[str, Any]], digests: Sequence[str], source: Source, stage: str
) -> tuple[Layer, ...]:
    texts = [str(each.get("CreatedBy") or "") for each in history]
    made = source.made_by(stage, texts)
    layers = []
    for each, text, known in zip(history, texts, made, strict=True):
        if keyword(text) in _PLAIN:
            continue
        said = written(known[0]) if known else told(text)
        line = 0 if known is None or source.inline else known[1]
        file = source.file if known else ""
        layers.append(Layer(int(each.get("Size") or 0), _short(said), file, line))
    layers.reverse()
    if len(layers) != len(digests):
        return tuple(each for each in layers if each.bytes)
    return tuple(
        Layer(each.bytes, each.created_by, each.file, each.line, digest)
        for each, digest in zip(layers, digests, strict=True)
    )


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
