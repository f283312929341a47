"""Every place of a repository that states a language's version."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from invoke_stack.errors import StackError
from invoke_stack.parity.repository import Package
from invoke_stack.parity.values import Src, Val, Version, version
from invoke_stack.parity.workspace import Workspace

_ASDF = {
    "nodejs": "node",
    "node": "node",
    "python": "python",
    "golang": "go",
    "go": "go",
    "ruby": "ruby",
}
_FILES = {
    ".node-version": "node", ".nvmrc": "node", ".python-version": "python", "runtime.txt": "python",
    ".ruby-version": "ruby", ".go-version": "go",
}  # fmt: skip
_PATTERNS = (
    (
        "pyproject.toml",
        "python",
        re.compile(r"^\s*(?:requires-python|python)\s*=\s*[\"']([^\"']+)"),
    ),
    ("go.mod", "go", re.compile(r"^go\s+(\d[\d.]*)")),
    ("Gemfile", "ruby", re.compile(r"^\s*ruby\s+[\"']([^\"']+)")),
    ("Pipfile", "python", re.compile(r"^\s*python_(?:full_)?version\s*=\s*[\"']([^\"']+)")),
)
_CODENAMES = {"argon": 4, "boron": 6, "carbon": 8, "dubnium": 10, "erbium": 12, "fermium": 14,
              "gallium": 16, "hydrogen": 18, "iron": 20, "jod": 22, "krypton": 24}  # fmt: skip


def read(
    workspace: Workspace, packages: Mapping[str, Package]
) -> dict[str, tuple[Val[Version], ...]]:
    """Return the statements by language, the strongest and the nearest to the root first."""
    found: dict[str, list[Val[Version]]] = {}
    for name, stated in _statements(workspace, packages):
        found.setdefault(name, []).append(stated)
    return {name: tuple(sorted(each, key=_depth)) for name, each in sorted(found.items())}


def _depth(stated: Val[Version]) -> int:
    return stated.src.file.count("/")


def _statements(
    workspace: Workspace, packages: Mapping[str, Package]
) -> Iterator[tuple[str, Val[Version]]]:
    for file in workspace.named(*_FILES):
        language = _FILES[posixpath.basename(file)]
        for number, line in _lines(workspace, file):
            if text := line.strip().removeprefix("python-").removeprefix("ruby-"):
                yield language, Val(_version(text), Src(file, number))
                break
    for file in workspace.named(".tool-versions"):
        for number, line in _lines(workspace, file):
            words = line.split()
            if len(words) > 1 and words[0] in _ASDF:
                yield _ASDF[words[0]], Val(_version(words[1]), Src(file, number))
    for package in packages.values():
        if stated := package.engines.get("node"):
            yield "node", Val(_version(stated.value or ""), stated.src)
    for name, language, pattern in _PATTERNS:
        for file in workspace.named(name):
            for number, line in _lines(workspace, file):
                if match := pattern.match(line):
                    yield language, Val(_version(match[1]), Src(file, number))
                    break


def _version(text: str) -> Version:
    """Return a version; `lts/jod` and `lts/*` are Node's own names."""
    name = text.removeprefix("lts/").casefold()
    if name in _CODENAMES:
        return Version(text, (_CODENAMES[name],))
    return version(text.removeprefix("v"))


def _lines(workspace: Workspace, file: str) -> Iterator[tuple[int, str]]:
    try:
        text = workspace.text(file)
    except StackError:
        return
    for number, line in enumerate(text.splitlines()[:2000], 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line
