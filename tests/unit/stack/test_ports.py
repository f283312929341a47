from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from invoke_stack.compose.ports import Port
from invoke_stack.engines.containers import Binding, Container
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import ExitCode, UsageError
from invoke_stack.project import Project
from invoke_stack.stack import ports
from invoke_stack.stack.ports import Taken

Make = Callable[..., Container]
Bind = Callable[..., Binding]
Declare = Callable[..., Declared]
MakeProject = Callable[..., Project]


@pytest.fixture
def clash(make_project: MakeProject, make_container: Make) -> Callable[..., tuple[Taken, ...]]:
    """Return what another project's container with one binding takes from us."""

    def clash(port: Port, binding: Binding, **container: str) -> tuple[Taken, ...]:
        other = {"project": "blog", "name": "blog-web-1"} | container
        holder = make_container(bindings=(binding,), **other)
        return ports.taken(make_project(), [port], [holder], name="shop", local=False)

    return clash


def test_a_container_of_another_project_is_named_with_its_folder(
    clash: Callable[..., tuple[Taken, ...]], bind: Bind
) -> None:
    port = Port("web", 80, 3000)

    assert clash(port, bind(3000), folder="/home/me/blog") == (
        Taken(
            port,
            "container blog-web-1 of the Compose project blog in /home/me/blog",
            "stop that one: docker stop blog-web-1",
        ),
    )


def test_a_container_outside_compose_is_named(
    clash: Callable[..., tuple[Taken, ...]], bind: Bind
) -> None:
    found = clash(Port("web", 80, 3000), bind(3000), project="", name="old_pg")

    assert [each.holder for each in found] == ["container old_pg"]


def test_our_own_container_holds_its_port_rightly(
    clash: Callable[..., tuple[Taken, ...]], bind: Bind
) -> None:
    assert clash(Port("web", 80, 3000), bind(3000), project="shop") == ()


@pytest.mark.parametrize(
    ("port", "binding", "taken"),
    [
        (Port("web", 80, 3000), Binding(80, 3001, "tcp", ""), False),
        (Port("web", 80, 3000, "udp"), Binding(80, 3000, "tcp", ""), False),
        (Port("web", 80, None), Binding(80, 3000, "tcp", ""), False),
        (Port("web", 80, 3000, "tcp", "127.0.0.1"), Binding(80, 3000, "tcp", "127.0.0.2"), False),
        (Port("web", 80, 3000, "tcp", "127.0.0.1"), Binding(80, 3000, "tcp", "127.0.0.1"), True),
        (Port("web", 80, 3000, "tcp", "127.0.0.1"), Binding(80, 3000, "tcp", "0.0.0.0"), True),  # noqa: S104
        (Port("web", 80, 3000), Binding(80, 3000, "tcp", "127.0.0.1"), True),
        (Port("web", 80, 3000), Binding(80, 3000, "tcp", "::"), True),
    ],
)
def test_addresses_and_protocols_decide_what_is_taken(
    clash: Callable[..., tuple[Taken, ...]],
    port: Port,
    binding: Binding,
    taken: bool,  # noqa: FBT001
) -> None:
    assert bool(clash(port, binding)) is taken


