"""What the wrong ways of the first hour need besides the stage."""

from __future__ import annotations

import contextlib
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Stage


@pytest.fixture
def unprivileged(stage: Stage) -> tuple[str, ...]:
    """Return how `inv` is started so that the rights of files count, also for root."""
    if os.geteuid() != 0:
        return (stage.program,)
    drop = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner")
    with contextlib.suppress(OSError):
        probe = subprocess.run([*drop, "true"], capture_output=True, timeout=20, check=False)
        if probe.returncode == 0:
            return (*drop, stage.program)
    pytest.skip("root may do anything here, and there is no setpriv")
