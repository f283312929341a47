"""From a clone to a running stack with `env.init`, and what it does about a volume with data."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stacks import Project


def fresh(project: Callable[..., Project]) -> Project:
    """Return the `backend` example as it is cloned: with a template and no env file."""
    clone = project("backend")
    (clone.folder / ".env").unlink()
    clone.environ["BACKEND_PORT"] = str(clone.ports["BACKEND_PORT"])
    return clone


def password(clone: Project) -> str:
    found = re.search(
        r"^POSTGRES_PASSWORD=(.*)$", (clone.folder / ".env").read_text(), re.MULTILINE
    )
    assert found is not None
    return found[1]


def test_a_clone_runs_on_generated_secrets_alone(project: Callable[..., Project]) -> None:
    clone = fresh(project)
    clone.inv("env.init").ok()
    clone.secrets["POSTGRES_PASSWORD"] = password(clone)

    clone.up()

    assert clone.get("BACKEND_PORT")[1]["status"] == "ok"
    assert clone.inv("env.check").code == 0


def test_a_database_with_data_gets_no_new_password(project: Callable[..., Project]) -> None:
    clone = fresh(project)
    clone.inv("env.init").ok()
    clone.secrets["POSTGRES_PASSWORD"] = old = password(clone)
    clone.up()
    clone.inv("stack.down").ok()
    (clone.folder / ".env").unlink()

    result = clone.inv("env.init").ok()

    assert f"the volume {clone.name}_postgres_data exists already" in result.stderr
    assert password(clone) == ""
    text = (clone.folder / ".env").read_text()
    clone.write(".env", text.replace("POSTGRES_PASSWORD=", f"POSTGRES_PASSWORD={old}"))
    clone.up()
    assert clone.get("BACKEND_PORT")[1]["status"] == "ok"


def test_without_the_volume_a_new_password_is_made(project: Callable[..., Project]) -> None:
    clone = fresh(project)
    clone.inv("env.init").ok()
    clone.up()
    clone.inv("stack.down", "--volumes", "--no-backup", "--yes").ok()
    (clone.folder / ".env").unlink()

    assert "exists already" not in clone.inv("env.init").ok().stderr
    assert len(password(clone)) == 64
