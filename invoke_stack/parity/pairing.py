"""Which local process and datastore stands for which of production."""

from __future__ import annotations

from dataclasses import dataclass

from invoke_stack.parity.declaration import Datastore, Process


@dataclass(frozen=True, slots=True)
class Pair:
    """Two processes that are the same thing.

    Attributes:
        reason: "map", "build", "image", "name", "only web".
        score: 0 to 10; below 2 there is no pair.
    """

    production: Process
    local: Process
    reason: str
    score: int


@dataclass(frozen=True, slots=True)
class StorePair:
    """Two datastores that are the same thing."""

    production: Datastore
    local: Datastore
    reason: str


@dataclass(frozen=True, slots=True)
class Unsure:
    """A process of production that could be several local ones, or none surely (PAR002).

    Attributes:
        candidates: names of local processes, the likeliest first.
        line: the setting to paste, `map: {api: backend}`.
    """

    process: Process
    candidates: tuple[str, ...]
    line: str


@dataclass(frozen=True, slots=True)
class Pairing:
    """The result; whoever is in no pair stands in the `only_…` lists.

    Dev tools and profile-gated local processes are in none of them.
    """

    processes: tuple[Pair, ...] = ()
    datastores: tuple[StorePair, ...] = ()
    only_production: tuple[Process, ...] = ()
    only_local: tuple[Process, ...] = ()
    stores_only_production: tuple[Datastore, ...] = ()
    stores_only_local: tuple[Datastore, ...] = ()
    unsure: tuple[Unsure, ...] = ()

    def local_of(self, process: Process) -> Process | None:
        """Return the local counterpart of a process of production."""
        return next((each.local for each in self.processes if each.production is process), None)
