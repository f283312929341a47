"""A database with something of everything, and a query that tells all of its content."""

from __future__ import annotations

MIXED = r"""
CREATE EXTENSION vector;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'hap;py''s');
CREATE DOMAIN email AS text CHECK (VALUE ~ '@');
CREATE TABLE "Ünï co;de" (
  id bigserial PRIMARY KEY, m mood, e email, j jsonb, b bytea, t text DEFAULT E'a\'b;\\'
);
INSERT INTO "Ünï co;de" (m, e, j, b, t)
SELECT 'ok', 'x@y', jsonb_build_object('a', g, 'ключ', '\\.'), decode(md5(g::text), 'hex'),
  E'tab\there\nnew\\line; \\. ''q'' $$ -- /* \\connect postgres ' || g
FROM generate_series(1, 300) g;
CREATE TABLE child (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  p bigint REFERENCES "Ünï co;de" ON DELETE CASCADE, CONSTRAINT c CHECK (p > 0) NOT VALID
);
INSERT INTO child (p) SELECT id FROM "Ünï co;de" LIMIT 100;
CREATE TABLE part (k int, v text, PRIMARY KEY (k)) PARTITION BY RANGE (k);
CREATE TABLE part_a PARTITION OF part FOR VALUES FROM (0) TO (100);
CREATE TABLE part_b PARTITION OF part FOR VALUES FROM (100) TO (1000);
INSERT INTO part SELECT g, 'v' || g FROM generate_series(1, 200) g;
CREATE INDEX ON part (v);
CREATE VIEW v AS SELECT count(*) AS n FROM child;
CREATE MATERIALIZED VIEW mv AS SELECT m, count(*) FROM "Ünï co;de" GROUP BY m;
CREATE INDEX ON mv (m);
CREATE FUNCTION f(a int DEFAULT 1) RETURNS int LANGUAGE plpgsql AS $f$
BEGIN
  -- a ; comment and \connect postgres
  RETURN a + 1; /* ' */
END $f$;
CREATE FUNCTION atomic(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT a + 1; END;
CREATE PROCEDURE pr() LANGUAGE sql AS $$ SELECT 1 $$;
CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER tr BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION tf();
CREATE TRIGGER trp BEFORE INSERT ON part FOR EACH ROW EXECUTE FUNCTION tf();
CREATE RULE r AS ON DELETE TO part_a DO INSTEAD (SELECT 1; SELECT 2);
CREATE SEQUENCE s START 42; SELECT nextval('s');
CREATE TABLE emb (id int, v vector(3)); INSERT INTO emb VALUES (1, '[1,2,3]');
CREATE SCHEMA "o'dd "" schema";
CREATE TABLE "o'dd "" schema".t AS SELECT 1 AS x;
SELECT lo_from_bytea(0, 'large object'), lo_from_bytea(0, decode(repeat('ab', 5000), 'hex'));
COMMENT ON TABLE child IS 'c;omment
on two lines';
CREATE TABLE _prisma_migrations (
  id text PRIMARY KEY, migration_name text, finished_at timestamptz, rolled_back_at timestamptz
);
INSERT INTO _prisma_migrations VALUES ('1', '20260101_init', now(), NULL);
"""

CONTENT = r"""
\set ON_ERROR_STOP on
SET search_path = '';
SELECT format('SELECT %L, count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM %I.%I t',
  c.oid::regclass::text, n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'v') AND n.nspname !~ '^pg_|^information_schema$'
ORDER BY n.nspname, c.relname \gexec
SELECT 'large', count(*), md5(string_agg(oid::text || md5(lo_get(oid)), ',' ORDER BY oid))
FROM pg_largeobject_metadata;
SELECT 'sequence', schemaname, sequencename, last_value FROM pg_sequences ORDER BY 2, 3;
SELECT 'enum', t.typname, string_agg(enumlabel, ',' ORDER BY enumsortorder)
FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid GROUP BY 2 ORDER BY 2;
SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
ORDER BY 2, 3;
SELECT 'extension', extname, extversion FROM pg_extension ORDER BY 2;
SELECT 'view', schemaname, viewname, definition FROM pg_views
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 2, 3;
SELECT 'index', indexdef FROM pg_indexes WHERE schemaname <> 'pg_catalog' ORDER BY 2;
SELECT 'function', md5(pg_get_functiondef(p.oid)) FROM pg_proc p
WHERE p.pronamespace = 'public'::regnamespace AND p.prokind <> 'a' ORDER BY 2;
SELECT 'trigger', pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 2;
SELECT 'rule', definition FROM pg_rules WHERE schemaname = 'public' ORDER BY 2;
SELECT 'comment', objsubid, description FROM pg_description
WHERE objoid = to_regclass('public.child');
SELECT 'owner', n.nspname, c.relname, pg_get_userbyid(c.relowner), c.relacl
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_|^information_schema$' ORDER BY 2, 3;
"""

DATABASE = """
SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype,
  to_jsonb(d) ->> 'datlocprovider', to_jsonb(d) ->> 'daticulocale', to_jsonb(d) ->> 'datlocale',
  datconnlimit, (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(datacl) a),
  shobj_description(oid, 'pg_database'),
  (SELECT spcname FROM pg_tablespace t WHERE t.oid = dattablespace),
  (SELECT array_agg(setrole::regrole || ':' || pair ORDER BY setrole, pair)
   FROM pg_db_role_setting, unnest(setconfig) pair WHERE setdatabase = d.oid)
FROM pg_database d WHERE datname = current_database();
"""
