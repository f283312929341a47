"""The stack's database: waiting for it, backing it up, proving the backups."""

from __future__ import annotations
