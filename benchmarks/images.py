"""Builds, sizes and the search for secrets, against Docker's own programs: `python3 images.py`."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from measure import INV, Spent, interleaved, median, run, spread

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
PACKAGE = EXAMPLES.parent / "invoke_stack"
NAME = "invstack-bench-images"
TASKS = "from invoke_stack import namespace\n\nns = namespace()\n"
BUILDING = (*INV, "image.build", "--prod")
BUDGET = 500_000_000

# Steps that wait stand for the minutes of a real build; the rest of it is real.
SLOW = """\
FROM node:22-alpine AS deps
WORKDIR /app
RUN sleep 15 && mkdir node_modules
FROM node:22-alpine AS builder
WORKDIR /app
COPY --from=deps /app/node_modules ./node_modules
RUN sleep 15 && echo built > server.js
FROM node:22-alpine
COPY --from=builder /app /app
"""
LAYERS = "FROM node:22-alpine\n" + "".join(
    f"RUN head -c 200000 /dev/urandom > /layer{number}\n" for number in range(15)
)
# A gigabyte in the end: programs, text, and ten thousand small files.
HUGE = """\
FROM node:22-alpine
COPY token /srv/deep/down/token
RUN rm /srv/deep/down/token
RUN head -c 350000000 /dev/urandom > /programs
RUN yes 'const value = require("module");' | head -c 250000000 > /text.js
RUN mkdir /small && cd /small && for n in $(seq 10000); do echo "const n = $n;" > $n.js; done
USER node
"""

Row = tuple[str, str, str, str, str]


def rows() -> list[Row]:
    """Return the measured rows: what, ours, peer, figure, target."""
    # As pip leaves an installed package; Invoke itself never writes byte code.
    run((sys.executable, "-m", "compileall", "-q", str(PACKAGE)), PACKAGE)
    found = [*_example("hybrid", "docker/.env.docker.example", ".env.local")]
    found += _example("selfhosted", ".env.production.example", ".env.production")
    found += [_cold(), _cached(), _after(), *_search()]
    return found


def _example(name: str, template: str, target: str) -> list[Row]:
    """Build an example from nothing, then with one changed source file."""
    with _folder() as folder:
        shutil.copytree(EXAMPLES / name, folder, dirs_exist_ok=True)
        text = (folder / template).read_text()
        filled = [
            f"{line}{secrets.token_hex(16)}" if line.endswith("=") else line
            for line in text.splitlines()
        ]
        (folder / target).write_text("\n".join(filled) + "\n")
        full = run((*BUILDING, "--no-cache"), folder).wall
        source = next((folder / "src").glob("server.*"))
        source.write_text(f"{source.read_text()}\n// changed\n")
        again = run(BUILDING, folder).wall
        found = json.loads(_output((*INV, "image.size", "--prod", "--json"), folder))
        size = found["images"][0]["bytes"]
    return [
        (f"`{name}`: size of its image", f"{size / 1e6:.0f} MB", "-", f"{size / 1e6:.0f} MB",
         f"< {BUDGET / 1e6:.0f} MB"),
        (f"`{name}`: full build", f"{full:.2f} s", "-", f"{full:.2f} s", "< 180 s"),
        (f"`{name}`: build after a change", f"{again:.2f} s", "-", f"{again:.2f} s", "< 60 s"),
    ]  # fmt: skip


def _cold() -> Row:
    with _built(SLOW) as folder:
        ours, theirs = interleaved(
            lambda: run((*BUILDING, "--no-cache"), folder),
            lambda: run((*_compose("build"), "--no-cache"), folder),
            3,
        )
    ratio = median([each.wall for each in ours]) / median([each.wall for each in theirs])
    return (
        "`image.build` from nothing vs `docker compose build`, 30 s of steps",
        spread([each.wall for each in ours]),
        spread([each.wall for each in theirs]),
        f"{ratio:.3f} ×",
        "≤ 1.05 ×",
    )


def _cached() -> Row:
    with _built(LAYERS) as folder:
        run(BUILDING, folder)
        ours, theirs = interleaved(
            lambda: run(BUILDING, folder), lambda: run(_compose("build"), folder), 7
        )
    more = median([a.wall - b.wall for a, b in zip(ours, theirs, strict=True)])
    return (
        "`image.build`, everything cached, vs `docker compose build`",
        spread([each.wall for each in ours]),
        spread([each.wall for each in theirs]),
        f"{more:+.2f} s",
        "≤ +0.8 s",
    )


def _after() -> Row:
    """Time `image.size` as a whole: what happens after a build, and starting Python too."""
    with _built(LAYERS) as folder:
        run(BUILDING, folder)
        spent = [run((*INV, "image.size", "--prod"), folder).wall for _ in range(5)]
    return (
        "layers and sizes of a 356 MB image with 20 layers (`image.size`, all of it)",
        spread(spent),
        "-",
        f"{median(spent):.2f} s",
        "≤ 1.5 s",
    )


def _search() -> list[Row]:
    secret = "ghp" + "_" + secrets.token_hex(18)
    with _built(HUGE, token=f"token = {secret}\n") as folder:
        run(BUILDING, folder)
        tag = f"{NAME}-app"
        memory: list[int] = []

        def check() -> Spent:
            began = time.perf_counter()
            used = _checked(folder)
            memory.append(used)
            return Spent(time.perf_counter() - began, 0)

        ours, theirs = interleaved(check, lambda: _saved(tag, folder), 3)
        size = int(_output(("docker", "image", "inspect", "--format", "{{.Size}}", tag), folder))
    ratio = median([each.wall for each in ours]) / median([each.wall for each in theirs])
    what = f"`image.check` finds a deleted secret in {size / 1e9:.2f} GB"
    return [
        (f"{what} vs `docker save`", spread([each.wall for each in ours]),
         spread([each.wall for each in theirs]), f"{ratio:.2f} ×", "≤ 3 ×"),
        (f"{what}: memory", f"{max(memory) / 1e6:.0f} MB", "-", f"{max(memory) / 1e6:.0f} MB",
         "≤ 300 MB"),
    ]  # fmt: skip


def _checked(folder: Path) -> int:
    """Run the check; return its largest memory in bytes. A secret that is not found ends it."""
    with tempfile.TemporaryFile() as out:
        argv = (*INV, "image.check", "--prod", "--json")
        child = subprocess.Popen(argv, cwd=folder, stdout=out, stderr=subprocess.DEVNULL)
        _, _, usage = os.wait4(child.pid, 0)
        out.seek(0)
        found = json.load(out)["findings"]
    if not any(each["rule"] == "IMG113" for each in found):
        raise SystemExit("image.check did not find the secret")
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _saved(tag: str, folder: Path) -> Spent:
    return run(("sh", "-c", f"docker save {tag} | cat > /dev/null"), folder)


def _compose(*words: str) -> tuple[str, ...]:
    return ("docker", "compose", "--progress", "plain", *words)


def _output(argv: Sequence[str], folder: Path) -> str:
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


@contextmanager
def _built(dockerfile: str, **files: str) -> Iterator[Path]:
    """Yield a project with one service; its image is gone afterwards."""
    with _folder() as folder:
        (folder / "compose.yaml").write_text("services: {app: {build: .}}\n")
        (folder / "Dockerfile").write_text(dockerfile)
        (folder / "tasks.py").write_text(TASKS)
        for name, text in files.items():
            (folder / name).write_text(text)
        yield folder


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["COMPOSE_PROJECT_NAME"] = NAME
        try:
            yield Path(temporary)
        finally:
            del os.environ["COMPOSE_PROJECT_NAME"]
            _remove()


def _remove() -> None:
    label = f"label=com.docker.compose.project={NAME}"
    argv = ("docker", "image", "ls", "--all", "--quiet", "--filter", label)
    found = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()
    if found:
        words = ("docker", "image", "rm", "--force", *dict.fromkeys(found))
        subprocess.run(words, capture_output=True, check=False)


if __name__ == "__main__":
    for row in rows():
        print(" | ".join(row))
