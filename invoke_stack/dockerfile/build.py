"""One stage, instruction by instruction, with the variables known at each point."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from invoke_stack.dockerfile.model import Copy, Health, Instruction, Run, Stage, Word
from invoke_stack.dockerfile.shell import Expanded, Shell, ShellError

_SPECIAL = frozenset("$'\"\\`")


@dataclass
class Scope:
    """The variables at one point of a Dockerfile.

    Attributes:
        env: of this stage and what it inherits; it wins over ``args`` wherever it stands.
        args: declared so far.
        given: build arguments.
    """

    shell: Shell
    env: dict[str, Word]
    args: dict[str, Word]
    given: Mapping[str, str]

    def read(self, text: str) -> tuple[Expanded, bool]:
        """Return a text with its variables replaced, and whether all of them are known."""
        plain = Expanded(text, tuple(text.split()))
        if not _SPECIAL & set(text):
            return plain, True
        try:
            found = self.shell.read(text, _Values(self))
        except ShellError:
            return plain, False
        words = [self.find(name) for name in found.used]
        return found, not found.unset and all(word is None or word.known for word in words)

    def find(self, name: str) -> Word | None:
        """Return what a variable is here."""
        return self.env.get(name) or self.args.get(name)

    def word(self, text: str, line: int) -> Word:
        """Return a text as one value."""
        found, known = self.read(text)
        return Word(found.text, line, known)

    def declare(self, each: Instruction, above: Mapping[str, Word]) -> dict[str, Word]:
        """Take an ARG; without a default it gets that of a global ARG of its name."""
        found = {}
        for text in each.args:
            key, equals, default = text.partition("=")
            if key in self.given:
                word = Word(self.given[key], each.line)
            elif equals:
                word = self.word(default, each.line)
            elif key in above and above[key].value is not None:
                word = replace(above[key], line=each.line)
            else:
                word = Word(None, each.line, known=False)
            found[key] = self.args[key] = word
        return found


class _Values(Mapping[str, str]):
    """The values of a scope, looked up one by one: a copy for each line would be quadratic."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __getitem__(self, name: str) -> str:
        word = self._scope.find(name)
        if word is None or word.value is None:
            raise KeyError(name)
        return word.value

    def __iter__(self) -> Iterator[str]:
        return iter({**self._scope.args, **self._scope.env})

    def __len__(self) -> int:
        return len({**self._scope.args, **self._scope.env})


