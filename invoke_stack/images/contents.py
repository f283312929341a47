"""What is worth knowing about the files of an image, gathered while they pass by."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from invoke_stack.images import filesystem
from invoke_stack.images.archive import Archive
from invoke_stack.images.filesystem import Files
from invoke_stack.images.needles import KNOWN, Needles
from invoke_stack.images.tar import Member

_ENV = re.compile(r"\.env(?:\..+)?")
_TEMPLATE = re.compile(r".*\.(?:example|sample|template|dist|defaults|schema)(?:\..*)?")
_KEPT = re.compile(
    r".*/(?:package\.json|\.package-lock\.json|\.modules\.yaml|schema\.prisma)|/etc/passwd"
)
_FOREIGN = re.compile(r".*/node_modules/.*/package\.json")
# Documentation and tests show keys and tokens that open nothing.
_SHOWN = re.compile(
    r".*/node_modules/(?:.*/)?(?:tests?|__tests__|fixtures?|examples?|docs?|man|spec)/.*"
    r"|/usr/share/(?:doc|man)/.*|.*\.(?:md|markdown)"
)
_LARGEST = 16 << 20

CACHES: Mapping[str, tuple[str, str]] = {
    r"/var/lib/apt/lists/.+": ("apt", "rm -rf /var/lib/apt/lists/* in the same RUN"),
    r"/var/cache/apt/.+\.(?:deb|bin)": ("apt", "apt-get clean in the same RUN"),
    r"/var/cache/apk/.+": ("apk", "apk add --no-cache"),
    r"(?:/.+)?/\.npm/_cacache/.+": (
        "npm",
        "RUN --mount=type=cache,target=/root/.npm npm ci",
    ),
    r"(?:/.+)?/(?:\.cache/yarn|\.yarn/berry/cache|usr/local/share/\.cache)/.+": (
        "Yarn",
        "yarn cache clean in the same RUN, or RUN --mount=type=cache",
    ),
    r"(?:/.+)?/(?:pnpm/store|\.pnpm-store)/.+": (
        "pnpm",
        "RUN --mount=type=cache,target=/pnpm/store pnpm install",
    ),
    r"(?:/.+)?/\.cache/pip/.+": ("pip", "pip install --no-cache-dir"),
    r"(?:/.+)?/\.bun/install/cache/.+": ("Bun", "rm -rf ~/.bun/install/cache in the same RUN"),
}
"""What package managers leave: a pattern of paths, whose it is, and how to leave nothing."""

_CACHES = tuple((re.compile(pattern), name) for pattern, (name, _) in CACHES.items())


@dataclass(frozen=True, slots=True)
class Trace:
    """Something in a file of one layer.

    Attributes:
        what: what it is: `env`, `git`, or what a file holds.
        layer: counted from 0.
    """

    what: str
    path: str
    layer: int
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything gathered from an image.

    Attributes:
        files: what a container sees.
        traces: what should not be in any layer.
        caches: bytes of each package manager's cache, by name and layer.
        texts: the files that rules read, by layer and path; the last layer's counts.
        unread: how many layers could not be read.
    """

    archive: Archive
    files: Files
    traces: tuple[Trace, ...] = ()
    caches: Mapping[tuple[str, int], int] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    unread: int = 0


class Gatherer:
    """Takes an image's files one by one.

    Args:
        needles: finds the secrets.
        scripts: files of the start command whose text rules want to read.
    """

    def __init__(self, needles: Needles, scripts: Collection[str]) -> None:
        self._needles = needles
        self._scripts = frozenset(scripts)
        self._layers: dict[str, dict[str, Member]] = {}
        self._traces: list[tuple[str, str, str]] = []
        self._caches: dict[tuple[str, str], int] = {}
        self._texts: dict[tuple[str, str], str] = {}

    def look(self, blob: str, member: Member, content: Iterator[memoryview]) -> None:
        """Take one file."""
        path = filesystem.path_of(member)
        self._layers.setdefault(blob, {})[path] = member
        if member.kind not in "0\x007S":
            return
        name = posixpath.basename(path)
        if name.startswith(".env") and _ENV.fullmatch(name) and not _TEMPLATE.fullmatch(name):
            self._traces.append(("env", path, blob))
        elif name == "HEAD" and path.endswith("/.git/HEAD"):
            self._traces.append(("git", path.removesuffix("/HEAD"), blob))
        for pattern, manager in _CACHES:
            if pattern.fullmatch(path):
                key = (manager, blob)
                self._caches[key] = self._caches.get(key, 0) + member.size
        self._search(path, blob, self._kept(path, blob, member, content))

    def finished(self, archive: Archive) -> Contents:
        """Return what was gathered, now that the order of the layers is known."""
        numbers = {blob: number for number, blob in enumerate(archive.layers)}
        files = filesystem.merged([self._layers.get(blob, {}) for blob in archive.layers])
        traces = sorted(
            (Trace(what, path, numbers[blob]) for what, path, blob in self._traces),
            key=lambda each: (each.layer, each.path, each.what),
        )
        texts = {}
        for (path, _), text in sorted(self._texts.items(), key=lambda i: numbers[i[0][1]]):
            if path in files:
                texts[path] = text
        return Contents(
            archive,
            files,
            tuple(_aged(each, files) for each in traces),
            {(name, numbers[blob]): size for (name, blob), size in self._caches.items()},
            texts,
            len(archive.unread),
        )

    def _kept(
        self, path: str, blob: str, member: Member, content: Iterator[memoryview]
    ) -> Iterator[memoryview]:
        wanted = path in self._scripts or (_KEPT.fullmatch(path) and not _FOREIGN.fullmatch(path))
        if not wanted or member.size > _LARGEST:
            return content
        raw = b"".join(bytes(part) for part in content)
        self._texts[path, blob] = raw.decode(errors="replace")
        return iter([memoryview(raw)])

    def _search(self, path: str, blob: str, content: Iterator[memoryview]) -> None:
        for what in sorted(self._needles.found(content)):
            if what.startswith(KNOWN) or not _SHOWN.fullmatch(path):
                self._traces.append((what, path, blob))


def _aged(trace: Trace, files: Files) -> Trace:
    entry = files.entry(trace.path)
    gone = entry is None or (entry.layer != trace.layer and entry.kind != "5")
    return Trace(trace.what, trace.path, trace.layer, deleted=gone)
