"""Rules about user, health check, port and labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from invoke_stack.images.checks import running
from invoke_stack.images.checks.subject import Subject

MakeSubject = Callable[..., Subject]


def found(subject: Subject) -> list[tuple[str, str]]:
    return [(each.rule, each.severity) for each in running.check(subject)]


def test_a_good_image_has_no_findings(make_subject: MakeSubject) -> None:
    assert found(make_subject(environment={"PORT": "3000"})) == []


@pytest.mark.parametrize("user", ["", "root", "0", "0:0", "root:root"])
def test_root_is_root_however_it_is_written(make_subject: MakeSubject, user: str) -> None:
    assert found(make_subject(config={"User": user})) == [("IMG101", "warning")]
    assert found(make_subject(config={"User": user}, service={"user": "1000:1000"})) == []


def test_outside_production_hardening_is_information(make_subject: MakeSubject) -> None:
    subject = make_subject(config={"User": "", "Healthcheck": None}, production=False)

    assert found(subject) == [("IMG101", "info"), ("IMG102", "info")]


def test_an_entrypoint_that_drops_its_rights_may_start_as_root(make_subject: MakeSubject) -> None:
    layer = {"/usr/local/bin/entry.sh": 'exec gosu node "$@"\n'}
    subject = make_subject(
        layer,
        config={"User": "", "Entrypoint": ["entry.sh"]},
        scripts=("/usr/local/bin/entry.sh",),
    )

    assert found(subject) == []


@pytest.mark.parametrize(
    ("config", "service", "rules"),
    [
        (None, {}, ["IMG102"]),
        ({"Test": ["NONE"]}, {}, ["IMG102"]),
        (None, {"healthcheck": {"test": ["CMD", "node", "-e", "1"]}}, []),
        ({"Test": ["CMD", "wget"]}, {"healthcheck": {"disable": True}}, ["IMG102"]),
        ({"Test": ["CMD", "curl", "x"]}, {}, ["IMG103"]),
        ({"Test": ["CMD", "wget"]}, {"healthcheck": {"test": "curl -f x || exit 1"}}, ["IMG103"]),
        ({"Test": ["CMD", "curl"]}, {"healthcheck": {"test": ["CMD", "wget"]}}, []),
        ({"Test": ["CMD-SHELL", "test -f /tmp/ok"]}, {}, []),
    ],
)
def test_the_stacks_health_check_counts_before_the_images(
    make_subject: MakeSubject, config: Any, service: Any, rules: list[str]
) -> None:
    subject = make_subject(config={"Healthcheck": config}, service=service)

    assert [each[0] for each in found(subject)] == rules


def test_the_fix_of_a_missing_probe_uses_what_is_there(make_subject: MakeSubject) -> None:
    subject = make_subject(config={"Healthcheck": {"Test": ["CMD", "curl", "x"]}})

    (finding,) = running.check(subject)

    assert finding.fix.startswith("wget -q -O /dev/null URL")


@pytest.mark.parametrize(
    ("config", "environment", "words"),
    [
        ({"Cmd": ["next", "start", "-p", "3000"]}, {}, "start command says port 3000"),
        ({"Cmd": ["sh", "-c", "next start -p ${PORT:-3000}"]}, {}, ""),
        ({}, {"PORT": "8080"}, "health check asks port 3000"),
        ({"ExposedPorts": {"3000/tcp": {}}}, {"PORT": "3000"}, ""),
        ({"ExposedPorts": {"80/tcp": {}}}, {"PORT": "3000"}, "EXPOSE 80"),
        ({"ExposedPorts": {"80/tcp": {}}}, {}, ""),
    ],
)
def test_a_port_written_down_beside_port(
    make_subject: MakeSubject, config: Any, environment: dict[str, str], words: str
) -> None:
    said = [
        each.message for each in running.check(make_subject(config=config, environment=environment))
    ]

    assert len(said) == bool(words)
    assert not words or words in said[0]


def test_labels_are_worth_a_word(make_subject: MakeSubject) -> None:
    assert found(make_subject(config={"Labels": None})) == [("IMG109", "info")]
