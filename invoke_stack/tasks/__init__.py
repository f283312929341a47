"""The Invoke collections: flags in, one domain call, printed result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from invoke.collection import Collection

from invoke_stack.tasks import cache, db, env, image, parity, stack

__all__ = ["cache", "db", "env", "image", "namespace", "parity", "stack"]


def namespace(settings: Mapping[str, Any] | None = None) -> Collection:
    """Return a collection of all our collections: the one line of a project's `tasks.py`.

    Args:
        settings: same shape as the `stack:` key of `invoke.yaml`, which ranks above it.
            Database providers may be objects here.
    """
    root = Collection()
    for module in (cache, db, env, image, parity, stack):
        root.add_collection(Collection.from_module(module))
    # A list is a leaf to Invoke: it neither merges it with `invoke.yaml` (we do, deeply and
    # with the source at hand) nor casts it from the environment.
    # What is no mapping is refused where every other setting is: when a task runs.
    given = dict(settings) if isinstance(settings, Mapping) else settings
    root.configure({"invoke_stack": {"settings": [{} if given is None else given]}})
    return root
