from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from invoke_stack.doctor import check
from invoke_stack.doctor.line import Line, ok
from invoke_stack.doctor.patient import Patient
from invoke_stack.errors import UsageError
from invoke_stack.project import Project


def fine(_: Patient) -> Iterator[Line]:
    yield ok("DOC-NODE", "node", "is there")


def refused(_: Patient) -> Iterator[Line]:
    yield ok("DOC-DISK", "first", "is told before the rest fails")
    raise UsageError("docker", "did not answer", hint="start it")


def broken(_: Patient) -> Iterator[Line]:
    raise ZeroDivisionError
    yield


def test_a_check_that_cannot_look_is_an_unknown_and_hides_no_other(
    make_project: Callable[..., Project],
) -> None:
    checks = (("DOC-DISK", refused), ("DOC-CLOCK", broken), ("DOC-NODE", fine))

    found = check.check(make_project(environ={"DOCKER_HOST": "unix:///none"}), checks)

    assert not found.findings
    assert [each.subject for each in found.passes] == ["first", "node"]
    assert [(each.rule, each.message, each.fix) for each in found.unknowns] == [
        ("DOC-CLOCK", "not looked at: unexpected error (ZeroDivisionError)", "please report it"),
        ("DOC-DISK", "not looked at: did not answer", "start it"),
    ]


def test_checks_wait_beside_each_other(make_project: Callable[..., Project]) -> None:
    meeting = threading.Barrier(12, timeout=10)

    def meets(_: Patient) -> Iterator[Line]:
        meeting.wait()
        yield ok("DOC-NODE", "node", "all were here at one time")

    project = make_project(environ={"DOCKER_HOST": "unix:///none"})
    found = check.check(project, (("DOC-NODE", meets),) * 12)

    assert len(found.passes) == 12
