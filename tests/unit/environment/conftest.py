from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from invoke_stack.environment.layers import Layer, read

Write = Callable[..., list[Layer]]
Config = Callable[[Mapping[str, object], Mapping[str, str]], dict[str, dict[str, str | None]]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write env files and read them as layers, lowest rank first."""

    def write(files: Mapping[str, str], *, allow: Iterable[str] = ()) -> list[Layer]:
        layers = []
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
            layers.append(read(path, tmp_path, allow=tuple(allow)))
        return layers

    return write


@pytest.fixture
def compose_config(tmp_path: Path) -> Config:
    """Return each service's environment as the real Compose sees it."""
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], check=False).returncode:
        pytest.skip("needs the docker CLI with Compose; no engine")

    def config(
        services: Mapping[str, object], environ: Mapping[str, str]
    ) -> dict[str, dict[str, str | None]]:
        folder = tmp_path / "stack"
        folder.mkdir(exist_ok=True)
        file = folder / "compose.json"
        named = {name: {"image": "x", **body} for name, body in services.items()}
        file.write_text(json.dumps({"name": "t", "services": named}))
        done = subprocess.run(
            [docker, "compose", "-f", file, "config", "--format", "json"],
            env={"PATH": os.environ["PATH"], **environ},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        found = json.loads(done.stdout)["services"]
        return {
            name: {
                key: None if text is None else text.replace("$$", "$")
                for key, text in (body.get("environment") or {}).items()
            }
            for name, body in found.items()
        }

    return config
