"""Everything of one server into another: roles with their passwords, databases, settings, rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from invoke_stack.database.postgres_proof import OBJECTS
from invoke_stack.database.upgrading import servers
from invoke_stack.database.upgrading.servers import NEW_PORT, OLD_PORT, Client, Server
from invoke_stack.errors import StackError
from invoke_stack.events import Report, Step, Warned
from invoke_stack.project import Project

TEMPLATE = "template1"
MAINTENANCE = "postgres"

# 10 is fixed in the server (BOOTSTRAP_SUPERUSERID): whoever the cluster was made by.
_STATE = """
SELECT json_build_object(
  'owner', (SELECT rolname FROM pg_roles WHERE oid = 10),
  'open', (SELECT json_agg(datname ORDER BY datname) FROM pg_database
           WHERE datallowconn AND datname <> 'template0'),
  'closed', (SELECT coalesce(json_agg(datname), '[]') FROM pg_database
             WHERE NOT datallowconn AND datname <> 'template0'),
  'templates', (SELECT json_agg(datname) FROM pg_database WHERE datistemplate));
"""

# $1 and $2 are the ports, $3 the user, $4 the database to come through.
_ROLES = """set -o pipefail
pg_dumpall --globals-only -w -h 127.0.0.1 -p "$1" -U "$3" |
  psql -Xqw -h 127.0.0.1 -p "$2" -U "$3" -d "$4" -v ON_ERROR_STOP=0 >/dev/null
"""
_DATABASE = """set -o pipefail
pg_dump --create --clean --if-exists -w -h 127.0.0.1 -p "$1" -U "$3" |
  PGDATABASE= psql -Xqw -h 127.0.0.1 -p "$2" -U "$3" -d "$4" -v ON_ERROR_STOP=1 >/dev/null
"""

# What belongs to no single database, in words that every version has. A password is compared by
# its hash's hash.
_CLUSTER = """
SET timezone = 'UTC';
SELECT format('role %s: %s', rolname, to_jsonb(r) - 'oid' - 'rolpassword' || jsonb_build_object(
    'rolpassword', md5(rolpassword)))
  FROM pg_authid r WHERE rolname !~ '^pg_' ORDER BY 1;
SELECT DISTINCT format('member %s of %s: %s', m.member::regrole, m.roleid::regrole, m.admin_option)
  FROM pg_auth_members m WHERE m.member::regrole::text !~ '^pg_' ORDER BY 1;
SELECT format('setting of %s in %s: %s', coalesce(r.rolname, 'everybody'),
    coalesce(d.datname, 'all'), (SELECT array_agg(x ORDER BY x) FROM unnest(s.setconfig) x))
  FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole
  LEFT JOIN pg_database d ON d.oid = s.setdatabase ORDER BY 1;
SELECT format('database %s: owner %s, %s, %s, %s, limit %s, template %s, comment %s', datname,
    datdba::regrole, pg_encoding_to_char(encoding), datcollate, datctype, datconnlimit,
    datistemplate, md5(shobj_description(oid, 'pg_database')))
  FROM pg_database WHERE datname <> 'template0' ORDER BY 1;
SELECT format('rights on database %s: %s', d.datname, (SELECT string_agg(
    format('%s %s %s', CASE grantee WHEN 0 THEN 'everybody' ELSE grantee::regrole::text END,
           privilege_type, is_grantable), ', ' ORDER BY grantee::regrole::text, privilege_type)
    FROM aclexplode(coalesce(datacl, acldefault('d', datdba)))))
  FROM pg_database d WHERE datname <> 'template0' ORDER BY 1;
"""

# One line for each table, sequence and kind of object.
_ROWS = r"""
SELECT format('SELECT %L || count(*) FROM ONLY %s', format('table %s: ', t.name), t.name)
FROM (SELECT format('%I.%I', nspname, relname) AS name FROM own WHERE relkind IN ('r', 'm')
  AND (SELECT relispopulated FROM pg_class c WHERE c.oid = own.oid)) t ORDER BY 1 \gexec
SELECT format('sequence %I.%I: %s', schemaname, sequencename, last_value)
  FROM pg_sequences ORDER BY 1;
SELECT format('%s objects of kind %s', count(*), kind) FROM (
  SELECT 'function' AS kind, pronamespace AS space, oid, 'pg_proc'::regclass AS class FROM pg_proc
  UNION ALL SELECT 'trigger', (SELECT relnamespace FROM pg_class c WHERE c.oid = tgrelid), oid,
    'pg_trigger'::regclass FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT 'policy', (SELECT relnamespace FROM pg_class c WHERE c.oid = polrelid), oid,
    'pg_policy'::regclass FROM pg_policy
  UNION ALL SELECT 'view', relnamespace, oid, 'pg_class'::regclass FROM pg_class
    WHERE relkind = 'v'
  UNION ALL SELECT 'type', typnamespace, oid, 'pg_type'::regclass FROM pg_type
    WHERE typtype IN ('e', 'd', 'r')) x
