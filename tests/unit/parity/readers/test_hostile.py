"""Files made to hurt end in a problem or an error, within 2 s of this process and 200 MB."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="measured with POSIX means")

PLAIN = {
    "render.yaml": "services:\n  - {type: web, name: web, runtime: docker, plan: starter}\n",
    "compose.yaml": "services:\n  web:\n    build: .\n",
    "Dockerfile": 'FROM node:20\nCOPY . .\nCMD ["./start.sh"]\n',
}
LAUGHS = "a0: &a0 [x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)
TEN_MB = 10 * 1024 * 1024
DOUBLING = "".join(f"ENV A{n}=$A{n - 1}$A{n - 1}\n" for n in range(1, 80))
CASES: Mapping[str, Mapping[str, str]] = {
    "nothing wrong": {},
    "billion laughs in the blueprint": {"render.yaml": LAUGHS + PLAIN["render.yaml"]},
    "billion laughs in compose": {"compose.yaml": LAUGHS + PLAIN["compose.yaml"]},
    "deep nest": {"render.yaml": "[" * 500_000},
    "10 MB blueprint": {"render.yaml": PLAIN["render.yaml"] + "# x\n" * (TEN_MB // 4)},
    "10 MB compose": {"compose.yaml": PLAIN["compose.yaml"] + "# x\n" * (TEN_MB // 4)},
    "10 MB Dockerfile": {"Dockerfile": PLAIN["Dockerfile"] + "RUN x\n" * (TEN_MB // 6)},
    "10 MB template": {".env.example": "A=b\n" * (TEN_MB // 4)},
    "10 MB package": {"package.json": '{"a": "' + "x" * TEN_MB + '"}'},
    "2 MB script": {"start.sh": "echo a && node b\n" * 120_000},
    "2 MB schema": {"prisma/schema.prisma": "datasource db {\n}\nmodel A {\n a Int\n}\n" * 50_000},
    "growing variables": {"Dockerfile": "FROM a\nENV A0=xxxxxxxx\n" + DOUBLING},
    "extends itself": {"compose.yaml": "services:\n  a: {extends: b}\n  b: {extends: a}\n"},
    "includes itself": {"compose.yaml": "include: [compose.yaml]\n" + PLAIN["compose.yaml"]},
    "scripts in a circle": {"start.sh": "sh ./start.sh\n" * 2000},
    "nested references": {
        "compose.yaml": "services:\n  a:\n    image: " + "${A:-" * 5000 + "}" * 5000
    },
    "control characters": {"render.yaml": "\x00\x01"},
}
PROGRAM = """
import json, os, resource, sys, time
from pathlib import Path
from invoke_stack.errors import MissingProgramError, StackError
from invoke_stack.parity import facts
from invoke_stack.project import Project
from invoke_stack.settings import load

class NoPrograms:
    dry = False
    def capture(self, *_, **__):
        raise MissingProgramError("docker", "not installed")
    attach = start = capture

def peak():
    # What the kernel counts for a process starts with the size of the one that forked it.
    status = Path("/proc/self/status")
    if status.exists():
        line = next(each for each in status.read_text().splitlines() if each.startswith("VmHWM"))
        return int(line.split()[1]) >> 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 20

started = time.process_time()
try:
    found = facts.gather(Project(Path(sys.argv[1]), load([]), NoPrograms(), {}))
    said = [f"{each.src}: {each.message}" for each in found.problems]
except StackError as problem:
    said = [str(problem)]
print(json.dumps({
    "said": said,
    "seconds": time.process_time() - started,
    "megabytes": peak(),
}))
"""


HARMLESS = {
    "nothing wrong", "2 MB script", "2 MB schema", "scripts in a circle", "growing variables",
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_project_ends_in_time_and_in_words(case: str, tmp_path: Path) -> None:
    for name, text in {**PLAIN, **CASES[case]}.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["seconds"] < 2
    assert found["megabytes"] < 200
    # What is only large or winding is read all the same; the rest is a problem, or an error.
    assert bool(found["said"]) == (case not in HARMLESS)
    assert all(len(each) < 500 for each in found["said"])
