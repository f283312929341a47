from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from invoke_stack import events
from invoke_stack.compose.model import HealthCheck
from invoke_stack.engines.containers import Container
from invoke_stack.engines.endpoint import Endpoint
from invoke_stack.errors import ExitCode, StackError, UnreachableError
from invoke_stack.stack.waiting import POLL_S, Watch

Make = Callable[..., Container]
CHECK = HealthCheck(interval_s=1, timeout_s=1, retries=3)  # 3 s
REMOTE = Endpoint("tcp://box:2376")


@dataclass
class FakeEngine:
    """Shows one picture of the containers at each look; the last one stays."""

    pictures: Sequence[Sequence[Container]]
    endpoint: Endpoint = REMOTE
    wrote: str = "boom"
    looks: int = 0
    logs_of: list[tuple[str, int]] = field(default_factory=list)

    def containers(self, project: str) -> tuple[Container, ...]:
        assert project == "shop"
        picture = self.pictures[min(self.looks, len(self.pictures) - 1)]
        self.looks += 1
        return tuple(picture)

    def logs(self, container: str, lines: int, *, since: float = 0.0) -> str:
        self.logs_of.append((container, lines))
        self.since = since
        return self.wrote


@dataclass
class FakeCompose:
    """A `docker compose up` that ends with a code after some looks."""

    looks: int = 0
    code: int = 0
    lines: tuple[str, ...] = ()
    waited: bool = False

    def poll(self) -> int | None:
        self.looks -= 1
        return self.code if self.looks < 0 else None

    def wait(self) -> int:
        self.waited = True
        return self.code

    @property
    def tail(self) -> tuple[str, ...]:
        return self.lines if self.waited else ()


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        assert self.now < 1000, "it waits for ever"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reported() -> list[Any]:
    return []


@pytest.fixture
def watch(clock: Clock, reported: list[Any]) -> Callable[..., Watch]:
    def watch(engine: FakeEngine, *services: str, **more: Any) -> Watch:
        values = {"checks": {}, "report": reported.append, "clock": clock, "sleep": clock.sleep}
        return Watch(engine, "shop", services or ("web",), **(values | more))  # type: ignore[arg-type]

    return watch


def test_the_wait_ends_when_compose_has_and_every_service_is_ready(
    watch: Callable[..., Watch], make_container: Make, clock: Clock
) -> None:
    starting = make_container("db", health="starting")
    engine = FakeEngine(
        [
            [],
            [starting],
            [make_container("db", health="healthy"), make_container("web", state="created")],
            [make_container("db", health="healthy"), make_container("web")],
        ]
    )

    watch(engine, "db", "web", checks={"db": CHECK}).until_ready(FakeCompose(looks=3))

    assert engine.looks > 3
    assert clock.now == pytest.approx((engine.looks - 1) * POLL_S)


def test_ready_services_are_not_enough_while_compose_runs(
    watch: Callable[..., Watch], make_container: Make
) -> None:
    engine = FakeEngine([[make_container(health="healthy")]])

    watch(engine).until_ready(FakeCompose(looks=7))

    assert engine.looks == 8


def test_services_that_were_not_asked_for_are_not_waited_for(
    watch: Callable[..., Watch], make_container: Make
) -> None:
    failed = make_container("other", state="exited", exit_code=1)
    engine = FakeEngine([[failed, make_container(health="healthy")]])

    watch(engine).until_ready(FakeCompose())

    assert engine.looks == 1


def test_a_one_shot_service_that_ends_well_is_success(
    watch: Callable[..., Watch], make_container: Make, reported: list[Any]
) -> None:
    engine = FakeEngine([[make_container("init", state="exited", exit_code=0)]])

    watch(engine, "init").until_ready(FakeCompose())

    assert reported == [events.Progress((events.ServiceProgress("init", "done"),))]


def test_what_ran_before_is_told_with_the_wait_and_not_with_its_age(
    watch: Callable[..., Watch], make_container: Make, reported: list[Any]
) -> None:
    old = make_container(health="healthy", started_at=1.0)

    watch(FakeEngine([[old]], Endpoint("unix:///engine.sock"))).until_ready(FakeCompose())

    assert [row.since_s for table in reported for row in table.services] == [0.0]


def test_the_table_has_a_row_for_every_service_at_every_look(
    watch: Callable[..., Watch], make_container: Make, reported: list[Any]
) -> None:
    engine = FakeEngine([[], [make_container(health="healthy")]])

    watch(engine).until_ready(FakeCompose(looks=1))

    states = [[(row.service, row.state) for row in event.services] for event in reported]
    assert states == [[("web", "waiting")], [("web", "healthy")]]


