"""A Next.js app reads what `env.show` says, wherever `env.lint` is silent: the real `@next/env`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LOAD = """
const { loadEnvConfig } = require('@next/env');
const quiet = { info() {}, error(text) { throw new Error(text); } };
const { combinedEnv } = loadEnvConfig(process.argv[1], process.argv[2] === 'dev', quiet);
process.stdout.write(JSON.stringify(combinedEnv));
"""
SILENT = {
    ".env": "HOST=localhost\nPORT=3000\nURL=http://${HOST}:${PORT}/x?a=b\nKEPT=base\nEMPTY=\n",
    ".env.development": "KEPT=development\nSPACED='two words'\nPATH_LIKE=a/b:c~d\n",
    ".env.production": "KEPT=production\nLEVEL=warn\n",
    ".env.local": 'KEPT=local\nQUOTED="plain text"\nUNICODE=日本語\n',
}
HEARD = {"COLOUR": "#ff0000", "MONEY": "pa$word", "PART": "a#b"}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which node finds `@next/env`."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("needs node and npm")
    folder = tmp_path_factory.mktemp("next")
    (folder / "package.json").write_text('{"private": true}')
    argv = ("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "@next/env@16")
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("npm cannot install @next/env here")
    return folder


def project(folder: Path, files: dict[str, str]) -> Path:
    (folder / "tasks.py").write_text("from invoke_stack import namespace\n\nns = namespace()\n")
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def inv(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    argv = (sys.executable, "-m", "invoke", *words)
    return subprocess.run(
        argv, cwd=folder, env=environ, capture_output=True, text=True, check=False
    )


def read_by_next(package: Path, folder: Path, mode: str) -> dict[str, str]:
    environ = {"PATH": os.environ["PATH"], "NODE_ENV": "test" if mode == "test" else ""}
    argv = ("node", "-e", LOAD, str(folder), mode)
    done = subprocess.run(
        argv, cwd=package, env=environ, capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("mode", ["dev", "prod"])
def test_next_js_reads_what_env_show_says_where_lint_is_silent(
    package: Path, tmp_path: Path, mode: str
) -> None:
    folder = project(tmp_path, SILENT)

    assert "0 errors, 0 warnings" in inv(folder, "env.lint", f"--{mode}").stdout
    shown = json.loads(inv(folder, "env.show", f"--{mode}", "--json", "--reveal").stdout)["values"]
    seen = read_by_next(package, folder, mode)

    ours = {key: value["value"] for key, value in shown.items() if value["origin"] == "file"}
    assert ours == {key: seen[key] for key in ours}
    assert {"HOST", "URL", "KEPT", "EMPTY", "QUOTED", "UNICODE"} <= set(ours)


@pytest.mark.parametrize("key", HEARD)
def test_lint_speaks_up_where_next_js_reads_something_else(
    package: Path, tmp_path: Path, key: str
) -> None:
    folder = project(tmp_path, {".env": f"{key}={HEARD[key]}\n"})

    assert read_by_next(package, folder, "dev").get(key) != HEARD[key]
    assert "ENV-" in inv(folder, "env.lint").stdout
