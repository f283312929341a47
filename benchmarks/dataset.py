"""Mixed data of a chosen size, the same on every run: rows, documents, binary, large objects."""

from __future__ import annotations

_WORDS = (
    "alpha", "order", "invoice", "customer", "shipment", "refund", "pending", "street", "berlin",
    "lorem", "ipsum", "dolor", "sit", "amet", "return", "priority", "express", "gift",
)  # fmt: skip

_ACCOUNTS_PER_MB = 6000
_DOCUMENTS_PER_MB = 420
_LARGE_PER_MB = 0.06


def statements(megabytes: int) -> str:
    """Return SQL that fills an empty database so that a plain dump has about that size.

    Three fifths are narrow rows such as pgbench makes, the rest documents with a GIN index, some
    of them with binary data, and large objects.
    """
    accounts, documents = megabytes * _ACCOUNTS_PER_MB, megabytes * _DOCUMENTS_PER_MB
    large = max(1, int(megabytes * _LARGE_PER_MB))
    words = "ARRAY[" + ", ".join(f"'{word}'" for word in _WORDS) + "]"
    # Nothing but numbers of ours goes in.
    return f"""
CREATE TYPE mood AS ENUM ('new', 'paid', 'sent', 'lost');
CREATE TABLE branches (bid int PRIMARY KEY, name text NOT NULL);
INSERT INTO branches SELECT g, 'branch ' || g FROM generate_series(1, 100) g;
CREATE TABLE accounts (
  aid int PRIMARY KEY, bid int NOT NULL REFERENCES branches, balance int NOT NULL, filler char(84)
);
INSERT INTO accounts
SELECT g, 1 + g % 100, hashint4(g) % 100000, '' FROM generate_series(1, {accounts}) g;
CREATE TABLE documents (
  id bigserial PRIMARY KEY, state mood NOT NULL, body jsonb NOT NULL, words text NOT NULL,
  data bytea, made timestamptz NOT NULL, CHECK (words <> '')
);
INSERT INTO documents (state, body, words, data, made)
SELECT (ARRAY['new', 'paid', 'sent', 'lost'])[1 + abs(hashint4(g)) % 4]::mood,
  jsonb_build_object('id', g, 'total', abs(hashint4(g * 7)) % 9999, 'name', text.words,
    'tags', to_jsonb((string_to_array(text.words, ' '))[1:4])),
  repeat(text.words || ' ', 3),
  CASE WHEN g % 50 = 0 THEN decode(repeat(md5(g::text), 8), 'hex') END,
  timestamptz '2026-01-01' + g * interval '7 seconds'
FROM generate_series(1, {documents}) g, LATERAL (
  SELECT string_agg(({words})[1 + abs(hashint4(g * 31 + w)) % {len(_WORDS)}], ' ') AS words
  FROM generate_series(1, 40) w
) text;
CREATE INDEX documents_body ON documents USING gin (body);
CREATE INDEX documents_made ON documents (made);
CREATE MATERIALIZED VIEW totals AS SELECT state, count(*) FROM documents GROUP BY state;
SELECT count(lo_from_bytea(0, content)) FROM (
  SELECT decode(string_agg(md5((g * 10000 + part)::text), '' ORDER BY part), 'hex') AS content
  FROM generate_series(1, {large}) g, generate_series(1, 8000) part GROUP BY g
) large;
ANALYZE;
"""  # noqa: S608
