"""What a Dockerfile says, instruction by instruction and stage by stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Heredoc:
    """A here-document of `RUN`, `COPY` or `ADD`.

    Attributes:
        name: the word that ends it; also the name of the file that COPY makes of it.
        text: its lines as written, each with its line end.
        expand: whether variables in it are replaced (its word was not quoted).
        chomp: whether leading tabs are dropped (`<<-`).
    """

    name: str
    text: str = ""
    expand: bool = True
    chomp: bool = False

    @property
    def body(self) -> str:
        """The text as the instruction gets it."""
        lines = self.text.splitlines(keepends=True)
        return "".join(each.lstrip("\t") for each in lines) if self.chomp else self.text


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction.

    Attributes:
        name: in upper case (`RUN`).
        line: its first line, counted from 1.
        end: its last line, with heredocs.
        flags: as written, in order (`--from=builder`).
        args: what BuildKit's parser makes of the rest: the elements of a JSON form; words for
            COPY, ADD, EXPOSE, FROM, USER, …; key, value, key, value, … for ENV and LABEL; one
            text for shell forms. Variables are not replaced.
        text: everything behind name and flags on one line, continuations joined.
        exec: whether it is written in JSON form.
        heredocs: in order.
        trigger: what an ONBUILD holds.
    """

    name: str
    line: int
    end: int
    flags: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    text: str = field(default="", repr=False)
    exec: bool = False
    heredocs: tuple[Heredoc, ...] = ()
    trigger: Instruction | None = None

    def flag(self, name: str) -> str:
        """Return the value of `--name=value`; "" when it is not given."""
        head = f"--{name}="
        return next((each[len(head) :] for each in self.flags if each.startswith(head)), "")

    @property
    def script(self) -> str:
        """The shell text of a RUN, CMD or ENTRYPOINT: heredoc bodies included."""
        words = " ".join(self.args)
        return "\n".join([words, *(each.body for each in self.heredocs)])


@dataclass(frozen=True, slots=True)
class Word:
    """A value with its place: an ENV, ARG or EXPOSE entry after substitution.

    Attributes:
        value: None for an ARG without default.
        line: where its instruction starts.
        known: False when an ARG without default, or a base image's variable, went into it.
    """

    value: str | None
    line: int
    known: bool = True


@dataclass(frozen=True, slots=True)
class Health:
    """A HEALTHCHECK.

    Attributes:
        command: the words of the JSON form, or the one text of the shell form; () for NONE.
        exec: whether it is the JSON form.
        disabled: HEALTHCHECK NONE.
    """

    command: tuple[str, ...]
    line: int
    exec: bool = False
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Copy:
    """A COPY or ADD, variables replaced.

    Attributes:
        name: `COPY` or `ADD`.
        sources: as written, without heredocs; relative to the build context or to `origin`.
        target: absolute path as far as it is known; with a trailing `/` where it is written so.
        origin: the `--from`: a stage's name, an image or a named context; "" for the context.
        stage: the index of the stage that `origin` names.
        heredocs: the file names that here-documents make.
        known: False when a variable that nobody sets went into a path.
    """

    name: str
    sources: tuple[str, ...]
    target: str
    line: int
    origin: str = ""
    stage: int | None = None
    heredocs: tuple[str, ...] = ()
    known: bool = True


