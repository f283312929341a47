"""PostgreSQL: statements about whole databases, and the reader of what the server says of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from invoke_stack.database.state import Database, Grant, Server, Setting

MAINTENANCE = ("postgres", "template1")
"""Databases to be connected to while another one is renamed, the best one first."""

MARK = "invoke_stack {"
"""How the comment of a database begins that is one of ours."""

PROVIDERS_SINCE = 15
STRATEGY_SINCE = 15
_PROVIDERS = {"c": "libc", "i": "icu", "b": "builtin"}
# Parameters that hold a list of names, each quoted by itself (GUC_LIST_QUOTE in the server).
_LISTS = frozenset(
    {
        "local_preload_libraries",
        "search_path",
        "session_preload_libraries",
        "shared_preload_libraries",
        "temp_tablespaces",
        "unix_socket_directories",
    }
)
_ELEMENT = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^,"]*?))\s*(?:,|$)')

# Columns that a version does not have come out of the row as JSON, where they are just absent.
_SERVER = """
SELECT jsonb_build_object(
  'version', current_setting('server_version'),
  'major', current_setting('server_version_num')::int / 10000,
  'user', current_user,
  'superuser', me.rolsuper,
  'creates', me.rolsuper OR me.rolcreatedb,
  'roles', (SELECT jsonb_agg(rolname) FROM pg_roles),
  'extensions', (SELECT jsonb_object_agg(name, default_version) FROM pg_available_extensions),
  'names', (SELECT jsonb_agg(datname) FROM pg_database),
  'databases', (
    SELECT coalesce(jsonb_agg(to_jsonb(d) - 'datacl' || jsonb_build_object(
      'owner', pg_get_userbyid(d.datdba),
      'encoding', pg_encoding_to_char(d.encoding),
      'tablespace', (SELECT spcname FROM pg_tablespace WHERE oid = d.dattablespace),
      'comment', shobj_description(d.oid, 'pg_database'),
      'grants', CASE WHEN d.datacl IS NOT NULL THEN (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
          'grantor', pg_get_userbyid(g.grantor),
          'grantee', CASE WHEN g.grantee <> 0 THEN pg_get_userbyid(g.grantee) ELSE '' END,
          'privilege', g.privilege_type, 'grantable', g.is_grantable) ORDER BY g.nr), '[]')
        FROM aclexplode(d.datacl) WITH ORDINALITY
          AS g (grantor, grantee, privilege_type, is_grantable, nr)) END,
      'settings', (
        SELECT coalesce(jsonb_agg(jsonb_build_object('role', r.rolname, 'pair', pair)), '[]')
        FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) AS pair
        LEFT JOIN pg_roles r ON r.oid = s.setrole WHERE s.setdatabase = d.oid),
      'bytes', CASE WHEN has_database_privilege(d.oid, 'CONNECT')
               THEN pg_database_size(d.oid) ELSE -1 END,
      'sessions', (SELECT count(*) FROM pg_stat_activity
                   WHERE datid = d.oid AND usesysid IS NOT NULL),
      'owned', pg_has_role(d.datdba, 'USAGE'))), '[]')
    FROM pg_database d
    WHERE d.datname = {name} OR left(shobj_description(d.oid, 'pg_database'), {long}) = {mark}))
FROM pg_roles me WHERE me.rolname = current_user;
"""

_HOLDERS = """
SELECT usename || ' (' || coalesce(nullif(application_name, ''), 'no name') || ', process '
  || pid || ')' FROM pg_stat_activity
WHERE datname IN ({names}) AND usesysid IS NOT NULL AND pid <> pg_backend_pid() LIMIT 5;
"""


def quoted(name: str) -> str:
    """Return a name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as SQL has it, whatever the server's setting for backslashes is."""
    plain = "'" + text.replace("'", "''") + "'"
    return " E" + plain.replace("\\", "\\\\") if "\\" in text else plain


def server(database: str) -> str:
    """Return the query behind `Server`."""
    mark = literal(MARK)
    return _SERVER.format(name=literal(database), long=len(MARK), mark=mark)


def read_server(output: str) -> Server:
    """Return the answer of that query: one JSON object."""
    line = next((line for line in output.splitlines() if line.startswith("{")), "{}")
    found = json.loads(line)
    return Server(
        version=found["version"],
        major=found["major"],
        user=found["user"],
        superuser=found["superuser"],
        creates=found["creates"],
        roles=frozenset(found["roles"] or ()),
        extensions=found["extensions"] or {},
        names=frozenset(found["names"]),
        databases=tuple(_database(each) for each in found["databases"]),
    )


def _database(row: Mapping[str, Any]) -> Database:
    tablespace = str(row["tablespace"])
    pairs = [(str(each["role"] or ""), *each["pair"].split("=", 1)) for each in row["settings"]]
    grants = row["grants"]
    return Database(
        name=row["datname"],
        owner=row["owner"],
        encoding=row["encoding"],
        collate=row.get("datcollate") or "",
        ctype=row.get("datctype") or "",
        provider=_PROVIDERS.get(str(row.get("datlocprovider")), ""),
        # The column was renamed when a third provider came, with PostgreSQL 17.
        locale=row.get("datlocale") or row.get("daticulocale") or "",
        rules=row.get("daticurules") or "",
        tablespace="" if tablespace == "pg_default" else tablespace,
        limit=row["datconnlimit"],
        comment=row["comment"] or "",
        grants=None if grants is None else tuple(Grant(**each) for each in grants),
        settings=tuple(Setting(*pair) for pair in pairs),
        bytes=row["bytes"],
        sessions=row["sessions"],
        owned=row["owned"],
    )


