from __future__ import annotations

import pytest

from invoke_stack.findings.model import Finding, Place, Remark, Report, Rule, Suppressed


@pytest.fixture
def report() -> Report:
    """A report with every kind of entry in it."""
    return Report(
        findings=(
            Finding(
                "PAR203",
                "warning",
                "medium",
                "redis",
                "is only in the local stack",
                where=(
                    Place("local", "docker/compose.yml", 29),
                    Place("production", "render.yaml"),
                ),
            ),
            Finding(
                "PAR201",
                "error",
                "high",
                "db",
                "PostgreSQL major differs: production 14, local 11",
                "image: postgres:14-alpine",
                (Place("production", "render.yaml", 93), Place("local", "docker/compose.yml", 4)),
            ),
            Finding(
                "IMG4",
                "info",
                "low",
                "web",
                "holds a file that it does not need",
                where=(Place("image", "/app/.env", 2),),
            ),
        ),
        passes=(Remark("PAR401", "web", "the health path is the same"),),
        unknowns=(
            Remark(
                "PAR003",
                "cache",
                "the production version is not stated",
                "facts: {cache: 8}",
                (Place("production", "render.yaml", 7),),
            ),
        ),
        suppressed=(
            Suppressed(
                Finding("PAR301", "error", "high", "SENTRY_DSN", "is not declared in production"),
                "comes in phase 7",
                Place("settings", "invoke.yaml", 12),
                "2026-12-31",
            ),
        ),
        rules=(Rule("PAR201", "Datastore major differs", "Both sides run the same major."),),
    )
