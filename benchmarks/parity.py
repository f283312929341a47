"""Scores `parity.check` against what reviewers expect of real repositories.

    python benchmarks/parity.py CASES [--checkouts DIR] [--show]

Each folder of CASES holds an `expected.md` and the checkout it speaks about in `checkout/`, or
DIR holds a checkout of the folder's name; a `settings.json` beside the `expected.md` is what the
project would have under `stack:`. A finding matches a row when the rule is the same and they
share a place (within three lines) or a name; severity and wording are ignored.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from expectations import Expected, matches, read, violates

from invoke_stack.findings.document import document
from invoke_stack.parity import check
from invoke_stack.process import Completed, SystemRunner
from invoke_stack.project import Project
from invoke_stack.settings import Source, load

IGNORED = {".git", "node_modules", ".venv"}


@dataclass
class Score:
    """What one case, one rule or everything came to."""

    expected: int = 0
    found: int = 0
    said: int = 0
    right: int = 0

    def __str__(self) -> str:
        return (
            f"recall {self.found:>3}/{self.expected:<3} {_share(self.found, self.expected)}   "
            f"precision {self.right:>3}/{self.said:<3} {_share(self.right, self.said)}"
        )


@dataclass
class Result:
    """Everything that was counted.

    Attributes:
        errors: expected errors, and whether each was found.
        quiet: what was said although the reviewer wants to be spared it.
    """

    total: Score = field(default_factory=Score)
    rules: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    misses: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    errors: list[tuple[str, bool]] = field(default_factory=list)
    quiet: list[str] = field(default_factory=list)


def main() -> int:
    """Print recall and precision; 1 when an expected error is missed or the quiet is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--checkouts", type=Path)
    parser.add_argument("--show", action="store_true", help="print misses and false positives")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    options = parser.parse_args()
    result = Result()
    for case in sorted(options.cases.iterdir()):
        if (case / "expected.md").is_file() and options.only in case.name:
            root = options.checkouts / case.name if options.checkouts else case / "checkout"
            started = time.perf_counter()
            report, theirs = checked(case, root)
            seconds = time.perf_counter() - started
            files = sorted(_files(root))
            score = judged(case.name, report, (case / "expected.md").read_text(), files, result)
            print(f"{case.name[-40:]:<40} {score}   {seconds:.2f} s ({theirs:.2f} s Compose)")
    _print(result, show=options.show)
    return 0 if result.errors and all(hit for _, hit in result.errors) and not result.quiet else 1


class Timed:
    """Runs programs, and adds up what they took (two of them may run at the same time)."""

    dry = False

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._inner = SystemRunner(environ)
        self.spans: list[tuple[float, float]] = []
        self.attach, self.start = self._inner.attach, self._inner.start

    def capture(self, *args: Any, **options: Any) -> Completed:
        """Run a program to its end."""
        started = time.perf_counter()
        try:
            return self._inner.capture(*args, **options)
        finally:
            self.spans.append((started, time.perf_counter()))

    @property
    def seconds(self) -> float:
        """How long at least one of them ran."""
        total, end = 0.0, 0.0
        for start, stop in sorted(self.spans):
            total += max(0.0, stop - max(start, end))
            end = max(end, stop)
        return total


def checked(case: Path, root: Path) -> tuple[dict[str, Any], float]:
    """Return what `parity.check --json` says about a checkout, and Compose's seconds."""
    own = case / "settings.json"
    settings = load([Source(str(own), json.loads(own.read_text()))] if own.is_file() else [])
    environ = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    runner = Timed(environ)
    project = Project(root=root, settings=settings, runner=runner, environ=environ)
    return document(check.check(project)), runner.seconds


def _files(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in IGNORED]
        yield from ((Path(folder) / name).relative_to(root).as_posix() for name in names)


def judged(
    case: str, report: Mapping[str, Any], text: str, files: list[str], result: Result
) -> Score:
    """Count one case and return its own score."""
    rows, silent = read(text, files)
    score = Score()
    findings = report["findings"]
    for row in rows:
        if not row.wanted:
            continue
        hit = any(matches(each, row) for each in findings)
        for each in (score, result.total, result.rules[min(row.rules)]):
            each.expected += 1
            each.found += hit
        line = f"{case[-30:]} {'/'.join(sorted(row.rules))} {row.severity}: {row.text[:160]}"
        if row.severity.startswith("error"):
            result.errors.append((line, hit))
        if not hit:
            result.misses.append(line)
    for finding in findings:
        _judge(case, finding, rows, silent, (score, result.total), result)
    return score


def _judge(  # noqa: PLR0913 - what one finding is held against
    case: str,
    finding: Mapping[str, Any],
    rows: list[Expected],
    silent: list[Expected],
    scores: tuple[Score, Score],
    result: Result,
) -> None:
    right = [row for row in rows if row.wanted and matches(finding, row)]
    if not right and any(row.neutral and matches(finding, row) for row in rows):
        return
    for each in (*scores, result.rules[finding["rule"]]):
        each.said += 1
        each.right += bool(right)
    places = " ".join(f"{each['file']}:{each['line']}" for each in finding["where"][:4])
    line = f"{case[-30:]} {finding['rule']} {finding['severity']} {finding['subject'][:50]}: "
    line += f"{finding['message'][:160]} [{places}]"
    if not right:
        result.extra.append(line)
        traps = [row for row in rows if not row.wanted and not row.neutral]
        if any(matches(finding, row) for row in traps):
            result.quiet.append(line)
    broken = [row for row in silent if violates(finding, row)]
    keyed = finding["rule"] in {"PAR301", "PAR302", "PAR303"}
    if broken and (keyed or not right):
        result.quiet.append(f"{line}\n      {broken[0].text.strip()[:120]}")


def _print(result: Result, *, show: bool) -> None:
    print()
    for rule in sorted(result.rules):
        print(f"{rule}   {result.rules[rule]}")
    print(f"\nall      {result.total}")
    missed = [line for line, hit in result.errors if not hit]
    print(f"errors   {len(result.errors) - len(missed)} of {len(result.errors)} found")
    for title, lines in (
        ("expected errors that are missing", missed),
        ("said although it must stay quiet (to be judged by eye)", result.quiet),
        ("misses", result.misses if show else []),
        ("false positives", result.extra if show else []),
    ):
        if lines:
            print(f"\n{title}:")
            print("\n".join(f"  {line}" for line in lines))


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:3.0f} %" if whole else "    -"


if __name__ == "__main__":
    sys.exit(main())
