"""Generated secrets of every kind in every quoting, read back by readers of env files.

`python3 benchmarks/generated.py`; the tests do a tenth of the emulated readings.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import realreaders

from invoke_stack.environment import secretgen
from invoke_stack.environment.lint import readers, statements

EACH = 10_000
FILE_OF = 1_000
"""Keys in one file."""

QUOTES = {"unquoted": "", "single": "'", "double": '"'}
DOTENV = "dotenv@17"
Row = tuple[str, str, str, str, str]

NODE = """
const {parse} = require('dotenv');
const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(texts.map(text => parse(text))));
"""


def batches(each: int) -> Iterator[dict[str, str]]:
    """Yield that many secrets of every kind, in batches of one file each, by a key."""
    for kind in secretgen.KINDS:
        generator = secretgen.parse(kind, "benchmark")
        for start in range(0, each, FILE_OF):
            numbers = range(start, min(start + FILE_OF, each))
            yield {f"{kind.upper()}_{number}": generator.make() for number in numbers}


def text(made: Mapping[str, str], quote: str) -> str:
    """Return an env file with the secrets in one quoting."""
    return "".join(f"{key}={quote}{value}{quote}\n" for key, value in made.items())


def changed(made: Mapping[str, str]) -> Iterator[str]:
    """Yield reader, quoting and key wherever an emulated reader gives another value."""
    for name, quote in QUOTES.items():
        written = text(made, quote)
        found = readers.read(written, statements.parse(written), {})
        seen = {"python-dotenv": found.python, "Compose": found.compose, "Next.js": found.node}
        for reader, values in seen.items():
            if values != made:
                wrong = [key for key in {*values, *made} if values.get(key) != made.get(key)]
                yield from (f"{reader}, {name}: {key} = {made.get(key)}" for key in wrong)


def rows() -> list[Row]:
    """Return the measured rows: what, ours, peer, figure, target."""
    every = list(batches(EACH))
    wrong = sum(1 for made in every for _ in changed(made))
    count = sum(map(len, every))
    what = f"{EACH:,} secrets of each of {len(secretgen.KINDS)} kinds, unquoted, single, double"
    emulated = f"{3 * len(QUOTES) * count:,} readings"
    row = (f"{what}: changed by our three emulated readers", emulated, "-", str(wrong), "0")
    return [row, *_real(every, what)]


def _real(every: list[dict[str, str]], what: str) -> Iterator[Row]:
    wanted = [made for made in every for _ in QUOTES]
    files = [text(made, quote) for made in every for quote in QUOTES.values()]
    cases = [(each, dict[str, str]()) for each in files]
    seen = {
        "python-dotenv": [realreaders.python(case) for case in cases],
        "`docker compose config`": realreaders.compose(cases),
    }
    with realreaders.next_package(DOTENV) as folder:
        if folder is not None:
            node = realreaders.next_env([([each], {}) for each in files], folder)
            seen["`@next/env` 16"] = [values for values, _ in node]
            seen["`dotenv` 17"] = _dotenv(files, folder)
    for reader, found in seen.items():
        pairs = zip(found, wanted, strict=True)
        wrong = sum(
            values is None or values.get(k) != v for values, m in pairs for k, v in m.items()
        )
        total = f"{sum(map(len, wanted)):,} readings"
        yield (f"{what}: changed by the real {reader}", total, "-", str(wrong), "0")


def _dotenv(files: list[str], folder: Path) -> list[dict[str, str]]:
    done = subprocess.run(
        ("node", "-e", NODE),
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        input=json.dumps(files).encode(),
        capture_output=True,
        check=True,
    )
    return [dict(each) for each in json.loads(done.stdout)]


if __name__ == "__main__":
    for row in rows():
        print(" | ".join(row))
