from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from invoke_stack.compose.variables import Variable
from invoke_stack.engines.containers import Container, Volume
from invoke_stack.environment.declared import Declared
from invoke_stack.errors import UsageError
from invoke_stack.stack import blanks

Declare = Callable[..., Declared]


@dataclass
class FakeEngine:
    names: tuple[str, ...] = ()

    def volumes(self, project: str) -> tuple[Volume, ...]:
        return tuple(Volume(f"{project}_{name}", 0) for name in self.names)


def database(**environment: str) -> dict[str, Any]:
    volume = {"type": "volume", "source": "data", "target": "/var/lib/postgresql/data"}
    return {"image": "postgres:16", "environment": environment, "volumes": [volume]}


def test_variables_that_nobody_sets_are_named_with_their_places(declare: Declare) -> None:
    unset = Variable("TITLE", "", None, "", "compose.yaml", 7)

    assert blanks.unset(declare({}, undefined=(unset,))) == (
        "not set anywhere, so empty: TITLE (compose.yaml:7)"
    )
    assert blanks.unset(declare({})) == ""


def test_a_new_database_without_a_password_is_refused(declare: Declare) -> None:
    declared = declare({"db": database(POSTGRES_PASSWORD="")})

    with pytest.raises(UsageError, match="db: POSTGRES_PASSWORD is empty") as caught:
        blanks.passwords(declared, FakeEngine(), (), ("db",))  # type: ignore[arg-type]

    assert "inv env.init" in caught.value.hint


@pytest.mark.parametrize(
    ("body", "volumes"),
    [
        (database(POSTGRES_PASSWORD="x"), ()),
        (database(POSTGRES_PASSWORD="", POSTGRES_HOST_AUTH_METHOD="trust"), ()),
        (database(POSTGRES_PASSWORD=""), ("data",)),
        ({"image": "redis:7", "environment": {"POSTGRES_PASSWORD": ""}}, ()),
    ],
)
def test_what_starts_all_the_same_is_not_refused(
    declare: Declare, body: dict[str, Any], volumes: tuple[str, ...]
) -> None:
    blanks.passwords(declare({"db": body}), FakeEngine(volumes), (), ("db",))  # type: ignore[arg-type]


def test_a_database_that_has_a_container_already_is_left_to_it(
    declare: Declare, make_container: Callable[..., Container]
) -> None:
    declared = declare({"db": database(POSTGRES_PASSWORD="")})

    blanks.passwords(declared, FakeEngine(), (make_container("db"),), ("db",))  # type: ignore[arg-type]
