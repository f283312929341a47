"""PostgreSQL: the table of contents that pg_restore prints."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from invoke_stack.database.values import Contents

_COUNTED = {
    "TABLE DATA": "",
    "SEQUENCE SET": "",
    "SEQUENCE OWNED BY": "",
    "TABLE ATTACH": "",
    "INDEX ATTACH": "",
    "BLOBS": "",
    "BLOB": "",
    "MATERIALIZED VIEW DATA": "",
    "MATERIALIZED VIEW": "materialized_views",
    "FK CONSTRAINT": "constraints",
    "CHECK CONSTRAINT": "constraints",
    "CONSTRAINT": "constraints",
    "TABLE": "tables",
    "SEQUENCE": "sequences",
    "INDEX": "indexes",
    "VIEW": "views",
    "FUNCTION": "functions",
    "TRIGGER": "triggers",
    "EXTENSION": "extensions",
}
_TOLD = (r"by pg_dump version: (\S+)", r"dbname: (.+)", r"from database version: (\S+)")
_HOLDS_ROWS = ("TABLE DATA", "BLOBS")
# Longest first: "TABLE DATA" is not a table.
_ENTRY = re.compile(
    r"^\d+; \d+ \d+ (" + "|".join(sorted(_COUNTED, key=len, reverse=True)) + r")(?= )"
)


def read(lines: Sequence[str]) -> Contents:
    """Return the table of contents, counted; entries of other kinds are left out."""
    kinds = Counter(found[1] for line in lines if (found := _ENTRY.match(line)))
    counts: Counter[str] = Counter()
    for kind, number in kinds.items():
        if _COUNTED[kind]:
            counts[_COUNTED[kind]] += number
    data = any(kinds[kind] for kind in _HOLDS_ROWS)
    client, database, server = (_told(lines, words) for words in _TOLD)
    return Contents(client, dict(sorted(counts.items())), data, database, server)


def _told(lines: Sequence[str], words: str) -> str:
    """Return what the comments above a table of contents say."""
    heads = (re.match(rf";\s+(?:Dumped )?{words}", line) for line in lines)
    return next((found[1].strip() for found in heads if found), "")
