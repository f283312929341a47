from __future__ import annotations

from collections.abc import Callable

import pytest

from invoke_stack.parity.readers import packages, scripts, shelltext, tags
from invoke_stack.parity.readers.scripts import Where
from invoke_stack.parity.values import Src
from invoke_stack.parity.workspace import Workspace

Make = Callable[..., Workspace]
HERE = Src("render.yaml", 9)


def followed(workspace: Workspace, text: str, folder: str = ".") -> list[tuple[str, str, str]]:
    where = Where(workspace, packages.read(workspace)[0], folder)
    found = scripts.steps(where, text, HERE)
    return [(each.tag, " ".join(each.words), str(each.src)) for each in found]


@pytest.mark.parametrize(
    ("command", "tag"),
    [
        ("prisma migrate deploy", "migrate"),
        ("prisma migrate diff", "other"),
        ("prisma db push --accept-data-loss", "migrate"),
        ("prisma generate", "generate"),
        ("prisma db seed", "seed"),
        ("drizzle-kit push", "migrate"),
        ("alembic upgrade head", "migrate"),
        ("python manage.py migrate --noinput", "migrate"),
        ("python manage.py collectstatic", "build"),
        ("bundle exec rails db:migrate", "migrate"),
        ("node scripts/apply-migrations.mjs", "migrate"),
        ("npm ci", "install"),
        ("pnpm install --frozen-lockfile", "install"),
        ("yarn", "install"),
        ("next build", "build"),
        ("tsc -p .", "build"),
        ("turbo run build", "build"),
        ("next start", "serve"),
        ("node dist/main.js", "serve"),
        ("gunicorn app:app", "serve"),
        ("uvicorn app:app --workers 4", "serve"),
        ("./server", "serve"),
        ("celery -A app worker", "worker"),
        ("node dist/worker.js", "worker"),
        ("node seed.js", "seed"),
        ("tail -f /dev/null", "other"),
    ],
)
def test_a_command_is_tagged_by_what_it_does(command: str, tag: str) -> None:
    assert tags.tag(command.split()) == tag


def test_a_shell_text_is_taken_apart_without_conditions_and_output() -> None:
    text = """#!/bin/sh
set -e
# comment && nothing
echo "run"
npx prisma migrate deploy || echo "go on"
if [ "$X" = 1 ]; then
  node seed.js \\
    --all # why
fi
NODE_ENV=production exec node -e "a && b" --port ${PORT:-80} > /dev/null 2>&1
(cd web && pnpm dev)
"""

    found = [(each.words, each.line, each.guarded) for each in shelltext.commands(text)]

    assert found == [
        (("npx", "prisma", "migrate", "deploy"), 4, True),
        (("node", "seed.js", "--all"), 6, False),
        (("node", "-e", "a && b", "--port", "${PORT:-80}"), 9, False),
        (("cd", "web"), 10, False),
        (("pnpm", "dev"), 10, False),
    ]


def test_package_scripts_are_followed_with_their_pre_and_post(workspace: Make) -> None:
    found = workspace(
        {
            "package.json": '{"scripts": {\n"start": "node a.js",\n'
            '"prestart": "prisma migrate deploy"}}'
        }
    )

    assert followed(found, "pnpm start") == [
        ("migrate", "prisma migrate deploy", "package.json:3"),
        ("serve", "node a.js", "package.json:2"),
    ]


def test_a_workspace_is_found_by_filter_prefix_and_folder(workspace: Make) -> None:
    found = workspace(
        {
            "package.json": '{"scripts": {"build": "turbo run build"}}',
            "apps/web/package.json": '{"name": "@shop/web", "scripts": {"build": "next build"}}',
        }
    )
    expected = [("build", "next build", "apps/web/package.json:1")]

    assert followed(found, "pnpm --filter @shop/web build") == expected
    assert followed(found, "npm run build --prefix apps/web") == expected
    assert followed(found, "cd apps/web && npm run build") == expected
    assert followed(found, "npm run build") == [("build", "turbo run build", "package.json:1")]


def test_scripts_are_followed_two_levels_and_hand_on_their_arguments(workspace: Make) -> None:
    found = workspace({"docker/entrypoint.sh": '#!/bin/sh\nnpx prisma migrate deploy\nexec "$@"\n'})

    assert followed(found, "./docker/entrypoint.sh node server.js") == [
        ("migrate", "prisma migrate deploy", "docker/entrypoint.sh:2"),
        ("serve", "node server.js", "docker/entrypoint.sh:3"),
    ]


def test_scripts_that_call_each_other_end(workspace: Make) -> None:
    found = workspace(
        {
            "a.sh": "sh b.sh\n",
            "b.sh": "sh a.sh\nsh a.sh\n",
            "package.json": '{"scripts": {"x": "npm run x"}}',
        }
    )

    assert len(followed(found, "sh a.sh")) < 10
    assert followed(found, "npm run x")[0][0] == "other"


def test_a_migration_inside_a_node_program_is_seen(workspace: Make) -> None:
    found = workspace({"start.mjs": 'import x\nspawn("npm", ["run", "db:push"])\nserve()\n'})

    assert followed(found, "node start.mjs")[0] == ("migrate", "db:push", "start.mjs:2")


def test_commands_of_the_base_image_s_entrypoint_are_its_arguments(workspace: Make) -> None:
    where = Where(workspace({"a": ""}), {})

    steps = scripts.exec_steps(where, ["docker-entrypoint.sh", "node", "a.js"], HERE)

    assert [each.words for each in steps] == [("node", "a.js")]


def test_no_secret_is_in_a_step(workspace: Make) -> None:
    where = Where(workspace({"a": ""}), {})

    steps = scripts.steps(where, "DB_PASSWORD=hunter2 psql postgres://a:hunter2@b/c", HERE)

    assert "hunter2" not in repr(steps)
