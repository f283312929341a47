"""How long the facts of a monorepo take: 250, 500 and 1,000 services on both sides.

Run `python benchmarks/monorepo.py`. For each size: the whole, Compose's own time for the same
file, what is ours beyond it (wall clock and processor), so that growth can be seen.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from invoke_stack.parity import facts
from invoke_stack.parity.check import judge
from invoke_stack.process import SystemRunner
from invoke_stack.project import Project
from invoke_stack.settings import load

SIZES = (250, 500, 1000)
LIMIT_S = 5.0
DOCKERFILE = """\
FROM node:20-alpine
WORKDIR /app
COPY . .
RUN npm ci
USER node
CMD ["npm", "start"]
"""
BLUEPRINT = """\
  - type: web
    name: svc-{n}
    runtime: docker
    plan: starter
    dockerfilePath: ./svc{n}/Dockerfile
    dockerContext: ./svc{n}
    healthCheckPath: /health
    envVars:
      - key: DATABASE_URL
        fromDatabase: {{name: db, property: connectionString}}
"""
SERVICE = """\
  svc-{n}:
    build: ./svc{n}
    environment:
      DATABASE_URL: postgresql://app:${{PASSWORD_{n}:-dev}}@db:5432/shop
    ports: ["{port}:3000"]
    depends_on: [db]
    healthcheck:
      test: ["CMD", "wget", "-qO-", "http://localhost:3000/health"]
"""


def lay(root: Path, size: int) -> None:
    """Write a monorepo of so many services."""
    blueprint, stack = ["services:\n"], ["services:\n  db:\n    image: postgres:16\n"]
    for n in range(size):
        blueprint.append(BLUEPRINT.format(n=n))
        stack.append(SERVICE.format(n=n, port=10000 + n))
        folder = root / f"svc{n}"
        folder.mkdir()
        (folder / "Dockerfile").write_text(DOCKERFILE)
        (folder / "package.json").write_text('{"scripts": {"start": "node server.js"}}')
    blueprint.append('databases:\n  - name: db\n    postgresMajorVersion: "16"\n')
    (root / "render.yaml").write_text("".join(blueprint))
    (root / "compose.yaml").write_text("".join(stack))


def measured(size: int) -> float:
    """Print one row and return the seconds beyond Compose's own."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        lay(root, size)
        argv = ["docker", "compose", "-f", str(root / "compose.yaml"), "config", "--format", "json"]
        started = time.perf_counter()
        subprocess.run(argv, capture_output=True, check=True)
        compose = time.perf_counter() - started
        environ = dict(os.environ)
        project = Project(root, load([]), SystemRunner(environ), environ)
        started, processor = time.perf_counter(), time.process_time()
        found = facts.gather(project)
        read = time.perf_counter() - started
        judge(project, found)
        whole, own = time.perf_counter() - started, time.process_time() - processor
        assert len(found.pairing.processes) == size
    times = f"whole {whole:5.2f} s  reading {read:5.2f} s  compose {compose:5.2f} s"
    print(f"{size:>5}  {times}  processor {own:5.2f} s")
    return own


def main() -> int:
    """Measure every size; 1 when the largest takes longer than the limit."""
    rows = [measured(size) for size in SIZES]
    growth = rows[-1] / rows[0] / (SIZES[-1] / SIZES[0])
    print(f"growth {growth:.2f} (1.00 is linear), limit {LIMIT_S} s")
    return 1 if rows[-1] > LIMIT_S else 0


if __name__ == "__main__":
    sys.exit(main())
