"""Our collections without a project's tasks.py."""

from __future__ import annotations

from contextlib import suppress
from importlib import metadata
from pathlib import Path

from invoke.program import Program

from invoke_stack.doctor.wiring import SETTINGS
from invoke_stack.tasks import namespace
from invoke_stack.tasks._session import TASK_FILES

MARKS = (*TASK_FILES, *SETTINGS)
"""Files that stand in the root of a project."""


class Alone(Program):
    """Runs our tasks on the project around a folder, whatever is wrong with its own files."""

    def __init__(self, folder: Path) -> None:
        version = metadata.version("invoke-stack")
        super().__init__(version, namespace(), "invoke_stack", "python -m invoke_stack")
        self._folder = folder

    def parse_collection(self) -> None:
        """Take our collections, and the project's settings where they can be read."""
        super().parse_collection()
        self.config.set_project_location(str(root(self._folder)))
        # Whatever a broken file raises, or a program that `invoke.py` is: the doctor tells.
        with suppress(Exception):
            self.config.load_project()


def root(folder: Path) -> Path:
    """Return the nearest folder, going up, that Invoke would take for a project; else this one."""
    around = (folder, *folder.parents)
    return next((each for each in around if any((each / name).exists() for name in MARKS)), folder)
