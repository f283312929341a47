"""`db.migrate` and `db.status` beside the same Prisma commands typed by hand."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from measure import INV, Spent, interleaved, median, run, spread

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests" / "engine"))

import prisma_projects as projects
from stacks import run_docker

if TYPE_CHECKING:
    from prisma_projects import App

ROUNDS = 5
VERSION = "7"
HAND = ("npx", "--no-install", "prisma")
DIFFERENCE = (
    *("migrate", "diff", "--from-config-datasource"),
    *("--to-schema", "prisma/schema.prisma", "--exit-code"),
)


def rows() -> list[tuple[str, str, str, str, str]]:
    """Return the measured rows: what, ours, peer, figure, target."""
    with tempfile.TemporaryDirectory(prefix="invstack-bench-") as name:
        root = Path(name)
        (root / "npm").mkdir()
        (root / "server").mkdir()
        kit = projects.installed(root / "npm")
        server = projects.server(root / "server")
        try:
            projects.templates(root, kit, server)
            return _rows(lambda **how: projects.app(root, kit, server, VERSION, **how))
        finally:
            words = ("compose", "--project-directory", str(server.folder), "down", "--volumes")
            run_docker(*words, "--timeout", "1", check=False)


def _rows(make: Callable[..., App]) -> list[tuple[str, str, str, str, str]]:
    migrated = make(migrated=True)
    deployed = interleaved(
        lambda: _ours(make(), "db.migrate", "--prod"),
        lambda: _hand(make(), ("migrate", "deploy")),
        ROUNDS,
    )
    looked = interleaved(
        lambda: _ours(migrated, "db.status"),
        lambda: _hand(migrated, ("migrate", "status"), DIFFERENCE),
        ROUNDS,
    )
    (ours, theirs), (status, both) = (
        ([each.wall for each in mine], [each.wall for each in other])
        for mine, other in (deployed, looked)
    )
    return [
        (
            "`db.migrate --prod` vs `npx prisma migrate deploy`",
            spread(ours),
            spread(theirs),
            f"{median(ours) - median(theirs):+.2f} s",
            "≤ +0.6 s",
        ),
        (
            "`db.status` vs `npx prisma migrate status` and `migrate diff`",
            spread(status),
            spread(both),
            f"{median(status) / median(both):.2f} ×",
            "≤ 1.5 ×",
        ),
    ]


def _ours(app: App, *words: str) -> Spent:
    return run((*INV, *words), app.folder, app.environ)


def _hand(app: App, *calls: tuple[str, ...]) -> Spent:
    """Run Prisma as its users do, with the URL that its config asks for."""
    url = (app.folder / ".env").read_text().strip().removeprefix("DATABASE_URL=")
    environ = {**app.environ, "DATABASE_URL": url, "CHECKPOINT_DISABLE": "1"}
    spent = [run((*HAND, *words), app.folder, environ) for words in calls]
    return Spent(sum(each.wall for each in spent), sum(each.cpu for each in spent))
