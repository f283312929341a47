from typing import Any

import pytest

from invoke_stack.database.rails import Consent
from invoke_stack.database.sqlfiles.tool import SqlFiles
from invoke_stack.errors import UsageError
from invoke_stack.events import Event, Note, silent
from invoke_stack.migrations import rows


def agree(question: str, word: str = "") -> None:
    """Agree to everything."""


def test_that_there_is_no_client_is_said(project: Any) -> None:
    told: list[Event] = []

    SqlFiles().generate(project, project, told.append)

    assert told == [Note("SQL files have no client: nothing to generate")]


def test_that_there_is_no_studio_is_said_with_what_there_is(project: Any) -> None:
    with pytest.raises(UsageError) as refused:
        rows.studio(project, project, SqlFiles(), 5555, Consent(), silent, agree, print)

    assert str(refused.value) == "db.studio: the migration tool sql has no user interface"
    assert refused.value.hint == "inv db.shell"