class StageBuilder:
    """Collects what a stage's instructions say.

    Args:
        head: the stage as its FROM makes it.
        scope: the variables; changed by ARG and ENV.
        globals_: the ARGs before the first FROM.
        folder: the WORKDIR it inherits.
        done: the stages before it.
    """

    def __init__(
        self,
        head: Stage,
        scope: Scope,
        globals_: Mapping[str, Word],
        folder: Word | None,
        done: tuple[Stage, ...],
    ) -> None:
        self._stage = head
        self._scope = scope
        self._globals = globals_
        self._folder = folder
        self._done = done
        self._instructions: list[Instruction] = []
        self._env: dict[str, Word] = {}
        self._args: dict[str, Word] = {}
        self._expose: list[Word] = []
        self._copies: list[Copy] = []
        self._runs: list[Run] = []

    def apply(self, each: Instruction) -> None:
        """Let one instruction change the stage."""
        self._instructions.append(each)
        steps: dict[str, Callable[[Instruction], None]] = {
            "ARG": self._arg,
            "ENV": self._set,
            "WORKDIR": self._move,
            "COPY": self._copy,
            "ADD": self._copy,
            "RUN": self._run,
            "EXPOSE": self._open,
            "USER": self._become,
            "HEALTHCHECK": self._probe,
            "CMD": self._cmd,
            "ENTRYPOINT": self._entrypoint,
        }
        if each.name in steps:
            steps[each.name](each)

    def stage(self) -> Stage:
        """Return the stage as it is now."""
        return replace(
            self._stage,
            instructions=tuple(self._instructions),
            env=self._env,
            args=self._args,
            expose=tuple(self._expose),
            copies=tuple(self._copies),
            runs=tuple(self._runs),
        )

    def _arg(self, each: Instruction) -> None:
        self._args |= self._scope.declare(each, self._globals)

    def _set(self, each: Instruction) -> None:
        pairs = zip(each.args[::2], each.args[1::2], strict=True)
        # Every value of one line sees what was set before the line.
        read = [
            (self._scope.word(key, 0), self._scope.word(text, each.line)) for key, text in pairs
        ]
        added = {key.value or "": word for key, word in read}
        self._env |= added
        self._scope.env |= added

    def _move(self, each: Instruction) -> None:
        word = self._scope.word(each.args[0] if each.args else "/", each.line)
        text = (word.value or "/").replace("\\", "/")
        known = word.known
        if not text.startswith("/"):
            # Without a WORKDIR of its own the base image decides where the path starts.
            known = known and self._folder is not None
            text = posixpath.join(self._here, text)
        self._folder = Word(posixpath.normpath(text), each.line, known)
        self._stage = replace(self._stage, workdir=self._folder)

    @property
    def _here(self) -> str:
        return (self._folder.value if self._folder else None) or "/"

    def _copy(self, each: Instruction) -> None:
        read = [self._scope.word(text, each.line) for text in each.args]
        paths = [word.value or "" for word in read]
        origin = self._scope.word(each.flag("from"), each.line)
        bodies = tuple(doc.name for doc in each.heredocs)
        copy = Copy(
            each.name,
            tuple(path for path in paths[:-1] if not (bodies and path.startswith("<<"))),
            self._target(paths[-1] if paths else ""),
            each.line,
            origin=origin.value or "",
            stage=self._named(origin.value or ""),
            heredocs=bodies,
            known=all(word.known for word in (*read, origin)),
        )
        self._copies.append(copy)

    def _target(self, text: str) -> str:
        folder = text.endswith(("/", "/.")) or text in {"", ".", ".."}
        path = posixpath.normpath(posixpath.join(self._here, text))
        return f"{path}/" if folder and path != "/" else path

    def _named(self, name: str) -> int | None:
        """Return the earlier stage that a `--from` names; a number counts from 0."""
        named = [it.index for it in self._done if it.name and it.name == name.lower()]
        numbered = [it.index for it in self._done if str(it.index) == name]
        found = named or numbered
        return found[-1] if found else None

    def _run(self, each: Instruction) -> None:
        words = each.args if each.exec else ()
        self._runs.append(Run(each.script, self._here, each.line, each.end, words))

    def _open(self, each: Instruction) -> None:
        for text in each.args:
            found, known = self._scope.read(text)
            self._expose += [Word(port, each.line, known) for port in found.words]

    def _become(self, each: Instruction) -> None:
        if each.args:
            self._stage = replace(self._stage, user=self._scope.word(each.args[0], each.line))

    def _probe(self, each: Instruction) -> None:
        self._stage = replace(self._stage, health=_health(each))

    def _cmd(self, each: Instruction) -> None:
        self._stage = replace(self._stage, cmd=each)

    def _entrypoint(self, each: Instruction) -> None:
        self._stage = replace(self._stage, entrypoint=each)


def _health(each: Instruction) -> Health:
    kind = each.args[0].upper() if each.args else "NONE"
    return Health(each.args[1:], each.line, each.exec, disabled=kind == "NONE")


def ports(words: tuple[Word, ...]) -> Iterator[int]:
    """Yield the numbers of exposed TCP ports whose value is known."""
    for word in words:
        number, _, protocol = (word.value or "").partition("/")
        if word.known and number.isdecimal() and protocol.lower() in {"", "tcp"}:
            yield int(number[:6])