def test_a_service_that_fails_ends_the_wait_at_once_with_its_last_words(
    watch: Callable[..., Watch], make_container: Make, clock: Clock
) -> None:
    engine = FakeEngine(
        [[make_container("web", state="exited", exit_code=1), make_container("db")]],
        wrote="listening\nError: no DATABASE_URL",
    )

    with pytest.raises(StackError) as caught:
        watch(engine, "db", "web").until_ready(FakeCompose(looks=100))

    assert str(caught.value) == "web: exited with code 1"
    assert caught.value.code == ExitCode.FAILED
    assert caught.value.detail == ("log | listening", "log | Error: no DATABASE_URL")
    assert caught.value.hint.startswith("inv stack.logs -s web")
    assert engine.logs_of == [("web-id", 15)]
    assert clock.now == 0


def test_a_service_that_says_nothing_is_reported_as_silent(
    watch: Callable[..., Watch], make_container: Make
) -> None:
    engine = FakeEngine([[make_container(state="exited", exit_code=1)]], wrote="")

    with pytest.raises(StackError) as caught:
        watch(engine).until_ready(FakeCompose())

    assert caught.value.detail == ("log | (nothing was written)",)


def test_an_unhealthy_service_shows_what_its_check_printed_last(
    watch: Callable[..., Watch], make_container: Make
) -> None:
    probe = "1\n2\ncurl: (7) Failed to connect\nHTTP 000\nexit 7"
    found = make_container(health="unhealthy", health_log=("earlier", probe))

    with pytest.raises(UnreachableError) as caught:
        watch(FakeEngine([[found]])).until_ready(FakeCompose())

    assert caught.value.code == ExitCode.UNREACHABLE
    assert caught.value.detail == (
        "log | boom",
        "health check | 2",
        "health check | curl: (7) Failed to connect",
        "health check | HTTP 000",
        "health check | exit 7",
    )


def test_a_check_without_output_says_so(watch: Callable[..., Watch], make_container: Make) -> None:
    found = make_container(health="unhealthy", health_log=("",))

    with pytest.raises(UnreachableError) as caught:
        watch(FakeEngine([[found]])).until_ready(FakeCompose())

    assert caught.value.detail[-1] == "health check | (no output)"


def test_a_check_that_never_passes_ends_at_its_declared_deadline(
    watch: Callable[..., Watch], make_container: Make, clock: Clock
) -> None:
    engine = FakeEngine([[make_container(health="starting")]])

    with pytest.raises(UnreachableError, match="its health check did not pass in 3 s"):
        watch(engine, checks={"web": CHECK}).until_ready(FakeCompose())

    assert 3 < clock.now <= 3 + 2 * POLL_S


def test_on_this_machine_the_age_is_the_containers_own(
    watch: Callable[..., Watch], make_container: Make, clock: Clock
) -> None:
    found = make_container(health="starting", started_at=1000.0)
    engine = FakeEngine([[found]], Endpoint("unix:///var/run/docker.sock"))

    with pytest.raises(UnreachableError, match="did not pass in 3 s"):
        watch(engine, checks={"web": CHECK}).until_ready(FakeCompose())

    assert clock.now == 0


def test_a_restart_starts_the_deadline_anew(
    watch: Callable[..., Watch], make_container: Make, clock: Clock
) -> None:
    first = [make_container(health="starting", started_at=1000.0)]
    again = [make_container(health="starting", started_at=1002.0, restarts=1)]
    engine = FakeEngine([first] * 10 + [again])

    with pytest.raises(UnreachableError):
        watch(engine, checks={"web": CHECK}).until_ready(FakeCompose())

    assert clock.now > 10 * POLL_S + 3


def test_how_a_replaced_container_ended_is_not_held_against_the_new_one(
    watch: Callable[..., Watch], make_container: Make
) -> None:
    before = make_container(id="old", health="healthy")
    stopped = make_container(id="old", state="exited", exit_code=137)
    after = make_container(id="new", health="healthy", started_at=2000.0)
    engine = FakeEngine([[before], [stopped], [], [after]])

    watch(engine, before=[before]).until_ready(FakeCompose(looks=3))

    assert engine.looks == 4


def test_a_container_that_had_failed_before_and_is_started_again_is_waited_for(
    watch: Callable[..., Watch], make_container: Make
) -> None:
    before = make_container(state="exited", exit_code=1)
    after = make_container(health="healthy", started_at=2000.0)

    watch(FakeEngine([[before], [after]]), before=[before]).until_ready(FakeCompose(looks=1))


def test_the_same_container_failing_anew_is_a_failure(
    watch: Callable[..., Watch], make_container: Make
) -> None:
    before = make_container(state="exited", exit_code=1)
    after = make_container(state="exited", exit_code=3, started_at=2000.0)

    with pytest.raises(StackError, match="exited with code 3"):
        watch(FakeEngine([[after]]), before=[before]).until_ready(FakeCompose(looks=5))


def test_a_container_that_compose_left_stopped_is_a_failure_in_the_end(
    watch: Callable[..., Watch], make_container: Make
) -> None:
    before = make_container(state="exited", exit_code=1)

    with pytest.raises(StackError, match="exited with code 1"):
        watch(FakeEngine([[before]]), before=[before]).until_ready(FakeCompose(looks=2))


def test_restarts_from_before_are_not_counted(
    watch: Callable[..., Watch], make_container: Make
) -> None:
    before = make_container(restarts=7)
    engine = FakeEngine([[make_container(restarts=8)]])

    watch(engine, before=[before]).until_ready(FakeCompose())


