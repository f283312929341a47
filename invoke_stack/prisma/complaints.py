"""What Prisma's messages mean: one sentence and the next command; its own text stays below.

Codes: https://www.prisma.io/docs/orm/reference/error-reference
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from invoke_stack.errors import (
    BusyError,
    RefusedError,
    StackError,
    UnreachableError,
    UsageError,
)

LONGEST = 30
"""How many lines of Prisma's own text are shown."""

_CODE = re.compile(r"\b(?:Error:|Error code:)\s*(P\d{4})\b")
_MIGRATION = re.compile(r"(?:Migration name: |[Mm]igration `|The `)([^\s`]+)")
_PLACE = re.compile(r"-->\s+(\S+:\d+)")
_NOISE = re.compile(
    r"^(Loaded Prisma config|Prisma schema loaded|Prisma config detected|Datasource \"|"
    r"DbError \{|\[Context: |Prisma CLI Version|For more information, see: https://pris\.ly|"
    r"Start by importing|Tip: |npm (warn|error A complete log)|warn The configuration property|"
    r"> |\s+\d+: \w+::|\s+(with|at) (namespaces|schema-engine)|\d+ migrations? found in)"
)
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a message means; `{migration}`, `{place}` and `{reason}` are filled in."""

    kind: type[StackError]
    text: str
    hint: str


RESOLVE = "inv db.migrate --rolled-back {migration}"
AGAIN = f"correct the migration and what it left behind, then: {RESOLVE} and inv db.migrate"

CODES = {
    "P1000": Meaning(
        UnreachableError,
        "the server does not let this user in: the user or the password is wrong",
        "the volume keeps what it was made with; see who sets it: inv env.explain -k DATABASE_URL",
    ),
    "P1001": Meaning(
        UnreachableError, "no database server answers at {reason}", "start it: inv stack.up"
    ),
    "P1002": Meaning(
        BusyError,
        "another migration holds the database's lock",
        "wait until it is through, then run the task again",
    ),
    "P1003": Meaning(
        UnreachableError, "the database does not exist yet", "make it with: inv db.migrate"
    ),
    "P1008": Meaning(UnreachableError, "the database did not answer in time", "inv db.wait"),
    "P1010": Meaning(
        StackError, "this user may not use the database", "grant it CONNECT, or use its owner"
    ),
    "P1011": Meaning(
        UnreachableError, "no encrypted connection to the server", "see `sslmode` in the URL"
    ),
    "P1012": Meaning(
        UsageError, "the schema is not valid: {reason}", "correct it, then run the task again"
    ),
    "P1013": Meaning(
        UsageError,
        "the database's URL is not valid",
        "postgresql://USER:PASSWORD@HOST:5432/NAME, special characters percent-encoded",
    ),
    "P1017": Meaning(UnreachableError, "the server closed the connection", "inv db.wait"),
    "P3005": Meaning(
        RefusedError,
        "the database has tables, but no history of migrations",
        "if it already has what a migration makes: inv db.migrate --applied NAME, oldest first",
    ),
    "P3006": Meaning(
        StackError,
        "migration {migration} does not apply to an empty database",
        "correct its migration.sql: every migration must work after those before it",
    ),
    "P3009": Meaning(
        StackError,
        "migration {migration} failed earlier and blocks the next ones",
        AGAIN,
    ),
    "P3014": Meaning(
        StackError,
        "the user may not create the shadow database that development needs",
        "as a superuser: ALTER ROLE the_user CREATEDB; or name a shadow database in the config",
    ),
    "P3015": Meaning(
        UsageError, "a migration has no migration.sql", "restore the file or remove its folder"
    ),
    "P3018": Meaning(StackError, "migration {migration} failed: {reason}", AGAIN),
    "P3019": Meaning(
        UsageError,
        "the migrations were written for another kind of database than the schema names",
        "see `provider` in migration_lock.toml and in the schema",
    ),
}
RESET = "see what differs: inv db.status; a reset would delete all data and stays your decision"

# Prisma has no code for these. The first that is found counts.
WORDS: tuple[tuple[str, Meaning], ...] = (
    (
        r"Drift detected",
        Meaning(RefusedError, "the database differs from what its migrations make (drift)", RESET),
    ),
    (
        r"was modified after it was applied",
        Meaning(
            RefusedError,
            "migration {migration} was edited after it had been applied",
            f"restore the file and write a new migration; {RESET}",
        ),
    ),
    (
        r"applied to the database but (?:absent|missing)|are applied .* but missing",
        Meaning(
            RefusedError,
            "the database has migrations that this project lacks",
            "check out the branch that has them, or: inv db.status",
        ),
    ),
    (
        r"AI agent|DANGEROUS_AI_ACTION",
        Meaning(RefusedError, "Prisma refuses this to an automated caller", "run it yourself"),
    ),
    (
        r"changes that cannot be executed",
        Meaning(
            RefusedError,
            "rows that are there do not fit the new schema",
            "write it, complete its SQL, apply it: inv db.migrate --create-only --name NAME",
        ),
    ),
    (
        r"environment is non-interactive",
        Meaning(
            RefusedError,
            "the change would delete data, and nobody is there to agree",
            "run it in a terminal, or: inv db.migrate --create-only --name NAME",
        ),
    ),
    (
        r"Could not (?:load|find) (?:schema|Prisma Schema|`--schema`)|Could not load `--schema`",
        Meaning(
            UsageError,
            "there is no schema where Prisma looks for it",
            "restore it, or correct `schema` in prisma.config.* or package.json",
        ),
    ),
    (
        r"error occurred while running the seed command",
        Meaning(StackError, "the seed command failed", "correct it, then: inv db.seed"),
    ),
    (
        r"binaries\.prisma\.sh",
        Meaning(
            UsageError,
            "Prisma's engine is not installed, and nothing is downloaded from here",
            "install it once with a network: npx --no-install prisma version",
        ),
    ),
    (
        r"(?:Cannot resolve|Missing required) environment variable:? ?`?(?P<reason>\w+)",
        Meaning(UsageError, "{reason} is not set", "inv env.check"),
    ),
    (
        r"Cannot find (?:module|package) '(?P<reason>[^']+)'",
        Meaning(UsageError, "{reason} is not installed", "install the packages again"),
    ),
    (
        r"(?P<reason>permission denied for \w+ \S+)",
        Meaning(StackError, "{reason}", "as its owner: GRANT CREATE ON SCHEMA public TO the_user"),
    ),
    (
        r"EADDRINUSE",
        Meaning(UsageError, "the port is taken", "choose another: inv db.studio --port 5556"),
    ),
)


def explain(
    where: str, output: str, code: int, hide: Callable[[str], str] = lambda text: text
) -> StackError:
    """Return the error for what Prisma printed when it ended with a code."""
    text = hide(_COLOUR.sub("", output))
    detail = own_text(text.splitlines())
    found = _CODE.search(text)
    meaning = CODES.get(found[1]) if found else None
    reason = _reason(found[1], text) if found else ""
    if meaning is None:
        meaning, said = _worded(text)
        reason = said or reason
    if meaning is None:
        message = f"Prisma ended with code {code}"
        return StackError(where, message, hint="its own words are above", detail=detail)
    migration = _MIGRATION.search(text)
    name = migration[1] if migration else "NAME"

    def filled(sentence: str) -> str:
        return sentence.replace("{migration}", name).replace("{reason}", reason)

    return meaning.kind(where, filled(meaning.text), hint=filled(meaning.hint), detail=detail)


def _worded(text: str) -> tuple[Meaning | None, str]:
    for pattern, meaning in WORDS:
        if found := re.search(pattern, text):
            return meaning, found.groupdict().get("reason") or ""
    return None, ""


def _reason(code: str, text: str) -> str:
    if code == "P1001":
        found = re.search(r"server at `([^`]+)`", text)
        return found[1] if found else "its address"
    if code == "P1012":
        place, said = (
            _PLACE.search(text),
            re.search(r"(?m)^error: (?:Error validating: )?(.+)$", text),
        )
        parts = [each[1].rstrip(".") for each in (place, said) if each]
        return ": ".join(parts) or "see below"
    if code == "P3018":
        found = re.search(r"Database error:\s*(?:ERROR: )?(.+)", text)
        return found[1].strip() if found else "see below"
    return ""


def own_text(lines: Sequence[str]) -> tuple[str, ...]:
    """Return Prisma's text without its chatter and backtraces, at most `LONGEST` lines."""
    kept: list[str] = []
    for line in lines:
        bare = line.rstrip()
        if _NOISE.match(bare) or (not bare and (not kept or not kept[-1])):
            continue
        kept.append(bare)
    while kept and not kept[-1]:
        kept.pop()
    return tuple(kept[-LONGEST:])
