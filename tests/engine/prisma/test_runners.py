"""npm, pnpm, yarn and bun run the project's own scripts, and nobody downloads anything."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from prisma_projects import FIRST

if TYPE_CHECKING:
    from pathlib import Path

    from prisma_projects import App, Begun

SCRIPTS = {"migrate:dev": "prisma migrate dev", "migrate:deploy": "prisma migrate deploy"}
POST = "\nmodel Post {\n  id Int @id\n}\n"


@contextmanager
def refusing() -> Iterator[tuple[dict[str, str], list[bytes]]]:
    """Yield the environment of a network that only listens to who tries, and who did."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    link, _ = server.accept()
                    with link:
                        asked.append(link.recv(200))
                except OSError:
                    return

        threading.Thread(target=listen, daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        names = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "npm_config_registry")
        yield {**dict.fromkeys(names, url), "YARN_NPM_REGISTRY_SERVER": url}, asked


def recorded(app: App, name: str) -> Path:
    """Put a package manager first on PATH that writes down its arguments."""
    assert app.kit is not None
    log, folder = app.folder / "calls.log", app.folder / "recorded"
    folder.mkdir()
    real = app.kit.bin / name if name != "npm" else shutil.which(name, path=app.environ["PATH"])
    script = folder / name
    script.write_text(f'#!/bin/sh\necho "{name} $*" >> "{log}"\nexec "{real}" "$@"\n')
    script.chmod(0o755)
    app.environ["PATH"] = f"{folder}{os.pathsep}{app.environ['PATH']}"
    return log


def through(app: App, name: str) -> None:
    log = recorded(app, name)
    with refusing() as (network, asked):
        app.environ.update(network)
        app.inv("db.migrate", "--prod").ok()
        app.schema(POST)
        app.inv("db.migrate", "--name", "add_post").ok()
        dashes = "-- " if name == "npm" else ""
        assert log.read_text().splitlines() == [
            f"{name} run migrate:deploy",
            f"{name} run migrate:dev {dashes}--name add_post",
        ]
        assert [each[15:] for each in app.names()] == [FIRST[15:], "add_post"]
        assert app.tables() == ["Post", "User", "_prisma_migrations"]
        assert asked == []


def scripts(app: App, manager: str) -> None:
    path = app.folder / "package.json"
    package = json.loads(path.read_text()) | {"scripts": SCRIPTS, "packageManager": manager}
    path.write_text(json.dumps(package))


def npm_gets_the_dashes_before_arguments(app: App) -> None:
    scripts(app, "npm@10.0.0")
    through(app, "npm")


def pnpm_runs_in_the_package_of_a_workspace(app: App) -> None:
    scripts(app, "pnpm@9.0.0")  # another version than the one there is
    package = app.folder / "packages" / "database"
    package.mkdir(parents=True)
    for name in ("package.json", "prisma.config.ts", "prisma", "node_modules"):
        (app.folder / name).rename(package / name)
    app.write("package.json", '{"private": true}')
    app.write("pnpm-workspace.yaml", "packages:\n  - packages/*\n")
    app.prisma_folder = "packages/database/prisma"
    through(app, "pnpm")


def yarn_runs_what_is_installed(app: App) -> None:
    assert app.kit is not None
    modules = app.folder / "node_modules"
    real = modules.resolve()
    modules.unlink()
    app.write("package.json", json.dumps({"name": "app", "scripts": SCRIPTS}))
    # With CI=true it refuses to write a lock file.
    own = "enableImmutableInstalls: false\n"
    app.write(".yarnrc.yml", f"nodeLinker: node-modules\nenableTelemetry: false\n{own}")
    app.write("yarn.lock", "")
    subprocess.run(
        (app.kit.bin / "yarn", "install"),
        cwd=app.folder,
        env={**os.environ, **app.environ, "YARN_ENABLE_NETWORK": "0"},
        check=True,
        capture_output=True,
    )
    shutil.rmtree(modules, ignore_errors=True)
    modules.symlink_to(real)
    through(app, "yarn")


def bun_runs_by_its_lock_file(app: App) -> None:
    path = app.folder / "package.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"scripts": SCRIPTS}))
    app.write("bun.lock", "")
    through(app, "bun")


FRESH = (
    npm_gets_the_dashes_before_arguments,
    pnpm_runs_in_the_package_of_a_workspace,
    yarn_runs_what_is_installed,
    bun_runs_by_its_lock_file,
)


@pytest.mark.parametrize("version", ["7"])
@pytest.mark.parametrize("scenario", FRESH, ids=lambda each: each.__name__)
def test_runners(begun: Begun) -> None:
    begun.result()
