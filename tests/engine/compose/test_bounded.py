"""Compose files read without Compose: the same model as the real `docker compose config` gives."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import compose_files
import pytest
from hypothesis import HealthCheck, given, settings
from stacks import EXAMPLES

from invoke_stack.compose import files, keys, model, ports
from invoke_stack.compose.files import ComposeFiles
from invoke_stack.compose.model import Model
from invoke_stack.environment import reading
from invoke_stack.errors import UsageError
from invoke_stack.modes import BUILT_IN, Mode
from invoke_stack.process import SystemRunner
from invoke_stack.project import Project
from invoke_stack.settings import Source, load

PARITY = Path(__file__).parents[2] / "data" / "parity"
ENVIRON = {"HERE": "from the environment", "EMPTY": ""}


def read(root: Path, found: ComposeFiles, engine: str) -> Mapping[str, Any]:
    """Return the tree of some files, by Compose (``engine`` "docker") or without it."""
    base = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    runner = SystemRunner(base)
    project = Project(root, load([Source("test", {"engine": engine})]), runner, base)
    return reading.tree(project, found, {**ENVIRON, "COMPOSE_DISABLE_ENV_FILE": "1"})


def both(root: Path, found: ComposeFiles) -> tuple[Model, Model]:
    """Return the model of Compose and that of our own reader; port variables are compared here."""
    theirs, ours = read(root, found, "docker"), read(root, found, "embedded")
    assert ports.variables(ours) == ports.variables(theirs)
    return model.parse(theirs), model.parse(ours)


def test_every_example_in_every_mode() -> None:
    seen: dict[tuple[Path, ...], ComposeFiles] = {}
    for example in sorted(path.parent for path in EXAMPLES.glob("*/tasks.py")):
        for mode in BUILT_IN:
            found = chosen(example, mode)
            seen |= {found.paths: found} if found is not None else {}

    assert len(seen) >= 7
    for paths, found in seen.items():
        theirs, ours = both(paths[0].parent, found)
        assert theirs == ours, paths
        assert list(theirs.services) == list(ours.services)
        assert len(ours.services) >= 2


def chosen(example: Path, mode: Mode) -> ComposeFiles | None:
    project = Project(example, load([Source("test", {})]), SystemRunner({}), {})
    try:
        return files.find(project, mode, {})
    except UsageError:  # no files for this mode
        return None


@pytest.mark.parametrize("name", sorted(path.stem for path in PARITY.glob("*.txt")))
def test_the_layouts_of_the_parity_tests(name: str, tmp_path: Path) -> None:
    parts = re.split(r"(?m)^=== (.*)\n", (PARITY / f"{name}.txt").read_text("utf-8"))[1:]
    stacks = [(file, text) for file, text in zip(parts[::2], parts[1::2], strict=True)
              if "compose" in file]  # fmt: skip
    for file, text in stacks:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    paths = tuple((tmp_path / file).resolve() for file, _ in stacks)
    assert paths

    theirs, ours = both(tmp_path, ComposeFiles(paths, "", "dev"))

    assert theirs == ours


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(documents=compose_files.stack)
def test_files_that_were_made_up_are_merged_alike(
    documents: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Some 400 services, each over one or two others."""
    paths = []
    for number, document in enumerate(documents):
        paths.append(tmp_path / f"{number}.yml")
        paths[-1].write_text(json.dumps(document))  # every JSON is YAML

    theirs, ours = both(tmp_path, ComposeFiles(tuple(paths), "", "dev"))

    assert theirs == ours


@pytest.mark.parametrize(
    "text",
    [
        "services: {web: {image: x, environment: [A=1], labels: {a: yes, b: 22:22, c: 010}}}",
        "x-a: &a {environment: {A: 1}}\nservices: {web: {<<: *a, image: x, command: a 'b c'}}",
        (
            "services:\n  web: {image: x, network_mode: 'service:db', volumes_from: ['db:ro']}\n"
            "  db: {image: y, tmpfs: /tmp, dns: 1.1.1.1, extra_hosts: ['a:1.2.3.4']}\n"
        ),
        "services: {a: {image: x}}\n---\nservices: {a: {image: y, ports: [80]}}\n",
        "services: {a: {image: x, ports: [22:22, 0o120, 8_0]}}\n",
        "services: {a: {image: x, develop: {watch: [{action: rebuild, path: .}]}}}\n",
        (
            "services: {a: {build: {context: ., ssh: [default], secrets: [one]}}}\n"
            "secrets: {one: {file: x}}\n"
        ),
        "name: My_Shop\nservices: {a: {image: x, profiles: [a, b, a]}}\n",
    ],
)
def test_corners_of_the_language(text: str, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(text)

    theirs, ours = both(tmp_path, ComposeFiles((tmp_path / "compose.yaml",), "", "dev"))

    assert theirs == ours


LISTS = frozenset(
    {
        "cap_add", "cap_drop", "configs", "depends_on", "device_cgroup_rules", "devices", "dns_opt",
        "expose", "external_links", "group_add", "links", "networks", "ports", "post_start",
        "pre_stop", "profiles", "secrets", "security_opt", "volumes", "volumes_from",
    }
)  # fmt: skip
MAPPINGS = frozenset(
    {
        "annotations", "blkio_config", "build", "credential_spec", "deploy", "develop",
        "environment", "extra_hosts", "healthcheck", "labels", "logging", "storage_opt", "sysctls",
        "ulimits",
    }
)  # fmt: skip


def test_every_key_that_is_known_here_is_one_of_composes(tmp_path: Path) -> None:
    body: dict[str, Any] = dict.fromkeys(keys.SERVICE - {"extends"}, "1")
    body |= {key: [] for key in LISTS} | {key: {} for key in MAPPINGS}
    body |= {"cgroup": "host", "gpus": "all", "pull_policy": "always"}
    above: dict[str, Any] = {
        key: {} for key in keys.FILE - {"services", "include", "name", "version"}
    }
    document = above | {"name": "a", "version": "3", "services": {"a": body}, "include": []}
    (tmp_path / "compose.yaml").write_text(json.dumps(document))

    read(tmp_path, ComposeFiles((tmp_path / "compose.yaml",), "", "dev"), "docker")


@pytest.mark.parametrize(
    "text",
    [
        "services: []\n",
        "services: {web: null}\n",
        "services: {web: [a]}\n",
        "services: {web: {image: x, ports: 80}}\n",
        "services: {web: {image: x, environment: a}}\n",
        "services: {web: {image: x, depends_on: db}}\n",
        "services: {web: {image: x, image: y}}\n",
        "services: {web: {image: x, enviroment: {A: 1}}}\n",
        "services: {web: {image: x, X-mine: 1}}\n",
        "service: {web: {image: x}}\n",
        "services: {web: {image: x}}\nX-mine: 1\n",
        "- a\n",
        "# nothing\n",
    ],
)
def test_what_compose_refuses_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text(text)

    for engine in ("docker", "embedded"):
        with pytest.raises(UsageError, match=r"compose\.yaml"):
            read(tmp_path, ComposeFiles((path,), "", "dev"), engine)
