"""What a database provider may have besides what every one must have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from invoke_stack.errors import UsageError

if TYPE_CHECKING:
    from invoke_stack.database.provider import Provider


def part(provider: Provider, name: str, lacks: str, hint: str) -> Any:
    """Return an optional attribute of a provider, without which some tasks cannot work.

    Args:
        provider: the project's.
        name: of the attribute.
        lacks: what the provider cannot do without it, as the sentence goes on.
        hint: what to do then.

    Raises:
        UsageError: it has nothing of the kind.
    """
    found = getattr(provider, name, None)
    if found is None:
        text = f"the database provider {provider.name} {lacks}"
        raise UsageError("stack.db.providers", text, hint=hint)
    return found
