"""The Dockerfile behind an image, and which of its lines made what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from invoke_stack.dockerfile import parser
from invoke_stack.dockerfile.model import Dockerfile, Instruction, Stage
from invoke_stack.errors import UsageError
from invoke_stack.findings.model import Place
from invoke_stack.images.buildlog import Step
from invoke_stack.project import Project

# What BuildKit counts as a step of a stage; a FROM counts only when it names an image.
_COUNTED = ("RUN", "COPY", "ADD", "WORKDIR")


@dataclass(frozen=True, slots=True)
class Source:
    """A Dockerfile as far as it can be read.

    Attributes:
        file: its path from the project root; the compose file for one written in there.
        text: its content.
        dockerfile: its stages; None when it is not on this machine or cannot be read.
        context: the folder of the build; None when it is not on this machine.
    """

    file: str
    text: str = field(default="", repr=False)
    dockerfile: Dockerfile | None = None
    context: Path | None = None
    inline: bool = False

    @classmethod
    def read(
        cls, project: Project, build: Mapping[str, Any], compose: str, args: Mapping[str, str]
    ) -> Source:
        """Return the Dockerfile of a `build:` section; Compose itself judges one that is broken.

        Args:
            project: names paths.
            build: the section.
            compose: the compose file, where the Dockerfile may stand itself.
            args: build arguments with their values: they may choose the base image.
        """
        context = Path(str(build.get("context") or "."))
        folder = context if context.is_absolute() and context.is_dir() else None
        inline = build.get("dockerfile_inline")
        if inline:
            return _parsed(cls(compose, str(inline), None, folder, inline=True), args)
        if folder is None:
            return cls(str(build.get("dockerfile") or "Dockerfile"))
        path = folder / str(build.get("dockerfile") or "Dockerfile")
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError):
            return cls(project.shown(path), context=folder)
        return _parsed(cls(project.shown(path), text, None, folder), args)

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of every ARG, of every stage."""
        if self.dockerfile is None:
            return ()
        named = [name for stage in self.dockerfile.stages for name in stage.args]
        return tuple(dict.fromkeys([*self.dockerfile.args, *named]))

    def place(self, line: int, side: str = "image") -> Place:
        """Return the place of a line; of a Dockerfile inside a compose file, only the file."""
        return Place(side, self.file, 0 if self.inline else line)

    def stage(self, target: str) -> Stage | None:
        """Return the stage that is built for a target."""
        return self.dockerfile.stage(target) if self.dockerfile else None

    def steps(self, stage: Stage) -> tuple[tuple[str, Instruction | None], ...]:
        """Return what BuildKit numbers in a stage; None stands for its FROM."""
        own: list[tuple[str, Instruction | None]] = []
        if stage.parent is None and stage.image != "scratch":
            own.append(("FROM", None))
        own += [(each.name, each) for each in stage.instructions if each.name in _COUNTED]
        return tuple(own)

    def line(self, step: Step) -> int:
        """Return the line of a step of the build, 0 when it is not known."""
        stage = self._stage_of(step)
        if stage is None:
            return 0
        found = self.instruction(step)
        return found.line if found else stage.line

    def instruction(self, step: Step) -> Instruction | None:
        """Return the instruction of a step of the build; None for a FROM."""
        stage = self._stage_of(step)
        numbered = self.steps(stage) if stage else ()
        return numbered[step.index - 1][1] if step.index <= len(numbered) else None

    @property
    def stages(self) -> dict[str, Stage]:
        """The stages by the names that BuildKit gives them; the only one has no name, too."""
        found = self.dockerfile.stages if self.dockerfile else ()
        named = {each.name or f"stage-{each.index}": each for each in found}
        return named | ({"": found[0]} if len(found) == 1 else {})

    def _stage_of(self, step: Step) -> Stage | None:
        return self.stages.get(step.stage.lower()) if step.instruction else None

    def made_by(
        self, target: str, history: Sequence[str]
    ) -> tuple[tuple[Instruction, int] | None, ...]:
        """Return for each step of an image's history, the last one first, its instruction.

        Args:
            target: the stage that was built.
            history: `created_by` of each step, the last one first.
        """
        stage = self.stage(target)
        found: list[tuple[Instruction, int] | None] = []
        if stage is not None and self.dockerfile is not None:
            found = list(_aligned(self._backwards(stage), history))
        return (*found, *([None] * (len(history) - len(found))))

    def _backwards(self, stage: Stage) -> Iterator[Instruction]:
        if self.dockerfile is not None:
            for each in self.dockerfile.chain(stage):
                yield from (one for one in reversed(each.instructions) if one.name != "FROM")


def _aligned(
    instructions: Iterator[Instruction], history: Sequence[str]
) -> Iterator[tuple[Instruction, int] | None]:
    """Pair instructions with history entries, from the end, as long as they are of one kind."""
    for instruction, entry in zip(instructions, history, strict=False):
        if keyword(entry) != instruction.name:
            return
        yield instruction, instruction.line


def keyword(created_by: str) -> str:
    """Return the instruction that a history entry tells of: `RUN`, `COPY`, …; "" for none."""
    text = re.sub(r"^/bin/sh -c #\(nop\)\s+", "", created_by)
    if text.startswith("/bin/sh -c "):
        return "RUN"
    found = re.match(r"[A-Z]+\b", text)
    return found[0] if found else ""


def _parsed(source: Source, args: Mapping[str, str]) -> Source:
    try:
        return replace(source, dockerfile=parser.parse(source.text, source.file, args))
    except UsageError:  # Compose says what is wrong with it when it builds
        return source
