from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from invoke_stack.compose.model import (
    EnvFile,
    HealthCheck,
    Model,
    Service,
    mapped,
    parse,
    seconds,
)
from invoke_stack.compose.ports import Port, variables


def service(body: Any) -> Service:
    return parse({"services": {"web": body}}).services["web"]


def ports(*entries: Any) -> tuple[Port, ...]:
    return service({"ports": list(entries)}).ports


INTERPOLATED = {
    "name": "shop",
    "networks": {"default": {"name": "shop_default"}},
    "services": {
        "web": {
            "build": {"context": "/p", "dockerfile": "Dockerfile", "target": "dev"},
            "depends_on": {
                "db": {"condition": "service_healthy", "required": True},
                "init": {"condition": "service_completed_successfully", "required": True},
            },
            "environment": {"DATABASE_URL": "postgres://db/app", "PORT": "3000", "EMPTY": None},
            "networks": {"default": None},
            "ports": [
                {"mode": "ingress", "target": 3000, "published": "3001", "protocol": "tcp"},
                {"mode": "ingress", "host_ip": "127.0.0.1", "target": 9229, "protocol": "tcp"},
            ],
            "profiles": ["dev"],
            "restart": "unless-stopped",
        },
        "db": {
            "image": "postgres:16",
            "healthcheck": {
                "test": ["CMD-SHELL", "pg_isready"],
                "timeout": "5s",
                "interval": "1m30s",
                "retries": 5,
                "start_period": "10s",
            },
        },
    },
    "volumes": {"pg": {"name": "shop_pg"}, "cache": {"name": "shop_cache"}},
}


def test_the_interpolated_json_of_compose_is_read() -> None:
    model = parse(INTERPOLATED)

    web, db = model.services["web"], model.services["db"]
    assert model.name == "shop"
    assert model.volumes == ("pg", "cache")
    assert model.profiles() == ("dev",)
    assert web.built
    assert not db.built
    assert web.ports == (Port("web", 3000, 3001), Port("web", 9229, None, "tcp", "127.0.0.1"))
    assert model.ports() == web.ports
    assert web.depends_on == {
        "db": "service_healthy",
        "init": "service_completed_successfully",
    }
    assert web.environment == {"DATABASE_URL": "postgres://db/app", "PORT": "3000", "EMPTY": None}
    assert web.restart == "unless-stopped"
    assert db.health == HealthCheck(90, 5, 5, 10)


RAW = {
    "name": "shop",
    "services": {
        "web": {
            "depends_on": {"db": {"condition": "service_started", "required": True}},
            "env_file": [
                {"path": "/p/.env", "required": True},
                {"path": "/p/b.env", "required": False},
            ],
            "environment": ["A=1", "B", "C=x=y", "D="],
            "healthcheck": {"interval": "10s", "retries": "${R:-3}", "test": "curl"},
            "image": "x",
            "ports": [
                "${IP:-127.0.0.1}:${WEB_PORT:-3000}:3000",
                {"mode": "ingress", "published": "${P:-80}", "target": "${T:?need}"},
                "[::1]:8080:80/udp",
            ],
        },
    },
}


def test_the_raw_json_of_compose_is_read_even_where_references_are_left() -> None:
    web = parse(RAW).services["web"]

    assert web.environment == {"A": "1", "B": None, "C": "x=y", "D": ""}
    assert web.env_files == (EnvFile(Path("/p/.env")), EnvFile(Path("/p/b.env"), required=False))
    assert web.health == HealthCheck(interval_s=10)
    assert Port("web", 80, 8080, "udp", "::1") in web.ports


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        ("3000", [Port("web", 3000, None)]),
        (3000, [Port("web", 3000, None)]),
        ("8080:80", [Port("web", 80, 8080)]),
        ("8080:80/tcp", [Port("web", 80, 8080)]),
        ("53:53/udp", [Port("web", 53, 53, "udp")]),
        ("127.0.0.1:8080:80", [Port("web", 80, 8080, "tcp", "127.0.0.1")]),
        ("127.0.0.1::80", [Port("web", 80, None, "tcp", "127.0.0.1")]),
        ("[::1]:8080:80", [Port("web", 80, 8080, "tcp", "::1")]),
        ("::1:8080:80", [Port("web", 80, 8080, "tcp", "::1")]),
        ("3000-3001", [Port("web", 3000, None), Port("web", 3001, None)]),
        ("8000-8001:80-81", [Port("web", 80, 8000), Port("web", 81, 8001)]),
        ("${UNSET}", []),
    ],
)
def test_short_ports(entry: Any, wanted: list[Port]) -> None:
    assert ports(entry) == tuple(wanted)


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        ({"target": 80}, Port("web", 80, None)),
        ({"target": 80, "published": "8080"}, Port("web", 80, 8080)),
        ({"target": 80, "published": 8080, "protocol": "udp"}, Port("web", 80, 8080, "udp")),
        ({"target": "80", "published": "8080"}, Port("web", 80, 8080)),
        ({"target": 80, "published": "8000-8010"}, Port("web", 80, None)),
        ({"target": 80, "published": "0"}, Port("web", 80, None)),
        ({"target": 80, "published": ""}, Port("web", 80, None)),
        (
            {"target": 80, "published": "8080", "host_ip": "::1", "mode": "host", "name": "x"},
            Port("web", 80, 8080, "tcp", "::1"),
        ),
    ],
)
def test_long_ports(entry: dict[str, Any], wanted: Port) -> None:
    assert ports(entry) == (wanted,)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (None, ()),
        (".env", (EnvFile(Path(".env")),)),
        ([".env", "b.env"], (EnvFile(Path(".env")), EnvFile(Path("b.env")))),
        ([{"path": ".env"}], (EnvFile(Path(".env")),)),
        ([{"path": ".env", "required": False}], (EnvFile(Path(".env"), required=False),)),
        ([{"path": ".env", "format": "raw"}], (EnvFile(Path(".env")),)),
    ],
)
def test_env_files_in_all_forms(value: Any, wanted: tuple[EnvFile, ...]) -> None:
    assert service({"env_file": value}).env_files == wanted


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (None, {}),
        (["db", "redis"], {"db": "service_started", "redis": "service_started"}),
        ({"db": {"condition": "service_healthy"}}, {"db": "service_healthy"}),
        ({"db": None}, {"db": "service_started"}),
    ],
)
def test_dependencies_in_all_forms(value: Any, wanted: dict[str, str]) -> None:
    assert service({"depends_on": value}).depends_on == wanted


