"""The dump itself: out of the container into a hidden file, checked while it arrives."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, cast

from invoke_stack.database import forms, readers, sessions, write
from invoke_stack.database.forms import Form
from invoke_stack.database.readers import Heard
from invoke_stack.database.target import Target
from invoke_stack.database.values import Contents, Header
from invoke_stack.database.write import Partial, Written
from invoke_stack.errors import StackError
from invoke_stack.events import Note, Report, Transferred
from invoke_stack.process import Command
from invoke_stack.project import Project


@dataclass(frozen=True, slots=True)
class Dumped:
    """A dump that ended well and that its own program has read.

    Attributes:
        level: what was proven of it, as `verify` counts.
    """

    written: Written
    header: Header
    contents: Contents
    compression: str
    level: str
    seconds: float


def command(target: Target, session: str, compression: str, form: Form = forms.CUSTOM) -> Command:
    """Return the call that dumps the target to stdout."""
    if form.archive:
        return target.inside(target.provider.dump(compression), application=session)
    script = forms.exporter(target.provider).script(compressed=form.compressed)
    return target.inside(script, application=session)


@dataclass(frozen=True, slots=True)
class Dump:
    """One dump under way.

    Attributes:
        session: its name in the server's list of sessions.
        expected: how many bytes it may have, 0 where nobody knows.
        decode: have all of it decoded, not only its table of contents read.
        begun: called once the program runs; what it raises ends the dump.
    """

    project: Project
    target: Target
    partial: Partial
    session: str
    expected: int
    report: Report
    form: Form = forms.CUSTOM
    decode: bool = True
    begun: Callable[[], object] = lambda: None

    def run(self, compressions: Sequence[str]) -> Dumped:
        """Dump into the hidden file with the first compression that the program has.

        Raises:
            StackError: the dump failed, or what came is no backup or not whole.
        """
        if not self.form.archive:
            return self._script()
        *others, last = compressions
        for compression in others:
            dumped = self._archive(compression)
            if dumped is not None:
                return dumped
        dumped = self._archive(last)
        if dumped is None:
            text = f"the dump program for {self.target.where} has no {last}"
            raise StackError("stack.db.compression", text, hint="set it to auto or gzip:1")
        return dumped

    def _archive(self, compression: str) -> Dumped | None:
        """Return the dump; None when the program cannot compress that way."""
        began, provider = time.monotonic(), self.target.provider
        programs = [provider.listing(), *([provider.decode()] if self.decode else [])]
        calls = [self.target.inside(each, fed=True, read=True) for each in programs]
        with readers.Programs(self.project.runner, calls) as reading:
            written, code, words = self._copied(compression, reading.take)
            if not written.size and provider.uncompressed("\n".join(words)):
                return None
            self._require_success(code, words)
            header = self._require_header(written.first)
            seconds = round(time.monotonic() - began, 2)
            reading.end()
            self.partial.sync()  # while they read the last of it
            contents = self._contents(written, reading.heard())
        level = "L2" if self.decode else "L1"
        return Dumped(written, header, contents, compression, level, seconds)

    def _script(self) -> Dumped:
        began = time.monotonic()
        script = readers.Script(compressed=self.form.compressed)
        written, code, words = self._copied("", script.take)
        self._require_success(code, words)
        if not forms.exporter(self.target.provider).complete(script.last):
            raise self.failed("the dump broke off before its end")
        seconds = round(time.monotonic() - began, 2)
        self.partial.sync()
        compression = "gzip:1" if self.form.compressed else "none"
        contents = Contents("", {}, data=True)
        return Dumped(written, Header("", ""), contents, compression, "L1", seconds)

    def _copied(
        self, compression: str, take: Callable[[memoryview], None]
    ) -> tuple[Written, int, tuple[str, ...]]:
        """Return what was written, the program's exit code and its last words."""
        call = command(self.target, self.session, compression, self.form)
        with (
            sessions.ended_on_failure(self.project, self.target, self.session),
            self.project.runner.start(call, binary=True) as running,
        ):
            self.begun()
            source = cast("IO[bytes]", running.stdout)
            written = write.copy(source, self.partial, take, self._progress)
            return written, running.wait(), running.tail

    def _progress(self, first: bytes, done: int) -> None:
        if self.form.archive:
            self._require_header(first)
        self.report(Transferred("db.backup", done, self.expected))

    def _require_success(self, code: int, words: Sequence[str]) -> None:
        # The exit code alone proves nothing: an interrupted `docker exec` ends with 0.
        hidden = [self.project.secrets.hide(line) for line in words]
        if code != 0 or any("error:" in line for line in words):
            known = self.target.provider.explain(self.target.login, "\n".join(hidden))
            program = self.target.provider.dump("none")[0]
            raise known or self.failed(f"{program} ended with code {code}", tuple(hidden[-8:]))
        for line in hidden:
            self.report(Note(line))

    def _require_header(self, first: bytes) -> Header:
        header = self.target.provider.header(first)
        if header is None:
            raise self.failed("what came in place of the dump is no archive")
        return header

    def _contents(self, written: Written, heard: Sequence[Heard]) -> Contents:
        """Return what the readers found in the dump, or say that it is not whole."""
        listed, *decoded = heard
        if listed.code != 0:
            words = tuple(self.project.secrets.hide(line) for line in listed.lines[-4:])
            raise self.failed("the dump has no table of contents", words)
        contents = self.target.provider.read_listing(listed.lines)
        if not self.target.provider.whole(written.last, contents):
            raise self.failed("the dump broke off before its end")
        for each in decoded:
            if each.code != 0 or any("error:" in line for line in each.lines):
                last = self.project.secrets.hide((each.lines or (f"exit code {each.code}",))[-1])
                raise self.failed(f"the dump does not decode: {last}")
        return contents

    def failed(self, text: str, detail: tuple[str, ...] = ()) -> StackError:
        """Return the error for a dump that does not become a backup."""
        log = f"inv stack.logs -s {self.target.service}" if self.target.service else "its log"
        hint = f"run it again; the server's side: {log}"
        message = f"{text}; {self.partial.final.name} was not written"
        return StackError("db.backup", message, hint=hint, detail=detail)
