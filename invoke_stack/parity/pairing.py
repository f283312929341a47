"""Which local process and datastore stands for which of production."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from invoke_stack.errors import UsageError
from invoke_stack.parity.declaration import Datastore, Declaration, Process
from invoke_stack.parity.naming import Names, same_name

ENOUGH = 2
"""The score below which two processes are no pair."""
SURE = 4
"""The score that a process behind a profile needs: nobody runs it by default."""
_SHOWN = 5
_MODES = frozenset({"prod", "production", "default", "full", "all", "app"})


@dataclass(frozen=True, slots=True)
class Pair:
    """Two processes that are the same thing.

    Attributes:
        reason: "map", "build", "image", "name", "host", "only web".
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


def pair(production: Declaration, local: Declaration, chosen: Mapping[str, str]) -> Pairing:
    """Return the pairs of two declarations.

    Args:
        production: the one side.
        local: the layer of the other that is compared.
        chosen: production name to local name, from the settings.

    Raises:
        UsageError: a chosen name does not exist.
    """
    ours = [each for each in production.processes.values() if not each.dev_tool]
    every = [each for each in local.processes.values() if not each.dev_tool]
    theirs = [each for each in every if not _gated(each)]
    pairs, unsure = _matched(ours, every, _chosen(production, local, chosen))
    taken = {id(side) for each in pairs for side in (each.production, each.local)}
    taken |= {id(each.process) for each in unsure}
    pairs += _only_webs(ours, theirs, taken)
    taken |= {id(side) for each in pairs for side in (each.production, each.local)}
    left = [each for each in theirs if id(each) not in taken and not each.job]
    unsure += _lonely(ours, left, taken)
    taken |= {id(each.process) for each in unsure}
    unclear = {name for each in unsure for name in each.candidates}
    stores, stores_ours, stores_theirs = _stores(production, local)
    return Pairing(
        tuple(pairs),
        stores,
        tuple(each for each in ours if id(each) not in taken),
        tuple(each for each in left if each.name not in unclear),
        stores_ours,
        stores_theirs,
        tuple(unsure),
    )


def _matched(
    ours: list[Process], every: list[Process], pairs: list[Pair]
) -> tuple[list[Pair], list[Unsure]]:
    """Return the pairs, the best first taken, and whom two fit equally well."""
    taken = {id(side) for each in pairs for side in (each.production, each.local)}
    unsure: list[Unsure] = []
    scored = sorted(
        _candidates(ours, every),
        key=lambda each: (-each.score, each.production.name, each.local.name),
    )
    rivals: dict[int, list[Pair]] = {}
    for each in scored:
        rivals.setdefault(id(each.production), []).append(each)
    for each in scored:
        if id(each.production) in taken or id(each.local) in taken:
            continue
        others = [it for it in rivals[id(each.production)] if _rival(it, each, taken)]
        taken.add(id(each.production))
        if others:
            names = (each.local.name, *(it.local.name for it in others))
            unsure.append(Unsure(each.production, names, _line(each.production, names[0])))
        else:
            pairs.append(each)
            taken.add(id(each.local))
    return pairs, unsure


def _lonely(ours: list[Process], left: list[Process], taken: set[int]) -> list[Unsure]:
    """Return the web services that nothing fits although web services are left over."""
    names = tuple(each.name for each in left if each.role == "web")[:_SHOWN]
    alone = [each for each in ours if id(each) not in taken and each.role == "web"]
    return [Unsure(each, names, _line(each, names[0])) for each in alone] if names else []


def _candidates(ours: list[Process], every: list[Process]) -> Iterator[Pair]:
    """Yield the pairs that are worth a look; each with each would be quadratic."""
    names = Names((each.name, each) for each in every)
    index: dict[object, list[Process]] = {}
    for each in every:
        for key in _marks(each):
            index.setdefault(key, []).append(each)
    for one in ours:
        near = [*names.near(one.name), *(it for key in _marks(one) for it in index.get(key, ()))]
        for other in {id(each): each for each in near}.values():
            found = _scored(one, other)
            if found.score >= (SURE if _gated(other) else ENOUGH):
                yield found


def _marks(process: Process) -> Iterator[object]:
    """Yield what two processes of the same build or image have in common."""
    if process.build is not None:
        yield ("dockerfile", process.build.dockerfile.value)
        if process.build.context.value != ".":
            yield ("context", process.build.context.value)
    if process.image.value:
        yield ("image", _repository(process.image.value))


