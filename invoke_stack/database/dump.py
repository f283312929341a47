"""The dump itself: out of the container into a hidden file, then read back by its own program."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, cast

from invoke_stack.database import sessions, verify, write
from invoke_stack.database.target import Target
from invoke_stack.database.values import Contents, Header
from invoke_stack.database.write import Partial, Written
from invoke_stack.errors import StackError
from invoke_stack.events import Note, Report, Transferred
from invoke_stack.process import Command
from invoke_stack.project import Project


@dataclass(frozen=True, slots=True)
class Dumped:
    """A dump that ended well, before any check of its contents."""

    written: Written
    header: Header
    compression: str
    seconds: float


def command(target: Target, session: str, compression: str) -> Command:
    """Return the call that dumps the target to stdout."""
    return target.inside(target.provider.dump(compression), application=session)


@dataclass(frozen=True, slots=True)
class Dump:
    """One dump under way.

    Attributes:
        session: its name in the server's list of sessions.
        expected: how many bytes it may have, 0 where nobody knows.
    """

    project: Project
    target: Target
    partial: Partial
    session: str
    expected: int
    report: Report

    def run(self, compressions: Sequence[str]) -> Dumped:
        """Dump into the hidden file with the first compression that the program has.

        Raises:
            StackError: the dump failed, or what came is no backup.
        """
        *others, last = compressions
        for compression in others:
            dumped = self._attempt(compression)
            if dumped is not None:
                return dumped
        dumped = self._attempt(last)
        if dumped is None:
            text = f"the dump program for {self.target.where} has no {last}"
            raise StackError("stack.db.compression", text, hint="set it to auto or gzip:1")
        return dumped

    def _attempt(self, compression: str) -> Dumped | None:
        """Return the dump; None when the program cannot compress that way."""
        began = time.monotonic()
        call = command(self.target, self.session, compression)
        with (
            sessions.ended_on_failure(self.project, self.target, self.session),
            self.project.runner.start(call, binary=True) as running,
        ):
            written = write.copy(cast("IO[bytes]", running.stdout), self.partial, self._progress)
            code, words = running.wait(), running.tail
        if not written.size and self.target.provider.uncompressed("\n".join(words)):
            return None
        header = self._require_success(written, code, words)
        for line in words:
            self.report(Note(self.project.secrets.hide(line)))
        return Dumped(written, header, compression, round(time.monotonic() - began, 2))

    def _progress(self, first: bytes, done: int) -> None:
        self._require_header(first)
        self.report(Transferred("db.backup", done, self.expected))

    def _require_success(self, written: Written, code: int, words: Sequence[str]) -> Header:
        # The exit code alone proves nothing: an interrupted `docker exec` ends with 0.
        hidden = [self.project.secrets.hide(line) for line in words]
        if code != 0 or any("error:" in line for line in words):
            known = self.target.provider.explain(self.target.login, "\n".join(hidden))
            program = self.target.provider.dump("none")[0]
            raise known or self.failed(f"{program} ended with code {code}", tuple(hidden[-8:]))
        return self._require_header(written.first)

    def _require_header(self, first: bytes) -> Header:
        header = self.target.provider.header(first)
        if header is None:
            raise self.failed("what came in place of the dump is no archive")
        return header

    def check(self, dumped: Dumped, *, decode: bool) -> Contents:
        """Read the hidden file back with its own program; return what it contains.

        Raises:
            StackError: it is not whole.
        """
        contents = self._listed()
        if not self.target.provider.whole(dumped.written.last, contents):
            raise self.failed("the dump broke off before its end")
        if decode:
            result = verify.decoded(self.project, self.target, self.partial.path)
            if result.state != "ok":
                raise self.failed(f"the dump {result.text}")
        return contents

    def _listed(self) -> Contents:
        call = self.target.inside(self.target.provider.listing(), fed=True, read=True)
        with self.project.runner.start(call, stdin=self.partial.path) as running:
            code = running.wait()
            lines = tuple(running.fresh())
        if code != 0:
            words = tuple(self.project.secrets.hide(line) for line in lines[-4:])
            raise self.failed("the dump has no table of contents", words)
        return self.target.provider.read_listing(lines)

    def failed(self, text: str, detail: tuple[str, ...] = ()) -> StackError:
        """Return the error for a dump that does not become a backup."""
        log = f"inv stack.logs -s {self.target.service}" if self.target.service else "its log"
        hint = f"run it again; the server's side: {log}"
        message = f"{text}; {self.partial.final.name} was not written"
        return StackError("db.backup", message, hint=hint, detail=detail)
