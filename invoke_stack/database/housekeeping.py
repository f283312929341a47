"""What dead runs and past exchanges left on the server; called under the target's lock."""

from __future__ import annotations

from datetime import timedelta

from invoke_stack import sizes
from invoke_stack.database import admin as admins
from invoke_stack.database import swap, variants
from invoke_stack.database.admin import Admin
from invoke_stack.database.state import Server
from invoke_stack.database.variants import Variant
from invoke_stack.events import Note, Report


def unfinished(admin: Admin, server: Server) -> tuple[Variant, ...]:
    """Return the databases that runs from this folder began and did not finish.

    Under the lock such a run is dead: a live one would hold it.
    """
    found = variants.find(server, admin.target.database, admin.restorer.mark, "new")
    # A dry run has no key: it makes no state folder, which a key is made from.
    return tuple(each for each in found if admin.key in {"", each.mark.by})


def warning(admin: Admin, server: Server) -> str:
    """Return what the question says about what will be dropped on the way, or ""."""
    doomed = unfinished(admin, server)
    listed = ", ".join(f"{each.name} ({_size(each)})" for each in doomed)
    return f"drops {listed}, left by a run that was killed, and " if listed else ""


def done(admin: Admin, server: Server, report: Report) -> Server:
    """Drop and remove all of it; return the server's state afterwards."""
    for path in admin.project.state.glob(f"{admin.key}*.sql"):
        path.unlink(missing_ok=True)
    doomed = unfinished(admin, server)
    for each in doomed:
        admin.drop(each.name)
        report(Note(f"dropped {each.name} ({_size(each)}), left by a run that was killed"))
    _foreign(admin, server, report)
    old = _expired(admin, server)
    for each in old:
        admin.drop(each.name)
        report(Note(f"dropped {each.name} ({_size(each)}), kept for {swap.KEPT_DAYS} days"))
    return admin.server() if doomed or old else server


def _foreign(admin: Admin, server: Server, report: Report) -> None:
    for each in variants.find(server, admin.target.database, admin.restorer.mark, "new"):
        if each.mark.by != admin.key:
            text = f"{each.name} ({_size(each)}) was begun from another folder at {each.mark.at}"
            report(Note(f"{text}; drop it there, or by hand when that run is dead"))


def _expired(admin: Admin, server: Server) -> tuple[Variant, ...]:
    oldest = admins.now() - timedelta(days=swap.KEPT_DAYS)
    return tuple(each for each in swap.kept(admin, server) if each.mark.time < oldest)


def _size(variant: Variant) -> str:
    return sizes.shown(variant.database.bytes)