@dataclass(frozen=True, slots=True)
class Run:
    """A RUN.

    Attributes:
        script: its shell text, heredocs included; words joined for the JSON form.
        workdir: the folder it runs in.
        words: of the JSON form; ().
    """

    script: str
    workdir: str
    line: int
    end: int
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """One FROM and what follows it; what earlier stages hand down is in `Dockerfile`'s methods.

    Attributes:
        index: counted from 0.
        name: of `AS name`, in lower case; "".
        base: the image or stage as written.
        image: the base after substitution of the global ARGs; of an earlier stage its name.
        parent: the index of the stage it continues; None for an image.
        known: False when a global ARG without default decides the base.
        platform: the value of `--platform`; "".
        line: of the FROM.
        instructions: without the FROM.
        env: by key, declared in this stage, substituted.
        args: by key, declared in this stage; a global ARG's default where it is taken over.
        expose: ports as written, substituted (`3000`, `53/udp`).
        user: the last USER, substituted, as `user[:group]`.
        workdir: the last WORKDIR, absolute as far as it is known.
        copies, runs: in order.
        cmd, entrypoint, health: the last of each, None when this stage has none.
    """

    index: int
    name: str
    base: str
    image: str
    parent: int | None
    line: int
    known: bool = True
    platform: str = ""
    instructions: tuple[Instruction, ...] = field(default=(), repr=False)
    env: Mapping[str, Word] = field(default_factory=dict, repr=False)
    args: Mapping[str, Word] = field(default_factory=dict, repr=False)
    expose: tuple[Word, ...] = ()
    user: Word | None = None
    workdir: Word | None = None
    copies: tuple[Copy, ...] = ()
    runs: tuple[Run, ...] = ()
    cmd: Instruction | None = None
    entrypoint: Instruction | None = None
    health: Health | None = None

    def named(self, *names: str) -> Iterator[Instruction]:
        """Yield the instructions of these names in order."""
        return (each for each in self.instructions if each.name in names)


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """A whole Dockerfile.

    Attributes:
        file: its name as shown.
        stages: in order; the last is what a build without a target makes.
        args: the global ARGs, before the first FROM.
        directives: `escape`, `syntax`, `check`, by lower-case name.
        instructions: all of them in order, FROM included.
    """

    file: str
    stages: tuple[Stage, ...]
    args: Mapping[str, Word] = field(default_factory=dict)
    directives: Mapping[str, str] = field(default_factory=dict)
    instructions: tuple[Instruction, ...] = field(default=(), repr=False)

    @property
    def last(self) -> Stage | None:
        """The stage that a build without a target makes."""
        return self.stages[-1] if self.stages else None

    def stage(self, target: str) -> Stage | None:
        """Return the stage of a name (in any case) or number; the last one for ""."""
        if not target:
            return self.last
        wanted = target.lower()
        named = [each for each in self.stages if each.name == wanted]
        if named:
            return named[0]
        return next((each for each in self.stages if str(each.index) == target), None)

    def chain(self, stage: Stage) -> tuple[Stage, ...]:
        """Return the stage and those it continues, itself first, the one on an image last."""
        found = [stage]
        while (parent := found[-1].parent) is not None:
            found.append(self.stages[parent])
        return tuple(found)

    def root(self, stage: Stage) -> Stage:
        """Return the stage of the chain that starts from an image."""
        return self.chain(stage)[-1]

    def env(self, stage: Stage) -> Mapping[str, Word]:
        """Return the environment of a stage, with what it inherits."""
        found: dict[str, Word] = {}
        for each in reversed(self.chain(stage)):
            found |= each.env
        return found

    def expose(self, stage: Stage) -> tuple[Word, ...]:
        """Return the exposed ports of a stage, with what it inherits."""
        return tuple(word for each in reversed(self.chain(stage)) for word in each.expose)

    def user(self, stage: Stage) -> Word | None:
        """Return the user in effect; None when the base image decides."""
        return next((each.user for each in self.chain(stage) if each.user), None)

    def workdir(self, stage: Stage) -> Word | None:
        """Return the working folder in effect; None when the base image decides."""
        return next((each.workdir for each in self.chain(stage) if each.workdir), None)

    def health(self, stage: Stage) -> Health | None:
        """Return the health check in effect; None when the base image decides."""
        return next((each.health for each in self.chain(stage) if each.health), None)

    def entrypoint(self, stage: Stage) -> Instruction | None:
        """Return the ENTRYPOINT in effect; None when the base image decides."""
        return next((each.entrypoint for each in self.chain(stage) if each.entrypoint), None)

    def cmd(self, stage: Stage) -> Instruction | None:
        """Return the CMD in effect; an ENTRYPOINT below it in the chain resets an inherited one."""
        for each in self.chain(stage):
            if each.cmd is not None:
                return each.cmd
            if each.entrypoint is not None:
                return None
        return None

    def copied(self, stage: Stage) -> Iterator[Instruction]:
        """Yield the COPY and ADD instructions of a stage's chain, earliest first."""
        for each in reversed(self.chain(stage)):
            yield from each.named("COPY", "ADD")

    def copies(self, stage: Stage) -> tuple[Copy, ...]:
        """Return what is copied into a stage, with what it inherits, earliest first."""
        return tuple(each for above in reversed(self.chain(stage)) for each in above.copies)

    def runs(self, stage: Stage) -> tuple[Run, ...]:
        """Return what is run in a stage, with what it inherits, earliest first."""
        return tuple(each for above in reversed(self.chain(stage)) for each in above.runs)