def create(name: str, like: Database, major: int) -> str:
    """Return the statement that makes an empty database of the same kind as another."""
    words = [f"CREATE DATABASE {quoted(name)} TEMPLATE template0"]
    words += [f"ENCODING {literal(like.encoding)}"] if like.encoding else []
    words += [f"LC_COLLATE {literal(like.collate)}"] if like.collate else []
    words += [f"LC_CTYPE {literal(like.ctype)}"] if like.ctype else []
    if like.provider and major >= PROVIDERS_SINCE:
        words.append(f"LOCALE_PROVIDER {like.provider}")
        if like.locale and like.provider != "libc":
            words.append(f"{like.provider.upper()}_LOCALE {literal(like.locale)}")
        words += [f"ICU_RULES {literal(like.rules)}"] if like.rules else []
    words += [f"TABLESPACE {quoted(like.tablespace)}"] if like.tablespace else []
    return " ".join(words) + ";\n"


def copy(name: str, template: str, major: int) -> str:
    """Return the statement that copies a database inside the server."""
    strategy = " STRATEGY file_copy" if major >= STRATEGY_SINCE else ""
    return f"CREATE DATABASE {quoted(name)} TEMPLATE {quoted(template)}{strategy};\n"


def drop(name: str) -> str:
    """Return the statement that drops a database; one that is gone already is no error."""
    return f"DROP DATABASE IF EXISTS {quoted(name)};\n"


def rename(old: str, new: str) -> str:
    """Return the statement that renames a database."""
    return f"ALTER DATABASE {quoted(old)} RENAME TO {quoted(new)};\n"


def comment(name: str, text: str) -> str:
    """Return the statement that sets a database's comment; "" removes it."""
    return f"COMMENT ON DATABASE {quoted(name)} IS {literal(text) if text else 'NULL'};\n"


def disconnect(names: Sequence[str]) -> str:
    """Return a statement that ends every client's session in these databases."""
    listed = ", ".join(literal(name) for name in names)
    return (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "  # noqa: S608 - quoted
        f"WHERE datname IN ({listed}) AND usesysid IS NOT NULL AND pid <> pg_backend_pid();\n"
    )


def holders(names: Sequence[str]) -> str:
    """Return a query for who is connected to these databases, one line each."""
    return _HOLDERS.format(names=", ".join(literal(name) for name in names))


def role(name: str) -> str:
    """Return the statement that makes a role which may own things and nothing else."""
    return f"CREATE ROLE {quoted(name)} NOLOGIN;\n"


def drop_role(name: str) -> str:
    """Return the statement that takes such a role back."""
    return f"DROP ROLE IF EXISTS {quoted(name)};\n"


def dress(name: str, like: Database) -> str:
    """Return statements that give a database another one's owner, privileges and settings."""
    return "".join(f"{statement};\n" for statement in _dress(quoted(name), like))


def _dress(name: str, like: Database) -> Iterator[str]:
    yield f"ALTER DATABASE {name} OWNER TO {quoted(like.owner)}"
    if like.limit != -1:
        yield f"ALTER DATABASE {name} CONNECTION LIMIT {like.limit}"
    for each in like.settings:
        to = f"SET {_parameter(each.name)} TO {_value(each)}"
        if each.role:
            yield f"ALTER ROLE {quoted(each.role)} IN DATABASE {name} {to}"
        else:
            yield f"ALTER DATABASE {name} {to}"
    if like.grants is not None:
        yield f"REVOKE ALL ON DATABASE {name} FROM PUBLIC, {quoted(like.owner)}"
        for grant in like.grants:
            yield from _grant(name, grant, like.owner)


def _grant(name: str, grant: Grant, owner: str) -> Iterator[str]:
    grantee = quoted(grant.grantee) if grant.grantee else "PUBLIC"
    option = " WITH GRANT OPTION" if grant.grantable else ""
    # What is given on with a grant option carries the giver's name, so he has to do it.
    if grant.grantor != owner:
        yield f"SET ROLE {quoted(grant.grantor)}"
    yield f"GRANT {grant.privilege} ON DATABASE {name} TO {grantee}{option}"
    if grant.grantor != owner:
        yield "RESET ROLE"


def _parameter(name: str) -> str:
    return ".".join(quoted(part) for part in name.split("."))


def _value(setting: Setting) -> str:
    if setting.name.casefold() not in _LISTS:
        return literal(setting.value)
    return ", ".join(literal(each) for each in _elements(setting.value))


def _elements(text: str) -> Iterator[str]:
    """Yield the names in a list; a name with capitals or blanks stands in double quotes."""
    if not text.strip():
        yield ""
        return
    for found in _ELEMENT.finditer(text):
        if found.start() == len(text):
            return
        yield found[1].replace('""', '"') if found[1] is not None else found[2]
