from typing import Any, cast

import pytest

from invoke_stack.database import renew
from invoke_stack.database.postgres import Postgres
from invoke_stack.database.rails import Consent
from invoke_stack.database.target import Target
from invoke_stack.database.values import Login
from invoke_stack.engines.containers import Volume
from invoke_stack.engines.docker import Docker
from invoke_stack.errors import RefusedError
from invoke_stack.events import silent

TARGET = Target("shop", "pg", "id", Postgres(), Login("app", "shop"))


class FakeEngine:
    """An engine whose service keeps its data in one volume; the stack has another one."""

    def __init__(self, name: str) -> None:
        self.name = name

    def environment(self, _container: str) -> dict[str, str]:
        return {"PGDATA": "/data/pg"}

    def mounted(self, _container: str, folder: str) -> tuple[str, str]:
        assert folder == "/data/pg"
        return ("/data", self.name) if self.name else ("", "")

    def volumes(self, _project: str) -> tuple[Volume, ...]:
        return (Volume("shop_uploads", 1),)


@pytest.mark.parametrize(
    ("name", "said"),
    [("shared", "volume shared is not this stack's own"), ("", "its data is in no volume")],
)
def test_what_is_not_this_stacks_own_is_never_removed(project: Any, name: str, said: str) -> None:
    def fill() -> None:
        pytest.fail("it was filled")

    def confirm(_question: str, _word: str = "") -> None:
        pytest.fail("it was asked for")

    engine = cast("Docker", FakeEngine(name))
    with pytest.raises(RefusedError, match=said):
        renew.renew(project, engine, TARGET, fill, Consent(name="shop"), confirm, silent)


def test_the_question_names_everything_that_goes() -> None:
    text = renew.question(TARGET, Volume("shop_data", 1), {"shop": 8 << 20, "other": 1 << 20})

    assert "volume shop_data of service pg" in text
    assert "database shop  8.0 MiB" in text
    assert "database other  1.0 MiB" in text
    assert "kept: a backup of each database that has tables" in text
