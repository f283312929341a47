import dataclasses
from typing import Any, get_args

import pytest

from invoke_stack.database import asking
from invoke_stack.database.postgres import Postgres
from invoke_stack.database.target import Target
from invoke_stack.database.values import Login, Place


@pytest.mark.parametrize("place", get_args(Place))
def test_only_the_stacks_own_server_is_asked_before_the_answer_is_wanted(
    project: Any, runner: Any, place: Place
) -> None:
    target = Target("shop", "pg", "", Postgres(), Login("app", "shop"), place)
    runner.answer("psql", "17")

    with asking.begun(dataclasses.replace(project, runner=runner), target, "SELECT 17") as taken:
        before = len(runner.ran)
        said = taken()

    assert before == (1 if place == "stack" else 0)
    assert (said, len(runner.ran)) == ("17", 1)