@pytest.fixture
def listening() -> Iterator[int]:
    """Return a port on which this very process listens."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server.getsockname()[1]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_process_of_this_machine_is_named_with_its_number(
    make_project: MakeProject, listening: int
) -> None:
    port = Port("web", 80, listening)
    program = Path("/proc/self/comm").read_text().strip()

    assert ports.taken(make_project(), [port], [], name="shop", local=True) == (
        Taken(port, f"{program} (process {os.getpid()})", f"end process {os.getpid()}"),
    )


@pytest.mark.parametrize(("protocol", "local"), [("udp", True), ("tcp", False)])
def test_processes_matter_only_for_tcp_ports_of_a_local_engine(
    make_project: MakeProject,
    listening: int,
    protocol: str,
    local: bool,  # noqa: FBT001
) -> None:
    port = Port("web", 80, listening, protocol)

    assert ports.taken(make_project(), [port], [], name="shop", local=local) == ()


def test_a_free_port_is_free(make_project: MakeProject, listening: int) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        free = server.getsockname()[1]
    wanted = [Port("web", 80, free), Port("web", 80, listening, "tcp", "127.0.0.2")]

    assert ports.taken(make_project(), wanted, [], name="shop", local=True) == ()


def test_an_address_that_is_not_ours_is_the_engines_business(make_project: MakeProject) -> None:
    port = Port("web", 80, 3000, "tcp", "192.0.2.1")

    assert ports.taken(make_project(), [port], [], name="shop", local=True) == ()


def test_one_taken_port_names_the_variable_to_change(declare: Declare) -> None:
    declared = declare({}, port_variables={("web", 80): "WEB_PORT"})
    taken = Taken(Port("web", 80, 3000), "node (process 7)", "end process 7")

    problem = ports.error(declared, [taken])

    assert str(problem) == "web: port 3000 is taken by node (process 7)"
    assert problem.hint == "set WEB_PORT to a free port in your env file, or end process 7"
    assert problem.detail == ()
    assert problem.code == ExitCode.USAGE


def test_several_taken_ports_are_all_told_at_once(declare: Declare) -> None:
    found = [
        Taken(Port("web", 80, 3000), "node (process 7)", "end process 7"),
        Taken(Port("db", 5432, 5432), "container pg", "stop that one: docker stop pg"),
    ]

    problem = ports.error(declare({}), found)

    assert problem.hint == (
        "change the published port of web in the compose file, or end process 7"
    )
    assert problem.detail == (
        "port 3000 (web) is held by node (process 7)",
        "port 5432 (db) is held by container pg",
    )


DOUBLED = {"web": {"ports": ["3001:3000", "3000:3000", "9229:9229"]}, "db": {"ports": ["5432"]}}
BOTH = ("compose.yaml", "compose.prod.yaml")


def test_an_override_that_adds_a_port_is_found(declare: Declare) -> None:
    assert list(ports.doubled(declare(DOUBLED, files=BOTH))) == [("web", 3000, (3000, 3001))]


def test_one_file_that_publishes_a_port_twice_means_it(declare: Declare) -> None:
    assert list(ports.doubled(declare(DOUBLED))) == []


def test_one_port_on_two_addresses_is_published_once(declare: Declare) -> None:
    services = {"web": {"ports": ["127.0.0.1:3000:3000", "[::1]:3000:3000"]}}

    assert list(ports.doubled(declare(services, files=BOTH))) == []


def test_tcp_and_udp_are_two_ports(declare: Declare) -> None:
    services = {"dns": {"ports": ["53:53/tcp", "5353:53/udp"]}}

    assert list(ports.doubled(declare(services, files=BOTH))) == []


def test_a_number_above_the_last_port_is_a_usage_error(declare: Declare) -> None:
    with pytest.raises(UsageError) as caught:
        ports.impossible(declare({}), [Port("web", 80, 99999)])

    assert str(caught.value) == "web: there is no port 99999"
    assert "from 1 to 65535" in caught.value.hint


def test_two_services_that_publish_one_port_are_a_usage_error(declare: Declare) -> None:
    wanted = [Port("a", 1, 3000), Port("b", 2, 3000)]

    with pytest.raises(UsageError, match="a and b: both publish port 3000"):
        ports.impossible(declare({}), wanted)


@pytest.mark.parametrize(
    "other",
    [
        Port("a", 2, 3000),
        Port("b", 2, 3001),
        Port("b", 2, None),
        Port("b", 2, 3000, "udp"),
        Port("b", 2, 3000, "tcp", "127.0.0.2"),
    ],
)
def test_ports_that_differ_stand_side_by_side(declare: Declare, other: Port) -> None:
    ports.impossible(declare({}), [Port("a", 1, 3000, "tcp", "127.0.0.1"), other])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_process_that_holds_a_udp_port_is_named(make_project: MakeProject) -> None:
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as holder:
        holder.bind(("127.0.0.1", 0))
        port = Port("dns", 53, holder.getsockname()[1], "udp")

        (found,) = ports.taken(make_project(), [port], [], name="shop", local=True)

    assert found.release == f"end process {os.getpid()}"
