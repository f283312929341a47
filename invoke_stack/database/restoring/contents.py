"""What a dump holds and how it gets into a database, the same for both kinds."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from invoke_stack import files
from invoke_stack.database import target as targets
from invoke_stack.database.admin import Admin
from invoke_stack.database.restoring import carry, load, plaindump, unpacked
from invoke_stack.database.restoring.plaindump import Filter, Rules, Summary
from invoke_stack.database.restoring.source import Source
from invoke_stack.database.restoring.sqltext import Broken
from invoke_stack.database.state import Server
from invoke_stack.database.target import Target
from invoke_stack.errors import RefusedError, UsageError
from invoke_stack.events import Report, Step

_NO_DATA = ("no data will be available", "does not support compression")


@dataclass(frozen=True, slots=True)
class Opened:
    """A dump that is ready to be loaded.

    Attributes:
        needs: roles, extensions, and the version that it was made from.
        fill: loads it into a database; takes the target and whether roles get what is theirs.
        wanted: how many objects of each kind it must have then; nothing where nobody knows.
    """

    needs: Summary
    fill: Callable[[Target, load.Options], None]
    wanted: Mapping[str, int] = field(default_factory=dict)


@contextlib.contextmanager
def archive(
    admin: Admin, source: Source, server: Server, *, owner: bool, report: Report
) -> Iterator[Opened]:
    """Read an archive's list of contents and definitions where the server's programs are.

    Raises:
        RefusedError: the server's own program does not read it.
    """
    with carry.carried(admin, source.file, report) as path:
        command = admin.target.inside(admin.restorer.described(path), read=True)
        done = admin.project.runner.capture(command)
        if done.code or any(word in done.stderr for word in _NO_DATA):
            words = admin.project.secrets.hide(done.stderr.strip()).splitlines()[-2:]
            text = "the server's own program does not read this archive"
            hint = "use the image that it was made with, or a newer one"
            if admin.target.programs is not None:
                hint = "set embedded.postgres to the programs of a server that reads it"
            raise RefusedError(source.file.name, text, hint=hint, detail=tuple(words))
        listing, _, definitions = done.stdout.partition("--\n-- PostgreSQL database dump\n")
        contents = admin.target.provider.read_listing(listing.splitlines())
        needs = _needs(definitions, Rules(server.roles, owner, server.superuser))

        def fill(target: Target, how: load.Options) -> None:
            if needs.schema and not how.in_place:
                strict = admin.restorer.strict(admin.restorer.emptied())
                targets.ask(admin.project, target, strict, read=False)
            load.archive(admin, target, path, how, report)

        yield Opened(needs, fill, contents.counts)


def _needs(definitions: str, rules: Rules) -> Summary:
    found = Filter(rules)
    with contextlib.suppress(Broken):  # only read here; pg_restore runs what it made itself
        for _ in found.run(io.BytesIO(definitions.encode())):
            pass
    return found.found


@contextlib.contextmanager
def plain(
    admin: Admin, source: Source, server: Server, *, owner: bool, report: Report
) -> Iterator[Opened]:
    """Write a plain dump, unpacked and made harmless, into the state folder for a while.

    Raises:
        UsageError: it breaks off, or does what no dump does.
    """
    report(Step(f"reading {source.file.name}"))
    path = admin.project.state / f"{admin.session}.sql"
    rules = Rules(server.roles, owner, server.superuser)
    try:
        try:
            needs = _filtered(admin, source, rules, path)
        except plaindump.Several:  # such as pg_dumpall writes it
            chosen = dataclasses.replace(rules, only=admin.target.database)
            needs = _filtered(admin, source, chosen, path)
        _require_whole(admin, source, needs)
        load.skipped(needs.skipped, report)

        def fill(target: Target, how: load.Options) -> None:
            del how
            load.script(admin, target, path, admin.session)

        yield Opened(needs, fill)
    finally:
        path.unlink(missing_ok=True)


def _filtered(admin: Admin, source: Source, rules: Rules, path: Path) -> Summary:
    path.unlink(missing_ok=True)
    found = Filter(rules)
    descriptor = files.create_private(path)
    try:
        with (
            os.fdopen(descriptor, "wb") as sink,
            unpacked.stream(admin.project, admin.target, source.file) as stream,
        ):
            for part in found.run(stream):
                sink.write(part)
            sink.write(admin.restorer.said(admin.session).encode())
    except plaindump.Several:
        raise
    except Broken as problem:
        raise UsageError(source.file.name, str(problem), hint="choose another backup") from problem
    return found.found


def _require_whole(admin: Admin, source: Source, needs: Summary) -> None:
    name = source.file.name
    if not needs.whole:
        text = "breaks off: the last line of a whole dump is missing"
        raise UsageError(name, text, hint="choose another backup")
    if not needs.statements:
        text = "has no statement that fills a database"
        if len(needs.sections) > 1:
            listed = ", ".join(needs.sections)
            text = f"has no part for {admin.target.database}; it has: {listed}"
        raise UsageError(name, text, hint="choose another file, or the database with --to-db")
