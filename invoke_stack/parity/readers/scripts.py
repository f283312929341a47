"""Commands followed into package scripts and shell scripts, two levels deep at most."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from invoke_stack.dockerfile.model import Copy
from invoke_stack.parity.parts import Step
from invoke_stack.parity.readers import shelltext, tags
from invoke_stack.parity.readers.env import hidden
from invoke_stack.parity.repository import Package
from invoke_stack.parity.values import Src
from invoke_stack.parity.workspace import Workspace, joined, normal

DEPTH = 3
"""Levels: the command itself, a package script it names, the file that runs."""
_MOST = 200
_SHELLS = frozenset({"sh", "bash", "ash", "dash", "zsh", "source", "."})
_MANAGERS = frozenset({"npm", "pnpm", "yarn", "bun"})
_RUNNERS = frozenset({"node", "bun", "tsx", "ts-node", "deno", "python", "python3", "nodemon"})
_VALUED = frozenset({"--filter", "-F", "--prefix", "-C", "--dir", "-w", "--workspace", "--cwd"})
_OWN = frozenset({"install", "i", "ci", "add", "exec", "dlx", "x", "prune", "config", "cache",
                  "global", "create", "audit", "publish", "store", "set", "deploy", "fetch"})  # fmt: skip
_MIGRATES = re.compile(
    r"[\"'`][^\"'`\n]*(?:migrate[ :](?:deploy|latest|up)|drizzle-kit|db push|db:push|db:migrate"
    r"|apply-migrations|run-migrations|drizzle-push|alembic|upgrade head)[^\"'`\n]*[\"'`]"
    r"|\b(?:run|apply)_?migrations?\s*\(|\bmigrate\s*\(",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Where:
    """Where a command stands and what it can reach.

    Attributes:
        folder: it runs there, from the project root.
        packages: by folder.
        copies: what its image copies, to find files by their path in the container.
        context: the build context of that image.
    """

    workspace: Workspace
    packages: Mapping[str, Package]
    folder: str = "."
    copies: tuple[Copy, ...] = ()
    context: str = "."


def steps(where: Where, text: str, src: Src) -> tuple[Step, ...]:
    """Return the commands of a shell text, scripts followed."""
    found = _Follower(where)
    return tuple(found.text(text, src, where.folder, (), DEPTH))


def exec_steps(where: Where, words: Sequence[str], src: Src) -> tuple[Step, ...]:
    """Return the same of an argument list (`["sh", "-c", "…"]`)."""
    simple = shelltext.Simple(tuple(words), shlex.join(words), 0)
    return tuple(_Follower(where).command(simple, src, where.folder, (), DEPTH))


class _Follower:
    def __init__(self, where: Where) -> None:
        self._where = where
        self._count = 0

    def text(
        self, text: str, src: Src, folder: str, via: tuple[Src, ...], depth: int,
        arguments: tuple[str, ...] = (),
    ) -> Iterator[Step]:  # fmt: skip
        for each in shelltext.commands(text):
            here = replace(src, line=src.line + each.line) if src.line else src
            if each.words[0] == "cd":
                folder = joined(folder, each.words[1]) if len(each.words) > 1 else folder
                continue
            words = each.words
            if words[0] in {"$@", "${@}"} or words == ("$*",):
                words = arguments
            if words:
                yield from self.command(replace(each, words=words), here, folder, via, depth)

    def command(
        self, simple: shelltext.Simple, src: Src, folder: str, via: tuple[Src, ...], depth: int
    ) -> Iterator[Step]:
        self._count += 1
        if self._count > _MOST:
            return
        words, wrapper = tags.unwrapped(_without_prefixes(simple.words))
        below = list(self._below(words, src, folder, via, depth)) if depth > 1 else []
        if below:
            guarded = simple.guarded
            yield from (replace(each, guarded=each.guarded or guarded) for each in below)
            return
        yield Step(
            tags.tag(words), tuple(hidden(word) for word in words), hidden(simple.text), src, via,
            guarded=simple.guarded, wrapper=wrapper,
        )  # fmt: skip

    def _below(
        self, words: tuple[str, ...], src: Src, folder: str, via: tuple[Src, ...], depth: int
    ) -> Iterator[Step]:
        """Yield the steps of what a command leads to; nothing when it leads nowhere known."""
        head = words[0] if words else ""
        name = posixpath.basename(head)
        trail = (*via, src)
        if name in _SHELLS and "-c" in words[:3]:
            inner = words[words.index("-c") + 1 :]
            yield from self.text(" ".join(inner[:1]), src, folder, via, depth)
        elif name in _MANAGERS and (script := self._script(words, folder)):
            found, place, inside = script
            yield from self._around(found, place, inside, trail, depth)
        elif file := self._file(words, folder):
            yield from self._in_file(file, words, folder, trail, depth)
        elif "entrypoint" in name and len(words) > 1:
            # The base image's own: it ends in `exec "$@"`.
            yield from self.command(
                shelltext.Simple(words[1:], shlex.join(words[1:]), 0), src, folder, via, depth
            )

    def _around(
        self, name: str, package: Package, folder: str, trail: tuple[Src, ...], depth: int
    ) -> Iterator[Step]:
        """Yield the steps of a package script with its `pre` and `post` scripts."""
        for each in (f"pre{name}", name, f"post{name}"):
            script = package.scripts.get(each)
            if script is not None:
                yield from self.text(script.value or "", script.src, folder, trail, depth - 1)

    def _script(self, words: tuple[str, ...], folder: str) -> tuple[str, Package, str] | None:
        """Return the package script that a call of a package manager runs."""
        rest, chosen = list(words[1:]), ""
        plain: list[str] = []
        while rest:
            word = rest.pop(0)
            if word == "--":
                break
            option, equals, value = word.partition("=")
            if option in _VALUED:
                chosen = value if equals else (rest.pop(0) if rest else "")
            elif word == "workspace" and words[0] == "yarn" and rest:
                chosen = rest.pop(0)
            elif not word.startswith("-"):
                plain.append(word)
        if plain[:1] in (["run"], ["run-script"], ["rum"]):
            plain = plain[1:]
        elif plain[:1] and plain[0] in _OWN:
            return None
        name = plain[0] if plain else ""
        for package in self._packages(chosen, folder):
            if name in package.scripts:
                return name, package, package.folder
        return None

    def _packages(self, chosen: str, folder: str) -> Iterator[Package]:
        packages = self._where.packages
        if chosen:
            place = joined(folder, chosen.strip("./") or ".")
            wanted = chosen.strip("./^{}")
            yield from (each for each in packages.values()
                        if each.name == chosen or each.folder == place
                        or each.name.endswith(f"/{wanted}") or each.folder == wanted)  # fmt: skip
            return
        place = normal(folder)
        while place not in packages and place not in {".", ""}:
            place = posixpath.dirname(place) or "."
        if place in packages:
            yield packages[place]

    def _file(self, words: tuple[str, ...], folder: str) -> str:
        """Return the repository's file that a command runs; "" when it runs none."""
        name = posixpath.basename(words[0]) if words else ""
        plain = [word for word in words[1:] if not word.startswith("-")]
        if name in _SHELLS | _RUNNERS and plain:
            return self._located(plain[0], folder)
        is_path = bool(words) and ("/" in words[0] or words[0].endswith((".sh", ".bash")))
        return self._located(words[0], folder) if is_path else ""

    def _located(self, path: str, folder: str) -> str:
        """Return where a path of the container or working folder lies in the repository."""
        workspace = self._where.workspace
        if not path.startswith("/"):
            candidates = [
                joined(folder, path),
                *(f"{joined(folder, path)}{ext}" for ext in (".js", ".ts")),
            ]
        else:
            candidates = list(self._copied(path))
        parts = [part for part in path.split("/") if part not in {"", ".", ".."}]
        tails = ["/".join(parts[index:]) for index in range(len(parts))][:6]
        bases = dict.fromkeys((folder, self._where.context, "."))
        candidates += [joined(base, tail) for tail in tails for base in bases]
        candidates += list(self._copied("/" + parts[-1])) if parts else []
        return next((each for each in candidates if each in workspace.files), "")

    def _copied(self, path: str) -> Iterator[str]:
        """Yield the context's files that end up at a path of the image."""
        for copy in reversed(self._where.copies):
            sources = [] if copy.origin else copy.sources
            for source in sources:
                inside = copy.target.rstrip("/")
                base = posixpath.basename(source.rstrip("/"))
                if (
                    copy.target == path
                    or posixpath.join(inside, base) == path
                    or (posixpath.basename(copy.target) == posixpath.basename(path))
                ):
                    yield joined(self._where.context, source)
                elif path.startswith(f"{inside}/"):
                    yield joined(joined(self._where.context, source), path[len(inside) + 1 :])

    def _in_file(
        self, file: str, words: tuple[str, ...], folder: str, trail: tuple[Src, ...], depth: int
    ) -> Iterator[Step]:
        workspace = self._where.workspace
        if not workspace.readable(file):
            return
        text = workspace.text(file)
        if re.search(r"\.(?:[cm]?[jt]sx?|py|rb)$", file):
            yield from _inside(text, file, words, trail)
            return
        if re.match(r"#!.*\b(?:python|node|ruby)", text) or "\0" in text[:1000]:
            return
        at = words.index(next((w for w in words if w.endswith(posixpath.basename(file))), words[0]))
        yield from self.text(text, Src(file, 1), folder, trail, depth - 1, words[at + 1 :])


def _inside(text: str, file: str, words: tuple[str, ...], trail: tuple[Src, ...]) -> Iterator[Step]:
    """Yield a program itself, and the migrations that it starts as far as its text tells."""
    own = tags.tag(words)
    for number, line in enumerate(text.splitlines()[:2000], 1):
        plain = line.strip()
        if own == "migrate" or plain.startswith(("//", "#", "*", "import ", "from ")):
            continue
        if found := _MIGRATES.search(plain):
            inner = tuple(found[0].strip("\"'`( ").split())
            yield Step("migrate", inner, hidden(plain[:120]), Src(file, number), trail)
            break
    yield Step(
        own, tuple(hidden(word) for word in words), hidden(shlex.join(words)), trail[-1], trail[:-1]
    )


def _without_prefixes(words: tuple[str, ...]) -> tuple[str, ...]:
    simple = next(iter(shelltext.commands(shlex.join(words))), None)
    return simple.words if simple is not None and simple.words else words
