from __future__ import annotations

from typing import Any

import expectations
import pytest

FILES = ("render.yaml", "docker/docker-compose.yml", "docker-compose.lite.yaml", "api/Dockerfile")
TEXT = """# Expected findings

| rule | sev | evidence | why |
|---|---|---|---|
| PAR201 | error | render.yaml:20; docker/docker-compose.yml:4 | majors |
| PAR504/502 | warn | `render.yaml:3-5`, api/Dockerfile unused | native |
| PAR202 | warn | lite.yaml:9, :30 | |
| PAR301 | warn (grouped) | STRIPE_API_KEY, `redis` | keys |
| PAR701 | pass | api/Dockerfile:7 | |
| PAR306 | info | `*` | not parity |

## Must stay quiet
- POSTGRES_* belong to the database. mailhog is a dev tool.
- PAR306 must not fire for render.yaml:44.
"""


def finding(rule: str, *places: tuple[str, int], subject: str = "", message: str = "") -> Any:
    where = [{"side": "local", "file": file, "line": line} for file, line in places]
    return {"rule": rule, "subject": subject, "message": message, "where": where}


@pytest.fixture
def rows() -> dict[str, expectations.Expected]:
    found, _ = expectations.read(TEXT, FILES)
    return {min(each.rules): each for each in found}


def test_rows_are_read_with_rules_places_and_whether_they_are_wanted(
    rows: dict[str, expectations.Expected],
) -> None:
    assert [rule for rule, row in rows.items() if row.wanted] == [
        "PAR201", "PAR502", "PAR202", "PAR301",
    ]  # fmt: skip
    assert rows["PAR502"].rules == {"PAR502", "PAR504"}
    assert rows["PAR502"].places == (("render.yaml", 3, 5),)
    assert rows["PAR202"].places == (
        ("docker-compose.lite.yaml", 9, 9), ("docker-compose.lite.yaml", 30, 30),
    )  # fmt: skip
    assert rows["PAR306"].neutral


@pytest.mark.parametrize(
    ("found", "rule", "hit"),
    [
        (finding("PAR201", ("render.yaml", 23)), "PAR201", True),
        (finding("PAR201", ("render.yaml", 24)), "PAR201", False),
        (finding("PAR202", ("render.yaml", 20)), "PAR201", False),
        (finding("PAR504", ("render.yaml", 1)), "PAR502", True),
        (finding("PAR301", subject="REDIS"), "PAR301", True),
        (finding("PAR301", subject="A, STRIPE_API_KEY"), "PAR301", True),
        (finding("PAR301", subject="STRIPE"), "PAR301", False),
    ],
)
def test_a_match_is_the_same_rule_and_a_near_place_or_a_name(
    rows: dict[str, expectations.Expected], found: Any, rule: str, *, hit: bool
) -> None:
    assert expectations.matches(found, rows[rule]) is hit


@pytest.mark.parametrize(
    ("found", "broken"),
    [
        (finding("PAR301", message="keys: POSTGRES_PORT"), True),
        (finding("PAR301", message="keys: STRIPE_API_KEY"), False),
        (finding("PAR203", subject="mailhog"), True),
        (finding("PAR306", ("render.yaml", 44)), True),
        (finding("PAR307", ("render.yaml", 80)), False),
    ],
)
def test_what_must_stay_quiet_is_seen(found: Any, *, broken: bool) -> None:
    _, quiet = expectations.read(TEXT, FILES)
    assert any(expectations.violates(found, each) for each in quiet) is broken
