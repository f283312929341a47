r"""A plain dump made harmless: it fills the database that it is fed into and nothing else.

What names a database, a role or the whole cluster is left out, and so is psql's `\connect`: such
a line would carry the rest of the file into the live database. A dump made with `--clean` begins
with drops of what a new database does not have; they are left out too. Everything that is left
out is counted and told, and keeps its lines, so that psql's line numbers stay those of the file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from invoke_stack.database.restoring.sqltext import Broken, Piece, Splitter

_NAME = r'(?:"(?:[^"]|"")+"|[^\s,;"()]+)'
_NAMES = rf"({_NAME}(?:\s*,\s*{_NAME})*)"

_COMMENTS = re.compile(r"\A(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)
_DATABASE = re.compile(
    r"(?:CREATE|DROP|ALTER|COMMENT ON) DATABASE\b"
    r"|(?:GRANT|REVOKE|SECURITY LABEL)\b.*? ON DATABASE\b"
    r"|ALTER (?:ROLE|USER)\b.* IN DATABASE\b"
)
_CLUSTER = re.compile(
    r"(?:CREATE|ALTER|DROP|COMMENT ON) (?:ROLE|USER(?! MAPPING)|GROUP|TABLESPACE)\b|ALTER SYSTEM\b"
    r"|GRANT (?:(?! ON ).)*? TO |REVOKE (?:(?! ON ).)*? FROM "
)
_OWNER = re.compile(rf"ALTER .* OWNER TO ({_NAME}) ?;\Z", re.DOTALL | re.IGNORECASE)
_GRANTEES = re.compile(
    rf"(?:ALTER DEFAULT PRIVILEGES .*? )?(?:GRANT|REVOKE) .* (?:TO|FROM) {_NAMES}"
    r"(?: WITH GRANT OPTION| CASCADE| RESTRICT)? ?;\Z",
    re.DOTALL | re.IGNORECASE,
)
_POLICY = re.compile(rf"CREATE POLICY .*? TO {_NAMES}(?= USING| WITH| ?;)", re.IGNORECASE)
_FOR_ROLE = re.compile(rf"ALTER DEFAULT PRIVILEGES FOR (?:ROLE|USER) {_NAMES} ", re.IGNORECASE)
_AUTHORIZATION = re.compile(rf"CREATE SCHEMA .*?AUTHORIZATION ({_NAME})", re.IGNORECASE)
_EXTENSION = re.compile(rf"CREATE EXTENSION (?:IF NOT EXISTS )?({_NAME})", re.IGNORECASE)
_PUBLIC = re.compile(rb'(?i)(\bCREATE\s+SCHEMA\s+)(?=(?:public|"public")\s*(?:;|AUTHORIZATION))')
_CONNECT = re.compile(r"\\c(?:onnect)?\s+(?:-\S+\s+)?(.+?)\s*\Z")
_DBNAME = re.compile(r"dbname=(?:'((?:[^'\\]|\\.)*)'|(\S+))")
_VERSION = re.compile(r"-- Dumped from database version (\S+)")

_NOBODY = {"public", "current_user", "session_user", "current_role"}
_ELSEWHERE = {"postgres", "template1"}
# Before these nothing is there, so a drop or an alteration can only fail.
_PROLOGUE = {"SET", "SELECT", "DROP", "ALTER", "BEGIN", "START", "COMMIT", "COMMENT", "RESET", ""}
_LOOKED_AT = {"CREATE", "DROP", "ALTER", "COMMENT", "GRANT", "REVOKE", "SECURITY", "SET", "SELECT"}
# What \restrict still allows is more than what is run here; pg_dumpall sets an encoding for the
# next \connect, and each dump then sets its own.
_SILENT = {r"\restrict", r"\unrestrict", r"\encoding"}
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Rules:
    """How a dump is filtered.

    Attributes:
        roles: those that the server has.
        owner: whether objects keep their owners.
        superuser: whether we are one; without it, comments on extensions fail.
        only: the database whose part is taken, where the file holds several; "" for the only one.
    """

    roles: frozenset[str] = frozenset()
    owner: bool = True
    superuser: bool = True
    only: str = ""


@dataclass(slots=True)
class Summary:
    """What a dump says of itself, and what was left out of it.

    Attributes:
        server: version of the server it was made from, or "".
        sections: databases that it connects to.
        roles: owners and grantees.
        unknown: roles that are not there, whose privileges were left out for that.
        schema: it creates the schema public itself.
        statements: how many were kept.
        skipped: what was left out, and how often.
    """

    server: str = ""
    sections: list[str] = field(default_factory=list)
    roles: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    extensions: set[str] = field(default_factory=set)
    schema: bool = False
    statements: int = 0
    headers: int = 0
    ends: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def whole(self) -> bool:
        """Whether every dump in it has its last line; text of other origin has none."""
        return self.headers == self.ends


class Filter:
    """Passes a dump on, piece by piece."""

    def __init__(self, rules: Rules) -> None:
        self.found = Summary()
        self._rules = rules
        self._kept = True
        self._begun = False
        self._away = False  # in the part of another database

    def run(self, stream: IO[bytes]) -> Iterator[bytes]:
        """Yield what is to be run; read ``found`` afterwards.

        Raises:
            Broken: the text breaks off, or does what no dump does.
        """
        for piece in Splitter(stream).pieces():
            if piece.kind == "command":
                self._command(piece)
                yield _blank(piece.text)
                continue
            if piece.kind == "statement":
                self._kept = self._keeps(piece.text)
            text = piece.text
            if self._kept and piece.kind == "statement" and b"SCHEMA" in text.upper():
                text = _PUBLIC.sub(rb"\1IF NOT EXISTS ", text)
            yield text if self._kept else _blank(text)

    def _command(self, piece: Piece) -> None:
        text = piece.text.decode(errors="replace").strip()
        word = text.split(maxsplit=1)[0]
        if word in _SILENT:
            return
        found = _CONNECT.match(text)
        if found is None:
            raise Broken(f"line {piece.line}: the psql command {word[: _SHOWN * 2]} is not run")
        name = _connected(found[1])
        self.found.skipped[r"\connect"] += 1
        if name not in self.found.sections:
            self.found.sections.append(name)
        others = [each for each in self.found.sections if each not in _ELSEWHERE]
        only = self._rules.only or (others[0] if others else "")
        self._away = name != only
        if self._away and name not in _ELSEWHERE and not self._rules.only:
            raise Several(f"line {piece.line}: it holds several databases", tuple(others))

    def _keeps(self, text: bytes) -> bool:
        head = text.decode(errors="replace")
        self._comments(head)
        head = head[_COMMENTS.match(head).end() :]  # type: ignore[union-attr]
        if not head:
            return True
        word = re.split(r"[\s;(]", head, maxsplit=1)[0].upper()
        reason = ""
        if self._away:
            reason = "another database's part"
        elif word in _LOOKED_AT:
            reason = self._reason(word, " ".join(head.split()))
        if reason:
            self.found.skipped[reason] += 1
            return False
        self._begun = self._begun or word not in _PROLOGUE
        self.found.statements += word not in _PROLOGUE
        return True

    def _comments(self, head: str) -> None:
        stripped = head.strip()
        if stripped.startswith("-- PostgreSQL database dump"):
            self.found.ends += stripped.endswith("complete")
            self.found.headers += stripped.endswith("dump")
        elif version := _VERSION.match(stripped):
            self.found.server = self.found.server or version[1]

    def _reason(self, word: str, head: str) -> str:
        """Return why a statement is left out, or ""; take from it what the dump needs."""
        upper = head.upper()
        if _DATABASE.match(upper):
            return "a statement about a whole database"
        if _CLUSTER.match(upper):
            return "a statement about roles or the whole server"
        if word == "SET":
            return "a setting of newer servers" if "TRANSACTION_TIMEOUT" in upper else ""
        if not self._begun and (reason := _prologue(word, upper)):
            return reason
        if word == "COMMENT" and not self._rules.superuser and "ON EXTENSION" in upper:
            return "a comment on an extension"
        return self._needs(word, head)

    def _needs(self, word: str, head: str) -> str:
        owner, grantees = set(), set()
        if found := _OWNER.match(head):
            owner = _roles(found[1])
        for pattern in (_GRANTEES, _POLICY, _FOR_ROLE, _AUTHORIZATION):
            if found := pattern.match(head):
                grantees |= _roles(found[1])
        if found := _EXTENSION.match(head):
            self.found.extensions |= _roles(found[1])
        if word == "CREATE" and re.match(r'CREATE SCHEMA (?:public|"public")\b', head):
            self.found.schema = True
        if not self._rules.owner:
            if owner:
                return "an owner"
            unknown = grantees - self._rules.roles
            if unknown and word in {"GRANT", "REVOKE", "ALTER"}:
                self.found.unknown |= unknown
                return "a privilege of a role that is not there"
        self.found.roles |= owner | grantees
        return ""


class Several(Broken):
    """The text holds more than one database."""

    def __init__(self, text: str, names: tuple[str, ...]) -> None:
        super().__init__(text)
        self.names = names


def _prologue(word: str, upper: str) -> str:
    if word == "DROP" and not re.match(r'DROP SCHEMA (?:IF EXISTS )?"?PUBLIC\b', upper):
        return "a drop in a dump made with --clean"
    unlinks = word == "SELECT" and "LO_UNLINK" in upper
    return "a drop in a dump made with --clean" if word == "ALTER" or unlinks else ""


def _roles(text: str) -> set[str]:
    found = (each[0] for each in re.finditer(_NAME, text))
    names = {each[1:-1].replace('""', '"') if each[0] == '"' else each for each in found}
    return {name for name in names if name.casefold() not in _NOBODY}


def _connected(argument: str) -> str:
    r"""Return the database in `\connect NAME` or `\connect "dbname='NAME'"`."""
    text = argument
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1].replace('""', '"')
    elif len(text) > 1 and text[0] == text[-1] == "'":
        text = text[1:-1].replace("''", "'")
    found = _DBNAME.match(text)
    if found is None:
        return text.split()[0]
    return re.sub(r"\\(.)", r"\1", found[1]) if found[1] is not None else found[2]


def _blank(text: bytes) -> bytes:
    return b"\n" * text.count(b"\n")
