from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from invoke_stack.environment.declared import Declared
from invoke_stack.errors import UsageError
from invoke_stack.stack import watch

Declare = Callable[..., Declared]
SYNC = {"watch": [{"action": "sync", "path": "/src", "target": "/app"}]}
SERVICES: dict[str, Any] = {
    "web": {"build": ".", "develop": SYNC},
    "worker": {"build": ".", "develop": SYNC},
    "db": {"image": "postgres:16"},
}


def test_every_service_that_says_what_to_do_is_watched(declare: Declare) -> None:
    assert watch.watched(declare(SERVICES), []) == ("web", "worker")
    assert watch.watched(declare(SERVICES), ["worker"]) == ("worker",)


@pytest.mark.parametrize(
    ("services", "chosen", "message"),
    [
        (SERVICES, ["db"], "db: has no `develop.watch`"),
        ({"db": {"image": "postgres:16"}}, [], "mode dev: no service has a `develop.watch`"),
        (SERVICES, ["wep"], "no such service: wep"),
    ],
)
def test_what_cannot_be_watched_is_refused_with_what_to_write(
    declare: Declare, services: dict[str, Any], chosen: list[str], message: str
) -> None:
    with pytest.raises(UsageError) as refused:
        watch.watched(declare(services), chosen)

    assert message in str(refused.value)
    assert "develop: {watch:" in refused.value.hint or "did you mean web" in refused.value.hint
