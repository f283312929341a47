from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from invoke_stack.database import forms, rehearser, restorer
from invoke_stack.database.postgres import Postgres
from invoke_stack.errors import UsageError


class Bare:
    """A provider with nothing but what every one has."""

    name = "bare"


@pytest.mark.parametrize(
    ("of", "lacks"),
    [
        (restorer.of, "the database provider bare cannot restore"),
        (rehearser.of, "the database provider bare cannot rehearse migrations"),
        (forms.exporter, "the database provider bare writes no scripts"),
    ],
)
def test_a_provider_without_a_part_is_told_what_it_cannot_do(
    of: Callable[[Any], Any], lacks: str
) -> None:
    with pytest.raises(UsageError, match=lacks) as refused:
        of(Bare())

    assert refused.value.hint
    assert of(Postgres())
