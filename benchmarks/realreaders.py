"""Env files as the real programs read them: python-dotenv, Docker Compose, `@next/env`."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from dotenv import dotenv_values

PACKAGE = "@next/env@16"
BATCH = 400
FILE = tuple[str, Mapping[str, str]]
"""A text and the process environment beside it."""

NODE = """
const cases = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const place = require.resolve('@next/env');
process.stdout.write(JSON.stringify(cases.map(([texts, environ]) => {
  delete require.cache[place];
  Object.keys(process.env).forEach(key => delete process.env[key]);
  Object.assign(process.env, environ);
  const lost = [], log = {error: text => lost.push(Number(text.split('/').pop())), info() {}};
  const files = texts.map((contents, i) => ({path: String(i), contents, env: {}}));
  require('@next/env').processEnv(files, '/x', log, true);
  const {__NEXT_PROCESSED_ENV, ...seen} = process.env;
  return [seen, lost];
})));
"""


def python(file: FILE) -> dict[str, str | None]:
    """Return what `dotenv_values` gives."""
    text, environ = file
    before = dict(os.environ)
    try:
        os.environ.clear()
        os.environ.update(environ)
        return dotenv_values(stream=io.StringIO(text.replace("\r\n", "\n").replace("\r", "\n")))
    finally:
        os.environ.clear()
        os.environ.update(before)


def compose(files: Sequence[FILE]) -> list[dict[str, str] | None]:
    """Return what Compose gives each file; None where it refuses it."""
    found: list[dict[str, str] | None] = [None] * len(files)
    groups: dict[tuple[tuple[str, str], ...], list[int]] = {}
    for number, (_, environ) in enumerate(files):
        groups.setdefault(tuple(sorted(environ.items())), []).append(number)
    with tempfile.TemporaryDirectory() as temporary:
        for pairs, numbers in groups.items():
            for start in range(0, len(numbers), BATCH):
                batch = numbers[start : start + BATCH]
                _fill(found, files, batch, dict(pairs), Path(temporary))
    return found


def _fill(
    found: list[dict[str, str] | None],
    files: Sequence[FILE],
    numbers: Sequence[int],
    environ: Mapping[str, str],
    folder: Path,
) -> None:
    """Ask for many files at once; halve the batch where one of them is refused."""
    services = {}
    for number in numbers:
        path = folder / f"{number}.env"
        path.write_bytes(files[number][0].encode())
        services[f"s{number}"] = {"image": "x", "env_file": [str(path)]}
    (folder / "compose.json").write_text(json.dumps({"name": "t", "services": services}))
    done = subprocess.run(
        ("docker", "compose", "-f", folder / "compose.json", "config", "--format", "json"),
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        check=False,
    )
    if done.returncode == 0:
        read = json.loads(done.stdout)["services"]
        for number in numbers:
            values = read[f"s{number}"].get("environment") or {}
            found[number] = {
                key: text.replace("$$", "$") for key, text in values.items() if text is not None
            }
    elif len(numbers) > 1:
        half = len(numbers) // 2
        _fill(found, files, numbers[:half], environ, folder)
        _fill(found, files, numbers[half:], environ, folder)


@contextmanager
def next_package(*more: str) -> Iterator[Path | None]:
    """Yield a folder in which node finds `@next/env`, or None without node, npm or network."""
    if not (shutil.which("node") and shutil.which("npm")):
        yield None
        return
    with tempfile.TemporaryDirectory() as temporary:
        (Path(temporary) / "package.json").write_text('{"private": true}')
        argv = ("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE, *more)
        done = subprocess.run(argv, cwd=temporary, capture_output=True, check=False)
        yield Path(temporary) if done.returncode == 0 else None


def next_env(
    cases: Sequence[tuple[Sequence[str], Mapping[str, str]]], folder: Path
) -> list[tuple[dict[str, str], list[int]]]:
    """Return the environment that `@next/env` leaves behind, and the files it gave up."""
    found = []
    for start in range(0, len(cases), BATCH):
        done = subprocess.run(
            ("node", "-e", NODE),
            cwd=folder,
            input=json.dumps(cases[start : start + BATCH]).encode(),
            capture_output=True,
            check=True,
        )
        found += [(dict(values), list(lost)) for values, lost in json.loads(done.stdout)]
    return found
