"""Python's search for circles of objects, put off while many values are made.

It goes through every object there is, again and again while they grow in number. What an env
file becomes has no circles; with 100,000 keys the search was a third of the time.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def put_off() -> Iterator[None]:
    """Put it off until the block, or the decorated function, is done."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
