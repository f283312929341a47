"""What a reviewer expects of `parity.check`: reading an `expected.md` and matching findings.

A file has tables whose first two columns are rule and severity, and a section "Must stay quiet"
with a list. The rest is free text, out of which places (`render.yaml:17-21`, `:54` for another
line of the file named before, `lite.yaml:109` for a file whose name ends so) and names are taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SHORTEST = 3
"""Letters of a name that is compared."""
NEAR = 3
"""Lines that a finding may be off."""

_RULE = re.compile(r"PAR(\d{3})((?:/\d{3})*)")
_PLACE = re.compile(
    r"(?P<file>[\w./@-]*[\w@])?:(?P<lines>\d+(?:-\d+)?(?:, ?\d+(?:-\d+)?)*)(?![\w.])"
)
_PATH = re.compile(r"[\w.@-]*(?:/[\w.@-]+)+|[\w-]*\.[\w.-]+|[\w.]*Dockerfile[\w.]*")
_KEY = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b|\b[A-Z][A-Z0-9_]*_\*")
_KEYED = ("PAR301", "PAR302", "PAR303")


@dataclass(frozen=True, slots=True)
class Expected:
    """One row, or one line of the quiet list (which has no rules unless it names some)."""

    rules: frozenset[str]
    severity: str
    text: str
    places: tuple[tuple[str, int, int], ...]  # file, first line, last line; 0, 0 for all of it

    @property
    def wanted(self) -> bool:
        """Whether a finding is expected, rather than a pass or a remark."""
        trap = "expected = pass" in self.text or self.severity.startswith("pass")
        return not trap and not self.neutral

    @property
    def neutral(self) -> bool:
        """Whether the reviewer calls it no question of parity."""
        return re.search(r"\bnot parity\b", self.text) is not None


def read(text: str, files: Sequence[str]) -> tuple[list[Expected], list[Expected]]:
    """Return the expected rows and the quiet list.

    Args:
        text: the `expected.md`.
        files: every file of the checkout, from its root.
    """
    head, _, tail = text.partition("Must stay quiet")
    rows = []
    for line in head.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if (
            line.startswith("|")
            and len(cells) > len(("rule", "severity"))
            and (found := _RULE.findall(cells[0]))
        ):
            rules = {f"PAR{n}" for first, more in found for n in (first, *more.split("/")) if n}
            body = " | ".join(cells[2:])
            rows.append(Expected(frozenset(rules), cells[1], body, tuple(_places(body, files))))
    quiet = [
        Expected(frozenset(f"PAR{n}" for n, _ in _RULE.findall(line)), "quiet", line,
                 tuple(_places(line, files)))
        for line in re.split(r"\n- |(?<=\.)\s{2}", "\n" + tail.strip()) if line.strip()
    ]  # fmt: skip
    return rows, quiet


def _places(text: str, files: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    named: list[str] = []
    lined = False
    for match in _PLACE.finditer(text):
        if match["file"]:
            named = _resolved(match["file"], files)
        for part in match["lines"].split(",") if named else ():
            first, _, last = part.strip().partition("-")
            lined = True
            yield from ((file, int(first), int(last or first)) for file in named)
    if not lined:
        for match in _PATH.finditer(text):
            yield from ((file, 0, 0) for file in _resolved(match[0].strip("."), files)[:8])


def _resolved(name: str, files: Sequence[str]) -> list[str]:
    """Return the files that a reviewer's short name may mean."""
    if name in files:
        return [name]
    if name == "compose":
        return [file for file in files if re.search(r"compose[^/]*\.ya?ml$", file)]
    if "." not in name and "Dockerfile" not in name and "/" not in name:
        return []
    return [file for file in files if re.search(rf"(?:^|[/._-]){re.escape(name)}(?:$|/)", file)]


def matches(finding: Mapping[str, Any], row: Expected) -> bool:
    """Tell whether a finding is what a row expects."""
    return finding["rule"] in row.rules and (_placed(finding, row) or _named(finding, row))


def violates(finding: Mapping[str, Any], line: Expected) -> bool:
    """Tell whether a finding says what the reviewer wants to be spared."""
    if line.rules:
        return finding["rule"] in line.rules and (_placed(finding, line) or _named(finding, line))
    if finding["rule"] in _KEYED:
        keys = set(_KEY.findall(f"{finding['subject']} {finding['message']}"))
        patterns = [re.escape(each).replace(r"\*", ".*") for each in _KEY.findall(line.text)]
        return any(re.fullmatch(pattern, key) for pattern in patterns for key in keys)
    return _placed(finding, line) or _named(finding, line)


def _placed(finding: Mapping[str, Any], row: Expected) -> bool:
    return any(
        each["file"] == file and (not first or first - NEAR <= (each["line"] or 0) <= last + NEAR)
        for each in finding["where"]
        for file, first, last in row.places
    )


def _named(finding: Mapping[str, Any], row: Expected) -> bool:
    names = [name.strip() for name in finding["subject"].split(",")]
    return any(
        len(name) >= SHORTEST
        and re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", row.text, re.IGNORECASE)
        for name in names
    )