JOIN pg_namespace n ON n.oid = space
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND NOT EXISTS (
  SELECT FROM pg_depend d WHERE d.classid = class AND d.objid = x.oid AND d.deptype = 'e')
GROUP BY kind ORDER BY kind;
SELECT format('extension %s in %s', extname, extnamespace::regnamespace)
  FROM pg_extension ORDER BY 1;
"""

# Those left out are written by initdb for the machine it runs on.
_SETTINGS = """
SELECT format('%s = %s', name, setting) FROM pg_file_settings
WHERE name !~* '^lc_|timezone$|^default_text_search_config$|^dynamic_shared_memory_type$'
ORDER BY seqno;
"""


@dataclass(frozen=True, slots=True)
class State:
    """What is on the old server.

    Attributes:
        owner: the superuser that it was made by.
        databases: all of them, but `template0`.
        closed: those that nobody may connect to.
        templates: those that others are made from.
    """

    owner: str
    databases: tuple[str, ...]
    closed: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()


def state(project: Project, server: Server, users: tuple[str, ...]) -> State:
    """Return what is on a server, asked as the first user that it knows.

    Raises:
        StackError: it knows none of them, or has a database that cannot be read.
    """
    *others, last = dict.fromkeys(users)
    answer = ""
    for user in others:
        try:
            answer = Client(project, server, server.port, user).ask(TEMPLATE, _STATE)
        except StackError:
            continue
        break
    found = json.loads(answer or Client(project, server, server.port, last).ask(TEMPLATE, _STATE))
    if found["closed"]:
        text = "nobody may connect to it, so it cannot be moved"
        hint = f'ALTER DATABASE "{found["closed"][0]}" ALLOW_CONNECTIONS true, or drop it'
        raise StackError(f"database {found['closed'][0]}", text, hint=hint)
    templates = tuple(found["templates"] or ())
    return State(found["owner"], tuple(found["open"] or ()), (), templates)


def move(project: Project, new: Server, state: State, report: Report) -> None:
    """Make everything of the old server in the new one, with the new one's programs.

    Raises:
        StackError: a statement failed.
    """
    client = Client(project, new, NEW_PORT, state.owner)
    report(Step("moving the roles"))
    _moved(project, new, state.owner, "")
    for name in state.databases:
        report(Step(f"moving database {name}"))
        _moved(project, new, state.owner, name)
    client_words = ("vacuumdb", "--all", "--analyze-only", "--quiet", "-w", *client.place())
    done = project.runner.capture(new.inside(*client_words))
    if done.code != 0:
        raise servers.failed(project, new.image, "the new databases could not be analysed", done)


def _moved(project: Project, new: Server, owner: str, name: str) -> None:
    """Move one database, or with no name what all of them share."""
    script, what = (_DATABASE, f"database {name}") if name else (_ROLES, "the roles")
    through = TEMPLATE if name == MAINTENANCE else MAINTENANCE
    words = ("bash", "-c", script, "bash", str(OLD_PORT), str(NEW_PORT), owner, through)
    command = new.inside(*words, env={"PGDATABASE": name} if name else {})
    done = project.runner.capture(command)
    wrong = [line for line in done.stderr.splitlines() if "ERROR:" in line or "FATAL:" in line]
    if not name:  # the one role that the new server was made with
        wrong = [line for line in wrong if f'role "{owner}" already exists' not in line]
    if done.code != 0 or wrong:
        raise servers.failed(project, what, "could not be moved", done, wrong)


def compare(project: Project, new: Server, state: State, report: Report) -> None:
    """Require that both servers have the same.

    Raises:
        StackError: they differ; says where.
    """
    report(Step("comparing every table of both servers"))
    old = Client(project, new, OLD_PORT, state.owner)
    fresh = Client(project, new, NEW_PORT, state.owner)
    for name in ("", *state.databases):
        where, text = name or TEMPLATE, OBJECTS + _ROWS if name else _CLUSTER
        # Sorted here: the servers may sort differently.
        before, after = (sorted(each.ask(where, text).splitlines()) for each in (old, fresh))
        if before != after:
            lines = [f"only before: {line}" for line in before if line not in after]
            lines += [f"only now: {line}" for line in after if line not in before]
            what = f"database {name}" if name else "what all databases share"
            raise StackError(what, "is not the same afterwards", detail=tuple(lines[:8]))


def tell(project: Project, new: Server, state: State, report: Report) -> None:
    """Say which settings of the old server's files the new one does not have."""
    old, fresh = (
        Client(project, new, port, state.owner).ask(TEMPLATE, _SETTINGS).splitlines()
        for port in (OLD_PORT, NEW_PORT)
    )
    known = settings(fresh)
    # Names alone: a value may hold a password.
    lost = sorted(key for key, value in settings(old).items() if known.get(key) != value)
    if lost:
        text = f"settings of the old server's files that the new one lacks: {', '.join(lost)}"
        report(Warned(text, "where they are still wanted: ALTER SYSTEM SET, in inv db.shell"))


def settings(lines: list[str]) -> Mapping[str, str]:
    """Return names to values; the last line of a name counts."""
    return dict(line.partition(" = ")[::2] for line in lines)
