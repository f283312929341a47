"""PostgreSQL: scripts in place of archives, and what belongs to no single database."""

from __future__ import annotations

from dataclasses import dataclass

_COMPLETE = (b"PostgreSQL database dump complete", b"PostgreSQL database cluster dump complete")


@dataclass(frozen=True, slots=True)
class PostgresExporter:
    """What `Postgres.exporter` is.

    Attributes:
        lock_wait_s: how long a dump waits for tables that a session has locked.
    """

    lock_wait_s: int = 30

    def script(self, *, compressed: bool) -> tuple[str, ...]:
        """Return pg_dump's own script; a bare number is gzip in every version."""
        wait = f"--lock-wait-timeout={self.lock_wait_s}s"
        level = "1" if compressed else "0"
        return ("pg_dump", "--format=plain", f"--compress={level}", wait, "--no-password")

    def globals(self) -> tuple[str, ...]:
        """Return pg_dumpall for roles and tablespaces."""
        return ("pg_dumpall", "--globals-only", "--no-role-passwords", "--no-password")

    def complete(self, last: bytes) -> bool:
        """Return whether the comment that closes every script is there."""
        return any(words in last for words in _COMPLETE)
