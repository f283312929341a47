"""The files of an image: what each layer adds, and what is left at the end."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from invoke_stack.images.tar import Member

_GONE = ".wh."
_OPAQUE = ".wh..wh..opq"
_HOPS = 40
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, link or folder; ``layer`` counts from 0."""

    kind: str
    size: int
    mode: int
    link: str
    layer: int


class Files:
    """The merged file system of some layers."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self._entries = entries

    def __contains__(self, path: str) -> bool:
        return self.resolve(path) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def entry(self, path: str) -> Entry | None:
        """Return what is at a path, links not followed."""
        return self._entries.get(path)

    def resolve(self, path: str) -> str | None:
        """Return the path of the file behind a path, every link followed; None without one."""
        for _ in range(_HOPS):
            path = posixpath.normpath(path)
            target = self._linked(path)
            if target is None:
                return path if path in self._entries or path == "/" else None
            path = target
        return None

    def program(self, name: str, path: str, folder: str = "/") -> str | None:
        """Return the file that a command name runs, by PATH as the image has it."""
        if "/" in name:
            return self._runnable(posixpath.join(folder, name))
        places = (posixpath.join(each, name) for each in (path or DEFAULT_PATH).split(":") if each)
        return next((found for each in places if (found := self._runnable(each))), None)

    def _runnable(self, path: str) -> str | None:
        found = self.resolve(path)
        entry = self._entries.get(found) if found else None
        return found if entry and entry.kind != "5" and entry.mode & 0o111 else None

    def _linked(self, path: str) -> str | None:
        """Return where the first link in a path leads; None when there is no link in it."""
        here = ""
        parts = path.strip("/").split("/")
        for number, part in enumerate(parts):
            here = f"{here}/{part}"
            entry = self._entries.get(here)
            if entry is not None and entry.kind == "2":
                return posixpath.join(posixpath.dirname(here), entry.link, *parts[number + 1 :])
        return None


def path_of(member: Member) -> str:
    """Return a tar member's path as the image has it: `/app/server.js`."""
    return posixpath.normpath("/" + member.name.lstrip("/"))


def merged(layers: Sequence[Mapping[str, Member]]) -> Files:
    """Return what a container sees: later layers over earlier ones, whiteouts applied."""
    found: dict[str, Entry] = {}
    for number, layer in enumerate(layers):
        _hide(found, layer)
        for path, member in layer.items():
            if posixpath.basename(path).startswith(_GONE):
                continue
            before = found.get(path)
            if before and before.kind == "5" and member.kind != "5":
                _drop(found, {path}, set())
            found[path] = _entry(member, layer, found, number)
    return Files(found)


def _entry(
    member: Member, layer: Mapping[str, Member], found: Mapping[str, Entry], number: int
) -> Entry:
    if member.kind == "1":  # a hard link is the file that it names
        target = posixpath.normpath("/" + member.link.lstrip("/"))
        twin = layer.get(target)
        if twin is not None and twin.kind != "1":
            return Entry(twin.kind, twin.size, twin.mode, twin.link, number)
        older = found.get(target)
        return Entry("0", older.size if older else 0, older.mode if older else 0o755, "", number)
    kind = "0" if member.kind in "\x007S" else member.kind
    return Entry(kind, member.size, member.mode, member.link, number)


def _hide(found: dict[str, Entry], layer: Mapping[str, Member]) -> None:
    """Take out what a layer deletes; it deletes only what is below it."""
    gone: set[str] = set()
    emptied: set[str] = set()
    for path in layer:
        folder, name = posixpath.split(path)
        if name == _OPAQUE:
            emptied.add(folder)
        elif name.startswith(_GONE):
            gone.add(posixpath.join(folder, name[len(_GONE) :]))
    _drop(found, gone, emptied)


def _drop(found: dict[str, Entry], gone: set[str], emptied: set[str]) -> None:
    """Take out paths and all below them, and what is below the emptied folders."""
    plain = {path for path in gone if (e := found.get(path)) is not None and e.kind != "5"}
    for path in plain:
        del found[path]
    folders = (gone - plain) | emptied
    if not folders:
        return
    # One pass for all of them: a layer may delete a thousand folders of a hundred thousand files.
    for path in [one for one in found if not folders.isdisjoint(_above(one))]:
        del found[path]
    for path in gone - plain:
        found.pop(path, None)


def _above(path: str) -> Iterator[str]:
    at = path.rfind("/")
    while at > 0:
        path = path[:at]
        yield path
        at = path.rfind("/")
    yield "/"
