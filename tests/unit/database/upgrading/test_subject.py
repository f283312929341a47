from typing import Any

import pytest

from invoke_stack.compose.model import Service
from invoke_stack.database.postgres import Postgres
from invoke_stack.database.target import Target
from invoke_stack.database.upgrading import subject
from invoke_stack.database.upgrading.subject import Subject
from invoke_stack.database.upgrading.volumes import Cluster, Volume
from invoke_stack.database.values import Login
from invoke_stack.engines import containers
from invoke_stack.errors import ExitCode, StackError

OLD = Cluster("16", ".")


def found(**volume: Any) -> Subject:
    service = Service("pg", image="postgres:17")
    target = Target("shop", "pg", "id", Postgres(), Login("app", "shop"))
    held = Volume("shop_data", **{"clusters": (OLD,), **volume})
    return Subject("shop", service, containers.from_inspect({}), held, ".", "17", target, {})


def test_one_cluster_of_an_older_version_can_be_upgraded() -> None:
    subject.require_older(found())

    assert found().helper("old") == "shop-pg-upgrade-old"


@pytest.mark.parametrize(
    ("volume", "code", "said", "way"),
    [
        ({"clusters": ()}, 2, "holds no cluster", "inv stack.up"),
        (
            {"clusters": (Cluster("18", "."),)},
            2,
            "of PostgreSQL 18, its image of 17: there is no way down",
            "inv db.upgrade --undo",
        ),
        (
            {"clusters": (OLD, Cluster("15", "old"))},
            2,
            "more than one: PostgreSQL 16 in . and PostgreSQL 15 in old",
            "move one out",
        ),
        ({"elsewhere": ("tablespaces",)}, 2, "has tablespaces outside its folder", "restore"),
        ({"clusters": (), "unfinished": True}, 1, "broken off in its last step", "inv db.upgrade"),
    ],
)
def test_what_cannot_be_upgraded_is_told_with_a_way_on(
    volume: dict[str, Any], code: int, said: str, way: str
) -> None:
    with pytest.raises(StackError, match="volume shop_data") as raised:
        subject.require_older(found(**volume))

    assert raised.value.code == ExitCode(code)
    assert said in raised.value.message
    assert way in raised.value.hint
