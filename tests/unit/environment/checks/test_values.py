"""What `env.check` says about keys and their values."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from invoke_stack.findings import document, text
from invoke_stack.findings.model import Report

Told = Callable[..., list[tuple[str, str, str]]]
Check = Callable[..., Report]
STRONG = "a1b2c3d4e5f60718" * 4
TEST_KEY, LIVE_KEY = "sk_" + "test_abc123def456", "sk_" + "live_abc123def456"


def one(template: str, env: str) -> dict[str, str]:
    return {".env.example": template, ".env": env}


def test_a_project_in_order_has_no_findings_and_says_what_was_checked(checked: Check) -> None:
    report = checked(one("# @required\nJWT_SECRET=\nPORT=1\n", f"JWT_SECRET={STRONG}\nPORT=3000\n"))

    assert report.findings == ()
    assert {each.rule for each in report.passes} >= {"ENV-MISSING", "ENV-TRACKED", "ENV-WEAK"}


@pytest.mark.parametrize(
    ("template", "env", "mode", "expected"),
    [
        ("# @required\nA=\n", "B=\n", "", ("ENV-MISSING", "error", "A")),
        ("A=1\n", "", "", ("ENV-MISSING", "warning", "A")),
        ("A=1\n", "", "prod", ("ENV-MISSING", "error", "A")),
        ("# @required\nA=\n", "A=\n", "", ("ENV-EMPTY", "error", "A")),
        ("JWT_SECRET=\n", "JWT_SECRET=\n", "", ("ENV-EMPTY", "warning", "JWT_SECRET")),
        ("JWT_SECRET=\n", "JWT_SECRET=\n", "prod", ("ENV-EMPTY", "error", "JWT_SECRET")),
        ("A_SECRET=\n", "A_SECRET=CHANGE_ME\n", "", ("ENV-PLACEHOLDER", "warning", "A_SECRET")),
        ("A_SECRET=\n", "A_SECRET=CHANGE_ME\n", "prod", ("ENV-PLACEHOLDER", "error", "A_SECRET")),
        ("A_SECRET=\n", "A_SECRET=a-secret\n", "", ("ENV-PLACEHOLDER", "warning", "A_SECRET")),
        ("NAME=\n", "NAME=<name>\n", "prod", ("ENV-PLACEHOLDER", "warning", "NAME")),
        (
            "DB_PASSWORD=shop_dev\n",
            "DB_PASSWORD=shop_dev\n",
            "",
            ("ENV-PLACEHOLDER", "info", "DB_PASSWORD"),
        ),
        (
            "DB_PASSWORD=shop_dev\n",
            "DB_PASSWORD=shop_dev\n",
            "staging",
            ("ENV-PLACEHOLDER", "error", "DB_PASSWORD"),
        ),
        (
            "DB_URL=x\n",
            "DB_URL=postgres://a:changeme@db/a\n",
            "prod",
            ("ENV-PLACEHOLDER", "error", "DB_URL"),
        ),
        ("DB_PASSWORD=\n", "DB_PASSWORD=kurz7xQ\n", "", ("ENV-WEAK", "warning", "DB_PASSWORD")),
        ("DB_PASSWORD=\n", "DB_PASSWORD=kurz7xQ\n", "prod", ("ENV-WEAK", "error", "DB_PASSWORD")),
        ("JWT_SECRET=\n", "JWT_SECRET=a7xQ9kLm2p\n", "prod", ("ENV-WEAK", "error", "JWT_SECRET")),
        ("JWT_SECRET=\n", f"JWT_SECRET={'ab' * 20}\n", "prod", ("ENV-WEAK", "error", "JWT_SECRET")),
        ("PAY=\n", f"PAY={TEST_KEY}\n", "prod", ("ENV-PLACEHOLDER", "error", "PAY")),
        ("PAY=\n", f"PAY={LIVE_KEY}\n", "", ("ENV-PLACEHOLDER", "warning", "PAY")),
        ("PORT=1\n", "PORT=80x\n", "", ("ENV-TYPE", "warning", "PORT")),
        ("PORT=1\n", "PORT=80x\n", "prod", ("ENV-TYPE", "error", "PORT")),
        ("# @type=enum(a,b)\nA=a\n", "A=c\n", "", ("ENV-TYPE", "error", "A")),
        ("A=1\n", "A=1\nB=2\n", "", ("ENV-EXTRA", "info", "B")),
        ("A=1\n", "A=1\nB=2\n", "prod", ("ENV-EXTRA", "warning", "B")),
        ("A=1\n", "A=1\nA=2\n", "", ("ENV-DUP", "warning", "A")),
        ("A=1\n", "A=1\nPATH=/x\n", "", ("ENV-RESERVED", "error", "PATH")),
        ("A=1\n", "A=1\nB='it's'\n", "", ("ENV-SYNTAX", "error", ".env")),
        ("A=1\n", "A=1${A}\n", "", ("ENV-REF", "error", ".env")),
        ("VITE_SECRET=\n", f"VITE_SECRET={STRONG}\n", "", ("ENV-PUBLIC", "error", "VITE_SECRET")),
    ],
)  # fmt: skip
def test_each_rule_has_its_severity_in_each_mode(
    told: Told, template: str, env: str, mode: str, expected: tuple[str, str, str]
) -> None:
    found = told(one(template, env), mode=mode)

    assert [each for each in found if each[0] == expected[0]] == [expected]


@pytest.mark.parametrize(
    ("template", "env", "mode"),
    [
        ("STRIPE_KEY=\n", f"STRIPE_KEY={TEST_KEY}\n", ""),
        ("STRIPE_KEY=\n", f"STRIPE_KEY={LIVE_KEY}\n", "prod"),
        ("STRIPE_SECRET_KEY=\n", "STRIPE_SECRET_KEY=\n", "prod"),
        ("# @sensitive\nA=\nB=1\n", "B=1\n", "prod"),
        ("A=1\n# B=2\n", "A=1\nB=3\n", "prod"),
        ("A=1\nB=2\n", "A=1\n# B=2\n", ""),
        ("NEXT_PUBLIC_MAPS_API_KEY=\n", f"NEXT_PUBLIC_MAPS_API_KEY={STRONG}\n", ""),
        ("A=1\n", "A=1\nCOMPOSE_PROFILES=x\nNODE_ENV=production\n", "prod"),
        ("DB_PASSWORD=x9kQ\n", "DB_PASSWORD=x9kQlonger4Z\n", "prod"),
    ],
)
def test_what_is_fine_is_not_told(told: Told, template: str, env: str, mode: str) -> None:
    assert told(one(template, env), mode=mode) == []


def test_a_type_names_the_line_that_asked_for_it(checked: Check) -> None:
    (found,) = checked(one("# One.\n# @type=port\nA=1\n", "\nA=none\n")).findings

    assert found.message == "not a port (1 to 65535); asked for by .env.example:2"
    assert [str(place) for place in found.where] == [".env:2", ".env.example:2"]


def test_an_example_of_the_template_is_offered(checked: Check) -> None:
    (found,) = checked(one("# @required @example=https://x\nA=\n", "A=\n")).findings

    assert found.fix == "give it a value in .env, for example https://x"


def test_a_misspelled_key_names_the_one_that_is_meant(checked: Check) -> None:
    found = checked(one("JWT_SECRET=\n", f"JWT_SERCET={STRONG}\n")).findings

    assert {(each.rule, each.severity) for each in found} >= {("ENV-EXTRA", "warning")}
    assert "did you mean JWT_SECRET?" in " ".join(each.message for each in found)


def test_a_file_that_is_not_there_is_one_finding(told: Told) -> None:
    files = {".env.example": "A=1\nB=2\n", "api/.env.example": "# @required\nC=\n"}

    assert told(files) == [
        ("ENV-MISSING", "error", "api/.env"),
        ("ENV-MISSING", "warning", ".env"),
    ]


def test_a_value_from_the_process_counts(told: Told) -> None:
    assert told({".env.example": "# @required\nA=\n"}, environ={"A": "1"}) == []


def test_a_default_of_the_compose_file_is_fine_in_dev_and_an_error_in_prod(told: Told) -> None:
    stack = "services:\n  db:\n    image: x:${DB_PASSWORD:-shop_dev}\n"
    files = {
        "compose.yaml": stack,
        ".env.example": "# @sensitive\nDB_PASSWORD=\nA=1\n",
        ".env": "A=1\n",
    }

    assert told(files) == []
    assert told(files, mode="prod") == [("ENV-PLACEHOLDER", "error", "DB_PASSWORD")]


def test_what_the_compose_file_requires_is_missing_with_its_line(checked: Check) -> None:
    stack = "services:\n  web:\n    image: x:${TAG:?say which}\n"
    (found,) = checked({"compose.yaml": stack, ".env.example": "A=1\n", ".env": "A=1\n"}).findings

    assert (found.rule, found.subject, str(found.where[0])) == (
        "ENV-MISSING",
        "TAG",
        "compose.yaml:3",
    )
    assert "say which" in found.message


def test_an_env_file_that_nothing_makes_is_missing_only_where_its_service_runs(told: Told) -> None:
    stack = "services:\n  web:\n    image: x\n    env_file: [web.env]\n    profiles: [prod]\n"
    files = {"compose.yaml": stack, ".env.example": "A=1\n", ".env": "A=1\n"}

    assert told(files) == []
    assert told(files, mode="prod") == [("ENV-MISSING", "error", "web.env")]


def test_everything_is_told_at_once_the_worst_first_and_never_with_a_value(checked: Check) -> None:
    secret = "kurz7xQcanary"[:11]
    files = one(
        "# @required\nGONE=\nDB_PASSWORD=\nPORT=1\nA=1\n",
        f"DB_PASSWORD={secret}\nPORT=canaryport\nPATH=/canary\nX='canary'x\nA=1\nA=2\nEXTRA=canary\n",
    )
    report = checked(files, mode="prod")

    severities = [each.severity for each in report.findings]
    assert severities == sorted(severities, key=["error", "warning", "info"].index)
    assert {each.rule for each in report.findings} == {
        "ENV-MISSING",
        "ENV-WEAK",
        "ENV-TYPE",
        "ENV-RESERVED",
        "ENV-SYNTAX",
        "ENV-DUP",
        "ENV-EXTRA",
    }
    for written in (text.write(report), document.write(report)):
        assert "canary" not in written
        assert secret not in written


def test_a_project_without_a_template_says_what_is_not_known(checked: Check) -> None:
    report = checked({".env": f"JWT_SECRET={STRONG}\n"})

    assert report.findings == ()
    assert "no template" in " ".join(each.message for each in report.unknowns)


def test_a_line_that_next_reads_differently_is_told_by_the_check_too(checked: Check) -> None:
    report = checked({".env": f"JWT_SECRET={STRONG}\nCOLOUR=#ff0000\n"})

    assert [each.rule for each in report.findings] == ["ENV-NEXT"]


def test_a_line_that_readers_differ_on_is_told_whatever_else_is_said_of_it(told: Told) -> None:
    found = told({".env.example": "A=1\n", ".env": "A=1\nEXTRA=b#c\n"})

    assert {rule for rule, _, subject in found if subject == "EXTRA"} == {"ENV-EXTRA", "ENV-NEXT"}
