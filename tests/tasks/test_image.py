"""The image tasks as a user runs them, on a fake engine and fake scanners."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import FakeEngine, Stage

HISTORY = [
    {"CreatedBy": "COPY a b # buildkit", "Size": 600_000_000},
    {"CreatedBy": "", "Size": 5_000_000},
]


@pytest.fixture
def built(stage: Stage, engine: FakeEngine) -> Stage:
    stage.write("Dockerfile", "FROM node:22\nCOPY a b\n")
    stage.stack({"web": {"build": {"context": str(stage.root)}}, "db": {"image": "postgres:16"}})
    engine.images["shop-web"] = {"Id": "sha256:1", "Size": 605_000_000, "RootFS": {}}
    engine.histories["sha256:1"] = HISTORY
    return stage


def program(stage: Stage, name: str, report: Any) -> None:
    path = stage.bin / name
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(report)}\nEND\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_sizes_are_shown_by_layer(built: Stage) -> None:
    ran = built.inv("image.size")

    assert ran.code == 0
    assert "web: shop-web, 605 MB" in ran.out
    assert "600 MB  Dockerfile:2  COPY a b" in ran.out


def test_sizes_as_json(built: Stage) -> None:
    (image,) = built.inv("image.size", "--json").document()["images"]

    assert (image["service"], image["tag"], image["bytes"]) == ("web", "shop-web", 605_000_000)
    assert image["layers"][1] == {
        "bytes": 600_000_000,
        "created_by": "COPY a b",
        "file": "Dockerfile",
        "line": 2,
        "digest": None,
    }


def test_an_image_of_another_mode_is_not_weighed_in_silence(
    built: Stage, engine: FakeEngine
) -> None:
    record = {"web": {"build": "made otherwise", "image": "sha256:1"}}
    built.write(".invoke-stack/builds.json", json.dumps(record))

    ran = built.inv("image.size", "--json")

    assert ran.code == 0
    assert ran.document()["images"][0]["bytes"] == 605_000_000
    assert ran.err == (
        "warning: shop-web was not built from what dev declares: another mode's image\n"
        "  hint: inv image.build --mode dev\n"
    )


@pytest.mark.parametrize(
    ("budget", "code"),
    [
        ("500MB", 3),
        ("{warning: 500MB, error: 1GB}", 0),
        ("{api: 1MB}", 0),
        ("{web: 1MB}", 3),
        ("huge", 2),
    ],
)
def test_the_budget_decides_the_exit_code(built: Stage, budget: str, code: int) -> None:
    built.write("invoke.yaml", f"stack: {{image: {{budget: {budget}}}}}\n")

    assert built.inv("image.size").code == code


def test_an_image_that_was_never_built_names_the_task(built: Stage, engine: FakeEngine) -> None:
    engine.images.clear()

    ran = built.inv("image.size")

    assert ran.code == 2
    assert "inv image.build -s web" in ran.err


def test_a_service_without_build_is_refused(built: Stage) -> None:
    ran = built.inv("image.build", "-s", "db")

    assert ran.code == 2
    assert "db: has no `build:`" in ran.err
    assert built.calls("plain build") == []


def test_the_plan_of_a_build_changes_nothing(built: Stage) -> None:
    before = built.snapshot()

    ran = built.inv("--dry", "image.build", "--no-cache", "--push")

    assert ran.code == 0
    assert "--progress plain build --no-cache --push web" in ran.err
    assert built.calls("build --no-cache") == []
    assert built.snapshot() == before


def test_what_is_not_installed_is_said(built: Stage) -> None:
    program(built, "hadolint", [])

    ran = built.inv("image.scan")

    assert ran.code == 0
    assert "neither trivy nor grype is on PATH" in ran.out
    assert "https://trivy.dev" in ran.out


@pytest.mark.parametrize(("gate", "code"), [("error", 0), ("warning", 3)])
def test_a_scanners_findings_pass_the_gate_or_do_not(built: Stage, gate: str, code: int) -> None:
    found = {"VulnerabilityID": "CVE-1", "PkgName": "ws", "Severity": "MEDIUM"}
    program(built, "trivy", {"Results": [{"Target": "x", "Vulnerabilities": [found]}]})
    program(built, "hadolint", [])

    ran = built.inv("image.scan", "--fail-on", gate)

    assert ran.code == code
    assert "IMG301  web  CVE-1 (medium) in ws" in ran.out


def test_a_scanner_that_fails_is_an_error(built: Stage) -> None:
    path = built.bin / "trivy"
    path.write_text("#!/bin/sh\necho 'no database' >&2; exit 1\n")
    path.chmod(0o755)

    ran = built.inv("image.scan")

    assert ran.code == 1
    assert "trivy: could not scan shop-web" in ran.err
    assert "no database" in ran.err


@pytest.mark.parametrize("task", ["image.check", "image.scan"])
@pytest.mark.parametrize("flag", ["--fail-on", "--format"])
def test_a_word_that_a_flag_does_not_know_is_refused_at_once(
    built: Stage, task: str, flag: str
) -> None:
    assert built.inv(task, flag, "loud").code == 2
    assert built.calls("config") == []


def test_an_engine_that_does_not_answer_ends_a_build_with_6(built: Stage) -> None:
    built.environ["DOCKER_HOST"] = "unix:///nowhere/engine.sock"
    built.answer("plain build", stderr="Cannot connect to the Docker daemon\n", code=1)

    ran = built.inv("image.build")

    assert ran.code == 6
    assert "no engine answers at unix:///nowhere/engine.sock" in ran.err


def test_a_build_shows_time_size_and_what_changed(built: Stage, engine: FakeEngine) -> None:
    log = "#1 [web 1/2] FROM node:22\n#1 CACHED\n#2 [web 2/2] COPY a b\n#2 DONE 0.3s\n"
    built.answer("plain build", log)
    first = built.inv("image.build")
    engine.images["shop-web"]["Size"] += 7_000_000
    engine.histories["sha256:1"] = [{**HISTORY[0], "Size": 607_000_000}, HISTORY[1]]
    second = built.inv("image.build")

    assert (first.code, second.code) == (0, 0)
    assert "first build" in first.out
    assert "web | [2/2] COPY a b: 0.3 s" in first.err
    assert "node:22 0/1" in first.out
    assert "+7 MB  COPY a b (Dockerfile:2)" in second.out


def test_a_failed_build_names_the_line_and_what_was_printed(built: Stage) -> None:
    log = (
        "#2 [web 2/2] COPY a b\n#2 0.1 a is a folder\n"
        '#2 ERROR: process "x" did not complete successfully: exit code: 7\n'
    )
    built.answer("plain build", log, code=17)

    ran = built.inv("image.build")

    assert ran.code == 1
    assert "error: Dockerfile:2: web: [2/2] COPY a b failed: exit code: 7\n" in ran.err
    assert "  a is a folder\n" in ran.err
    assert ".invoke-stack/build.log" in ran.err
