from __future__ import annotations

from typing import Any

import pytest

from invoke_stack.compose.merging import merged, unique
from invoke_stack.errors import UsageError


def over(low: dict[str, Any], high: dict[str, Any]) -> Any:
    """Return one service put over another."""
    whole = merged({"services": {"web": low}}, {"services": {"web": high}})
    return unique(whole)["services"]["web"]


def test_mappings_merge_and_scalars_are_replaced() -> None:
    low = {"image": "a", "deploy": {"replicas": 1, "mode": "x"}}

    assert over(low, {"image": "b", "deploy": {"replicas": 2}}) == {
        "image": "b",
        "deploy": {"replicas": 2, "mode": "x"},
    }


def test_nothing_takes_nothing_away() -> None:
    assert over({"image": "a", "ports": [1]}, {"image": None, "ports": None}) == {
        "image": "a",
        "ports": [1],
    }


def test_lists_grow_and_say_everything_once() -> None:
    assert over({"expose": ["1", "2"]}, {"expose": ["2", "3"]}) == {"expose": ["1", "2", "3"]}


@pytest.mark.parametrize("key", ["command", "entrypoint"])
def test_a_command_is_replaced_even_by_nothing(key: str) -> None:
    assert over({key: ["a", "b"]}, {key: "c"}) == {key: "c"}
    assert over({key: ["a", "b"]}, {key: None}) == {key: None}


def test_the_test_of_a_health_check_is_replaced_and_its_timing_kept() -> None:
    low = {"healthcheck": {"test": ["CMD", "a"], "interval": "1s"}}

    assert over(low, {"healthcheck": {"test": "b"}}) == {
        "healthcheck": {"test": "b", "interval": "1s"}
    }


def test_both_forms_of_an_environment_go_together() -> None:
    low = {"environment": {"A": 1, "B": True, "C": None}}

    assert over(low, {"environment": ["A=2", "D"]}) == {"environment": ["A=2", "B=true", "C", "D"]}


def test_both_forms_of_depends_on_go_together() -> None:
    found = over({"depends_on": ["db"]}, {"depends_on": {"db": {"condition": "service_healthy"}}})

    assert found == {"depends_on": {"db": {"condition": "service_healthy", "required": True}}}


def test_both_forms_of_a_build_go_together() -> None:
    assert over({"build": "."}, {"build": {"target": "dev", "args": {"A": 1}}}) == {
        "build": {"context": ".", "target": "dev", "args": {"A": 1}}
    }


def test_env_files_are_told_apart_by_their_path() -> None:
    low = {"env_file": [{"path": ".env", "required": True}]}

    assert over(low, {"env_file": [{"path": ".env", "required": False}, "b.env"]}) == {
        "env_file": [{"path": ".env", "required": False}, "b.env"]
    }


def test_volumes_are_told_apart_by_their_target() -> None:
    low = {"volumes": ["old:/data", {"type": "bind", "source": "x", "target": "/src"}]}

    assert over(low, {"volumes": ["new:/data", "./y:/src"]}) == {
        "volumes": ["new:/data", "./y:/src"]
    }


def test_a_port_in_both_files_is_published_once_and_others_are_added() -> None:
    low = {"ports": [{"target": 80, "published": "8080"}]}
    high = {"ports": [{"target": 80, "published": "8080", "protocol": "tcp"}, {"target": 80}]}

    assert over(low, high) == {
        "ports": [{"target": 80, "published": "8080", "protocol": "tcp"}, {"target": 80}]
    }


def test_a_list_over_a_mapping_is_refused_with_its_path() -> None:
    with pytest.raises(UsageError) as caught:
        over({"healthcheck": {"test": "a"}}, {"healthcheck": ["b"]})

    assert str(caught.value).startswith("services.web.healthcheck: cannot be overridden")


def test_an_extension_is_replaced_as_a_whole() -> None:
    assert merged({"x-a": {"b": 1}}, {"x-a": {"c": 2}}) == {"x-a": {"c": 2}}


def test_nothing_that_was_given_is_changed() -> None:
    low, high = {"services": {"web": {"ports": [1]}}}, {"services": {"web": {"ports": [2]}}}

    merged(low, high)

    assert (low, high) == (
        {"services": {"web": {"ports": [1]}}},
        {"services": {"web": {"ports": [2]}}},
    )
