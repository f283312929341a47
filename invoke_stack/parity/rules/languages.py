"""PAR505: which version of its language each side runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from invoke_stack.findings.model import Severity
from invoke_stack.parity.declaration import Process
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.rule import Found, Outcome, Passed, places, rule
from invoke_stack.parity.rules import sides
from invoke_stack.parity.values import Src, Val, Version, version

_IMAGES = {"node": "node", "python": "python", "ruby": "ruby", "golang": "go"}
_TWO = frozenset({"python", "ruby", "go"})
"""Languages whose first two numbers make the difference."""
_BOUND = re.compile(r"(>=|<=|>|<|\^|~|=)?\s*v?(\d+)(?:\.(\d+|x|\*))?(?:\.(\d+|x|\*))?")


@dataclass(frozen=True, slots=True)
class Stated:
    """A version and who states it: an image, production, or a file of the project."""

    who: str
    language: str
    value: Version
    src: Src
    side: str


@rule("PAR505", "Language major differs", "warning", "high")
def languages(facts: Facts) -> Iterator[Outcome]:
    """Compare every place that says which Node, Python, Ruby or Go runs a process."""
    told: set[tuple[Src, ...]] = set()
    for name, language, stated in _groups(facts):
        clash = _clash(language, stated)
        where = places(
            [each.src for each in stated if each.side == "production"],
            [each.src for each in stated if each.side == "local"],
        )
        key = tuple(sorted(each.src for each in clash or stated))
        if key in told:
            continue
        told.add(key)
        if not clash:
            if len(stated) > 1:
                yield Passed(name, f"{language} {stated[0].value} everywhere", where)
            continue
        one, two = clash
        message = f"{language} differs: {two.who} runs {two.value}, {one.who} says {one.value}"
        level: Severity | None = "error" if one.value.range else None
        fix = _fix(one, two)
        yield Found(
            f"{language} of {name}" if name != "." else language, message, where, fix, level
        )


def _groups(facts: Facts) -> Iterator[tuple[str, str, list[Stated]]]:
    """Yield what belongs together: a paired process, then each Dockerfile with its folder."""
    for pair in facts.pairing.processes:
        both = {**pair.production.lang, **pair.local.lang}
        for language in both:
            found = [*_of(pair.production, language, "production"),
                     *_of(pair.local, language, "local")]  # fmt: skip
            yield pair.production.name, language, found
    for path, parsed in facts.repository.dockerfiles.items():
        if sides.dev_file(path.rpartition("/")[2]):
            continue
        for stage in parsed.stages:
            language = _IMAGES.get(sides.repository_name(stage.image), "")
            found_version = version(sides.tag(stage.image))
            if stage.parent is None and language and found_version.parts:
                image = Stated(path, language, found_version, Src(path, stage.line), "local")
                folder = path.rpartition("/")[0] or "."
                yield path, language, [*_files(facts, language, folder), image]


def _of(process: Process, language: str, side: str) -> Iterator[Stated]:
    found = process.lang.get(language)
    if found is not None and found.value is not None and found.known:
        src = found.src if found.src.file else process.src
        yield Stated(f"{side} ({process.name})", language, found.value, src, side)


def _files(facts: Facts, language: str, folder: str) -> Iterator[Stated]:
    """Yield what the files beside a Dockerfile, or else at the root, state."""
    for each in facts.repository.languages.get(language, ()):
        home = each.src.file.rpartition("/")[0] or "."
        if home == folder and each.value is not None and each.value.parts:
            yield _stated(language, each)


def _stated(language: str, found: Val[Version]) -> Stated:
    value = found.value or Version("")
    return Stated(found.src.file, language, value, found.src, "local")


def _clash(language: str, stated: list[Stated]) -> tuple[Stated, Stated] | None:
    """Return the first two that cannot both be right: what is asked, what runs."""
    for number, one in enumerate(stated):
        for two in stated[number + 1 :]:
            if not _agree(language, one.value, two.value):
                swapped = two.value.range and not one.value.range
                return (two, one) if swapped else (one, two)
    return None


def _agree(language: str, one: Version, two: Version) -> bool:
    if not one.parts or not two.parts:
        return True
    if one.range and two.range:
        return True
    if one.range or two.range:
        ranged, plain = (one, two) if one.range else (two, one)
        return within(plain, ranged.text)
    size = 2 if language in _TWO and min(len(one.parts), len(two.parts)) > 1 else 1
    return one.parts[:size] == two.parts[:size]


def within(plain: Version, text: str) -> bool:
    """Tell whether some release of a (short) version lies in a range like `>=20.1 <23 || 24.x`."""
    return any(_within(plain, part) for part in text.split("||"))


def _within(plain: Version, text: str) -> bool:
    text = re.sub(r"(\S+)\s+-\s+(\S+)", r">=\1 <=\2", text.replace(",", " "))
    for mark, major, minor, _ in _BOUND.findall(text):
        bound = (int(major), *([int(minor)] if minor.isdecimal() else []))
        size = min(len(bound), len(plain.parts))
        have, want = plain.parts[:size], bound[:size]
        shorter = len(plain.parts) < len(bound)
        fits = {
            ">=": have >= want,
            ">": have > want or (have == want and (shorter or len(bound) == 1 < len(plain.parts))),
            "<=": have <= want,
            "<": have < want or (have == want and shorter and bound[size:] > (0,)),
            "~": have == want,
            "^": have[:1] == want[:1] and have >= want,
        }.get(mark, have == want)
        if not fits:
            return False
    return True


def _fix(asked: Stated, runs: Stated) -> str:
    major = asked.value.major
    if asked.value.range or runs.src.file.rpartition("/")[2].startswith("Dockerfile"):
        names = {"go": "golang"}
        return f"FROM {names.get(runs.language, runs.language)}:{major}"
    return f"{runs.src.file}: {asked.value}"