def test_restarts_of_this_run_are_counted(
    watch: Callable[..., Watch], make_container: Make
) -> None:
    before = make_container(restarts=7)
    engine = FakeEngine([[make_container(restarts=9, state="restarting", exit_code=1)]])

    with pytest.raises(StackError, match="was restarted 2 times"):
        watch(engine, before=[before]).until_ready(FakeCompose())


def test_the_replica_that_is_furthest_from_ready_stands_for_its_service(
    watch: Callable[..., Watch], make_container: Make
) -> None:
    healthy = make_container(id="1", health="healthy")
    other = make_container(id="2", state="exited", exit_code=4)

    for picture in ([healthy, other], [other, healthy]):
        with pytest.raises(StackError, match="exited with code 4"):
            watch(FakeEngine([picture])).until_ready(FakeCompose())


def test_two_running_replicas_are_ready_when_both_are(
    watch: Callable[..., Watch], make_container: Make
) -> None:
    one, two = make_container(id="1", health="healthy"), make_container(id="2", health="starting")
    both = [one, make_container(id="2", health="healthy")]
    engine = FakeEngine([[one, two], [two, one], both])

    watch(engine).until_ready(FakeCompose())

    assert engine.looks == 3


def test_the_timeout_ends_the_wait_and_names_who_is_late(
    watch: Callable[..., Watch], make_container: Make, clock: Clock
) -> None:
    engine = FakeEngine(
        [[make_container("db", health="healthy"), make_container("web", health="starting")]]
    )

    with pytest.raises(UnreachableError) as caught:
        watch(engine, "db", "web", "init", timeout_s=5).until_ready(FakeCompose(looks=1000))

    assert str(caught.value) == "web, init: not ready within 5 s"
    assert caught.value.hint == "inv stack.logs -s web"
    assert caught.value.detail == ("log | boom",)
    assert 5 < clock.now <= 5 + 2 * POLL_S


def test_the_timeout_counts_while_compose_runs_too(
    watch: Callable[..., Watch], make_container: Make
) -> None:
    engine = FakeEngine([[make_container(health="healthy")]])

    with pytest.raises(UnreachableError) as caught:
        watch(engine, timeout_s=5).until_ready(FakeCompose(looks=10_000))

    assert str(caught.value) == "shop: not ready within 5 s"
    assert caught.value.hint == "inv stack.ps"


def test_a_database_that_knows_another_password_is_told_once(
    watch: Callable[..., Watch], make_container: Make, reported: list[Any]
) -> None:
    up = [make_container("db", health="healthy"), make_container("web", health="starting")]
    ready = [make_container("db", health="healthy"), make_container("web", health="healthy")]
    said = 'FATAL:  password authentication failed for user "app"'
    engine = FakeEngine([up] * 200 + [ready], wrote=said)

    watch(engine, "db", "web", databases=("db",)).until_ready(FakeCompose())

    warnings = [each for each in reported if isinstance(each, events.Warned)]
    assert [each.text for each in warnings] == [
        "db refuses the password of user app: its volume was made with another one"
    ]


def test_a_failing_compose_ends_the_wait_in_its_own_words(
    watch: Callable[..., Watch],
) -> None:
    compose = FakeCompose(looks=2, code=1, lines=("Error response from daemon: no space left",))

    with pytest.raises(StackError) as caught:
        watch(FakeEngine([[]])).until_ready(compose)

    assert str(caught.value) == "docker compose up: no space left"


def test_a_service_that_made_compose_fail_is_blamed_before_compose(
    watch: Callable[..., Watch], make_container: Make
) -> None:
    engine = FakeEngine([[make_container("db", state="exited", exit_code=3)]])
    compose = FakeCompose(code=1, lines=("dependency failed to start: container db exited (3)",))

    with pytest.raises(StackError, match="db: exited with code 3"):
        watch(engine, "db", "web").until_ready(compose)


def test_a_service_without_replicas_is_not_waited_for(
    watch: Callable[..., Watch], make_container: Make
) -> None:
    engine = FakeEngine([[make_container("web")]])

    watch(engine, "web", "worker").until_ready(FakeCompose(looks=2))


def test_a_stack_that_is_taken_down_meanwhile_is_not_waited_for(
    watch: Callable[..., Watch], make_container: Make
) -> None:
    engine = FakeEngine([[make_container(health="starting")], []])

    with pytest.raises(StackError, match="web: its container was removed while it started"):
        watch(engine).until_ready(FakeCompose(looks=1))


@pytest.mark.parametrize(
    ("state", "reason"), [("paused", "docker unpause shop-web-1"), ("created", "not started")]
)
def test_a_container_that_nothing_will_start_is_not_waited_for(
    watch: Callable[..., Watch], make_container: Make, state: str, reason: str
) -> None:
    with pytest.raises(StackError, match=reason):
        watch(FakeEngine([[make_container(state=state)]])).until_ready(FakeCompose())
