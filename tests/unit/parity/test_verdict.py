"""What the verdict depends on, what it does not, and what it costs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from invoke_stack.errors import StackError
from invoke_stack.parity import facts
from invoke_stack.parity.check import check
from invoke_stack.project import Project

Lay = Callable[[Mapping[str, str]], Project]
Pair = Callable[[str], dict[str, str]]
DEADLINE_S = 20
"""Loose on purpose: it tells linear from quadratic, not one machine from another."""


def broken(files: dict[str, str]) -> dict[str, str]:
    """Return a pair with several findings."""
    files["render.yaml"] = files["render.yaml"].replace('"16"', '"14"').replace("/health", "/up")
    files["compose.yaml"] = files["compose.yaml"].replace("@db:5432", "@nowhere:5432")
    return files


def verdict(project: Project) -> list[tuple[str, ...]]:
    found = check(project).findings
    return sorted((each.rule, each.severity, each.subject, each.message) for each in found)


def turned(value: Any) -> Any:
    """Return the same data with every mapping in the opposite order."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(value)}
    return [turned(each) for each in value] if isinstance(value, list) else value


def test_the_order_of_keys_does_not_matter(lay: Lay, pair: Pair) -> None:
    before = verdict(lay(broken(pair("next"))))
    assert len(before) > 3
    files = broken(pair("next"))
    for name in ("render.yaml", "compose.yaml"):
        files[name] = yaml.safe_dump(turned(yaml.safe_load(files[name])), sort_keys=False)

    assert verdict(lay(files)) == before


def test_two_runs_say_the_same_in_the_same_order(lay: Lay, pair: Pair) -> None:
    project = lay(broken(pair("next")))
    assert check(project) == check(project)


def test_another_folder_and_files_of_the_developer_do_not_matter(
    lay: Lay, pair: Pair, tmp_path: Path
) -> None:
    project = lay(broken(pair("next")))
    before = verdict(project)
    # What git ignores on one machine is not there for anybody.
    (tmp_path / "compose.override.yml.swp").write_text("x")
    here = Path.cwd()
    try:
        os.chdir("/")
        assert verdict(project) == before
    finally:
        os.chdir(here)


def test_the_facts_hold_no_secret(lay: Lay, pair: Pair) -> None:
    files = pair("next")
    files["compose.yaml"] = files["compose.yaml"].replace(":-change-me}", ":-c4n4ry-0b9a8f}")
    files["compose.yaml"] = files["compose.yaml"].replace("shop:shop@", "shop:c4n4ry-0b9a8f@")
    project = lay(files)

    assert "c4n4ry" not in repr(facts.document(facts.gather(project)))
    assert "c4n4ry" not in repr(check(project))


LAUGHS = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("render.yaml", LAUGHS),
        ("compose.yaml", LAUGHS),
        ("render.yaml", "services:\n" + "  - type: web\n" * 900_000),
        ("render.yaml", "{" * 20_000),
        ("compose.yaml", "services: [1, 2"),
        ("render.yaml", "\x00\x01"),
        ("compose.yaml", "services:\n  web:\n    extends: {service: web}\n"),
        ("render.yaml", "services: nothing\ndatabases: 5\n"),
        ("Dockerfile", "FROM " + "a" * 3_000_000),
        ("Dockerfile", "COPY --from=1 a b\nFROM\n"),
        ("package.json", "[" * 100_000),
    ],
    ids=range(11),
)
def test_hostile_input_ends_in_an_error_or_a_finding_soon(
    lay: Lay, pair: Pair, file: str, text: str
) -> None:
    files = pair("next") | {file: text}
    started = time.monotonic()

    assert told(lay(files))

    assert time.monotonic() - started < DEADLINE_S / 2


def told(project: Project) -> bool:
    """Tell whether a run ended with an error of ours or with findings."""
    try:
        return bool(check(project).findings)
    except StackError as problem:
        return bool(problem.message)


def test_a_link_out_of_the_project_is_not_followed(lay: Lay, pair: Pair, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    (outside / "render.yaml").write_text("services: [{type: web, name: secret-name}]\n")
    files = pair("next")
    del files["render.yaml"]
    project = lay(files)
    (tmp_path / "render.yaml").symlink_to(outside / "render.yaml")

    with pytest.raises(StackError) as refused:
        check(project)

    assert "secret-name" not in str(refused.value)


def test_a_thousand_services_are_read_in_seconds(lay: Lay) -> None:
    def stack(number: int) -> dict[str, str]:
        production, local, files = [], [], {}
        for each in range(number):
            name = f"service-{each}"
            production.append(
                {
                    "type": "web", "name": name, "runtime": "docker", "plan": "starter",
                    "dockerfilePath": f"./{name}/Dockerfile", "dockerContext": f"./{name}",
                    "healthCheckPath": "/health",
                    "envVars": [{"key": f"KEY_{n}", "sync": False} for n in range(5)],
                }
            )  # fmt: skip
            local.append((name, {"build": f"./{name}", "ports": [f"{10000 + each}:3000"],
                                 "environment": {f"KEY_{n}": "x" for n in range(5)}}))  # fmt: skip
            files[f"{name}/Dockerfile"] = "FROM node:22-alpine\nCOPY a.js ./\nUSER node\n"
            files[f"{name}/a.js"] = ""
        files["render.yaml"] = yaml.safe_dump({"services": production})
        files["compose.yaml"] = yaml.safe_dump({"services": dict(local)})
        return files

    project = lay(stack(1000))
    started = time.monotonic()
    report = check(project)
    assert {each.rule for each in report.findings} >= {"PAR402"}
    assert time.monotonic() - started < DEADLINE_S
