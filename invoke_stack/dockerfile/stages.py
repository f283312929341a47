"""Instructions to stages: global ARGs, what FROM names, and who continues whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from invoke_stack.dockerfile.build import Scope, StageBuilder
from invoke_stack.dockerfile.model import Dockerfile, Instruction, Stage, Word
from invoke_stack.dockerfile.shell import Shell
from invoke_stack.errors import UsageError

_FROM_WORDS = 3
_MOST = 500


def assemble(
    file: str,
    instructions: Sequence[Instruction],
    directives: Mapping[str, str],
    escape: str,
    given: Mapping[str, str],
) -> Dockerfile:
    """Return the stages that instructions make.

    Raises:
        UsageError: an instruction before the first FROM, or a FROM that BuildKit refuses.
    """
    head = Scope(Shell(escape), {}, {}, given)
    done: list[Stage] = []
    builder: StageBuilder | None = None
    for each in instructions:
        if each.name == "FROM":
            if builder is not None:
                done.append(builder.stage())
            builder = _started(file, each, head, done)
        elif builder is not None:
            builder.apply(each)
        elif each.name == "ARG":
            head.declare(each, {})
        else:
            raise _refused(file, each, f"{each.name} stands before the first FROM")
    if builder is not None:
        done.append(builder.stage())
    return Dockerfile(file, tuple(done), head.args, directives, tuple(instructions))


def _refused(file: str, instruction: Instruction, message: str) -> UsageError:
    hint = "correct the line; `docker build --check .` tells the same"
    return UsageError(f"{file}:{instruction.line}", message, hint=hint)


def _started(file: str, each: Instruction, head: Scope, done: Sequence[Stage]) -> StageBuilder:
    if len(done) >= _MOST:
        raise _refused(file, each, f"more than {_MOST} stages")
    words = each.args
    named = len(words) == _FROM_WORDS and words[1].lower() == "as"
    if not named and len(words) != 1:
        raise _refused(file, each, "FROM takes an image, or `IMAGE AS NAME`")
    image = head.word(words[0], each.line)
    text = image.value or ""
    parents = [it.index for it in done if it.name and it.name == text.lower()]
    stage = Stage(
        index=len(done),
        name=words[2].lower() if named else "",
        base=words[0],
        image=text,
        parent=parents[-1] if parents else None,
        line=each.line,
        known=image.known,
        platform=each.flag("platform"),
    )
    env, folder = _inherited(done, stage.parent)
    scope = Scope(head.shell, env, {}, head.given)
    return StageBuilder(stage, scope, head.args, folder, tuple(done))


def _inherited(done: Sequence[Stage], parent: int | None) -> tuple[dict[str, Word], Word | None]:
    """Return the environment and folder of a stage's base; arguments do not pass a FROM."""
    chain: list[Stage] = []
    while parent is not None:
        chain.append(done[parent])
        parent = done[parent].parent
    env: dict[str, Word] = {}
    folder: Word | None = None
    for stage in reversed(chain):
        env |= stage.env
        folder = stage.workdir or folder
    return env, folder
