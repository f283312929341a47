"""The project's own scripts: used where they do the same, and nothing else with it."""

from __future__ import annotations

import pytest

from invoke_stack.prisma import scripts


@pytest.mark.parametrize(
    ("action", "name", "body"),
    [
        ("dev", "migrate:dev", "prisma migrate dev"),
        ("dev", "db:migrate", "dotenv -e ../../.env -- prisma migrate dev"),
        ("deploy", "db:deploy", "npx prisma migrate deploy"),
        ("deploy", "prisma:migrate:deploy", "prisma migrate deploy"),
        ("generate", "db:generate", "prisma generate"),
        ("studio", "studio", "prisma studio"),
        ("seed", "db:seed", "tsx scripts/fill.ts"),
    ],
)
def test_a_script_is_taken_by_name_and_by_what_it_does(action: str, name: str, body: str) -> None:
    assert scripts.choose(action, {name: body}, arguments=False) == name


@pytest.mark.parametrize(
    ("action", "name", "body"),
    [
        ("dev", "db:migrate", "prisma migrate deploy"),
        ("deploy", "db:migrate", "prisma migrate dev"),
        ("dev", "db:migrate", "inv db.migrate"),
        ("deploy", "db:deploy", "DATABASE_URL=$PROD_URL prisma migrate deploy"),
        ("deploy", "db:deploy", "env-cmd -f .env.prod prisma migrate deploy"),
        ("deploy", "db:deploy", "dotenv -e .env.prod -o -- prisma migrate deploy"),
        ("deploy", "db:deploy", "prisma migrate deploy --schema other/schema.prisma"),
        ("seed", "seed", "inv db.seed"),
        ("generate", "build", "prisma generate"),
    ],
)
def test_a_script_that_does_something_else_is_passed_over(
    action: str, name: str, body: str
) -> None:
    assert scripts.choose(action, {name: body}, arguments=False) == ""


def test_arguments_must_reach_prisma_and_not_the_program_after_it() -> None:
    own = {"migrate:dev": "prisma migrate dev && prisma generate"}
    assert scripts.choose("dev", own, arguments=False) == "migrate:dev"
    assert scripts.choose("dev", own, arguments=True) == ""
    own["db:migrate"] = "pnpm build && prisma migrate dev"
    assert scripts.choose("dev", own, arguments=True) == "db:migrate"