def test_a_health_check_without_timing_has_the_engines() -> None:
    found = service({"healthcheck": {"test": ["CMD", "true"]}})

    assert found.health == HealthCheck(30, 30, 3, 0)
    assert found.unchecked is False


@pytest.mark.parametrize(
    "check", [{"disable": True}, {"test": "NONE"}, {"test": ["NONE"]}, {"disable": True, "test": 1}]
)
def test_a_health_check_that_is_switched_off_is_none(check: dict[str, Any]) -> None:
    found = service({"healthcheck": check})

    assert found.health is None
    assert found.unchecked is True


@pytest.mark.parametrize("body", [{}, {"healthcheck": None}, {"healthcheck": {"interval": "5s"}}])
def test_without_a_test_the_images_own_check_applies(body: dict[str, Any]) -> None:
    found = service(body)

    assert found.health is None
    assert found.unchecked is False


def test_the_deadline_is_when_plain_compose_would_give_up() -> None:
    assert HealthCheck(interval_s=10, retries=5, start_period_s=20).deadline_s == 70


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("30s", 30),
        ("1m30s", 90),
        ("1h", 3600),
        ("500ms", 0.5),
        ("1.5s", 1.5),
        ("250us", 0.00025),
        ("", 0),
        (None, 0),
        ("soon", 0),
    ],
)
def test_durations_of_compose_are_seconds(text: object, wanted: float) -> None:
    assert seconds(text) == pytest.approx(wanted)


def test_a_build_is_told_apart_by_all_of_its_section() -> None:
    short, full = service({"build": "."}), service({"build": {"context": ".", "target": "dev"}})
    turned = service({"build": {"target": "dev", "context": "."}})

    assert short.built
    assert short.build != full.build
    assert full.build == turned.build


def test_what_nobody_knows_is_left_alone() -> None:
    document = {
        "x-anything": 1,
        "services": {
            "web": {"image": "x", "develop": {"watch": []}, "models": ["m"]},
            "bare": None,
        },
        "volumes": None,
    }

    model = parse(document)

    assert model.services["web"] == Service("web", image="x")
    assert model.services["bare"] == Service("bare")


def test_a_value_that_is_no_text_is_handed_over_as_compose_writes_it() -> None:
    found = service({"environment": {"A": True, "B": 3000, "C": 1.5}})

    assert found.environment == {"A": "true", "B": "3000", "C": "1.5"}


@pytest.mark.parametrize("document", [{}, {"services": None}, {"services": [], "volumes": []}])
def test_an_empty_document_is_an_empty_stack(document: dict[str, Any]) -> None:
    assert parse(document) == Model("", {})


def test_secret_parts_show_in_no_representation() -> None:
    found = service({"build": {"args": {"T": "canary"}}, "environment": {"T": "canary"}})

    assert "canary" not in repr(found)


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        ("${WEB_PORT:-3000}:3000", "WEB_PORT"),
        ("$WEB_PORT:3000/tcp", "WEB_PORT"),
        ("${WEB_PORT:?say which}:3000", "WEB_PORT"),
        ("127.0.0.1:${WEB_PORT}:3000", "WEB_PORT"),
        ("${HOST_IP:-127.0.0.1}:${WEB_PORT:-3000}:3000", "WEB_PORT"),
        ("[::1]:${WEB_PORT:-3000}:3000", "WEB_PORT"),
        ("${WEB_PORT:-${PORT:-3000}}:3000", "WEB_PORT"),
        ({"target": 3000, "published": "${WEB_PORT:-3000}"}, "WEB_PORT"),
        ({"target": 3000, "published": "3000"}, None),
        ("${HOST_IP:-127.0.0.1}:3001:3000", None),
        ("3000:3000", None),
        ("3000", None),
    ],
)
def test_the_variable_behind_a_published_port(entry: Any, wanted: str | None) -> None:
    found = variables({"services": {"web": {"ports": [entry]}, "db": None}})

    assert found == ({("web", 3000): wanted} if wanted else {})


def test_every_text_of_a_tree_is_changed_and_no_key() -> None:
    tree = {"a": ["x", 1, None, {"b": "y"}], "c": True}

    assert mapped(tree, str.upper) == {"a": ["X", 1, None, {"b": "Y"}], "c": True}


def test_a_range_of_ports_without_end_is_cut() -> None:
    found = parse({"services": {"web": {"ports": ["1-99999999999"]}}})

    assert len(found.ports()) <= 65536


@pytest.mark.parametrize("args", [{"A": "1", "B": None}, ["A=1", "B"]])
def test_build_arguments_are_read(args: Any) -> None:
    found = parse({"services": {"web": {"build": {"context": ".", "args": args}}}})

    assert found.services["web"].build_args == {"A": "1", "B": None}