def _gated(process: Process) -> bool:
    """Tell whether a process starts only when its profile is asked for."""
    return bool(process.profiles) and not _MODES & set(process.profiles)


def _chosen(production: Declaration, local: Declaration, chosen: Mapping[str, str]) -> list[Pair]:
    found = []
    for one, other in sorted(chosen.items()):
        for name, side in ((one, production), (other, local)):
            if name not in side.processes and name not in side.datastores:
                known = ", ".join([*side.processes, *side.datastores])
                message = f"no {side.side} service of the name {name}"
                raise UsageError("stack.parity.map", message, hint=f"there are: {known}")
        if one in production.processes and other in local.processes:
            found.append(Pair(production.processes[one], local.processes[other], "map", 10))
    return found


def _line(process: Process, name: str) -> str:
    return f"map: {{{process.name}: {name}}}"


def _rival(other: Pair, each: Pair, taken: Iterable[int]) -> bool:
    """Tell whether another local process fits just as well."""
    same = other.production is each.production and other.local is not each.local
    return same and other.score == each.score and id(other.local) not in taken


def _scored(one: Process, other: Process) -> Pair:
    score, reason = 0, ""
    for points, name in ((_by_build(one, other), "build"), (_by_image(one, other), "image"),
                         (same_name(one.name, other.name), "name")):  # fmt: skip
        score += points
        reason = reason or (name if points else "")
    if other.host_run and other.name == one.name:
        score, reason = score + 5, "host"
    if score and _work(one) != _work(other):
        score -= 2
    if other.job and one.role not in {"job", "cron"}:
        score = 0
    return Pair(one, other, reason, max(0, min(9, score)))


def _work(process: Process) -> str:
    """Return whether a process serves or works in the background."""
    return "worker" if process.role in {"worker", "cron", "job"} else "serves"


def _by_build(one: Process, other: Process) -> int:
    if one.build is None or other.build is None:
        return 0
    if one.build.dockerfile.value != other.build.dockerfile.value:
        # Another Dockerfile for the same folder is still the same code.
        own = one.build.context.value not in {None, "."}
        return 2 if own and one.build.context.value == other.build.context.value else 0
    return 5 if one.build.context.value == other.build.context.value else 4


def _by_image(one: Process, other: Process) -> int:
    if not one.image.value or not other.image.value:
        return 0
    return 5 if _repository(one.image.value) == _repository(other.image.value) else 0


def _repository(image: str) -> str:
    plain = image.partition("@")[0]
    head, colon, tag = plain.rpartition(":")
    plain = head if colon and "/" not in tag else plain
    return re.sub(r"^(?:docker\.io/)?(?:library/)?", "", plain)


def _only_webs(ours: list[Process], theirs: list[Process], taken: set[int]) -> list[Pair]:
    mine = [each for each in ours if each.role == "web" and id(each) not in taken]
    others = [each for each in theirs if each.role == "web" and id(each) not in taken]
    if len(mine) == 1 and len(others) == 1 and (others[0].build or others[0].host_run):
        return [Pair(mine[0], others[0], "only web", ENOUGH)]
    return []


def _stores(
    production: Declaration, local: Declaration
) -> tuple[tuple[StorePair, ...], tuple[Datastore, ...], tuple[Datastore, ...]]:
    """Return the pairs of datastores, and those that only one side has."""
    ours, theirs = list(production.datastores.values()), list(local.datastores.values())
    pairs: list[StorePair] = []
    scored = sorted(
        ((_store_score(one, other), one, other) for one in ours for other in theirs),
        key=lambda each: (-each[0], each[1].name, each[2].name),
    )
    taken: set[int] = set()
    for score, one, other in scored:
        if score and id(one) not in taken and id(other) not in taken:
            taken |= {id(one), id(other)}
            pairs.append(StorePair(one, other, "kind" if score == 1 else "keys or name"))
    return (
        tuple(pairs),
        tuple(each for each in ours if id(each) not in taken),
        tuple(each for each in theirs if id(each) not in taken),
    )


def _store_score(one: Datastore, other: Datastore) -> int:
    if one.kind != other.kind or (one.kind == "other" and one.engine != other.engine):
        return 0
    keys = {key for _, key in one.referenced} & {key for _, key in other.referenced}
    return 1 + 2 * bool(keys) + (same_name(one.name, other.name) > 0)
