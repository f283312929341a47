"""Does our Dockerfile parser read what BuildKit's reads? 5,000 generated files, one by one.

Run `python benchmarks/dockerfiles.py [COUNT]`; needs the development dependency `dockerfile`,
which is BuildKit's own parser. The first file on which the two differ is printed, exit 1.

Files are made of what people write (stages, continued RUNs with comments inside, heredocs, JSON
forms, flags, old ENV spelling) and of what they get wrong (loose quotes, missing ends). Left out
on purpose, because the BuildKit inside the wheel (0.12.5) is older than today's: `<< EOF` with
a space, and `${X#y}`, which it knows neither of.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from typing import Any

import dockerfile as buildkit

from invoke_stack.dockerfile.parser import instructions
from invoke_stack.errors import UsageError

COUNT = 5000
_WORDS = (
    "app", "node", "/srv/x", "./a", "*.js", "x=1", "a=b=c", "${X}", "$X", "${X:-y z}", "$(ls)",
    "&&", "||", ";", "|", "\\", "\\\\", "\\n", "'it is'", '"a b"', '"a\\"b"', "it's",
    '"', "#x", "é",
    "--flag", "-f", "=", "`", "80/tcp", ">out", "$$", "${}", "${X", "<a", "as", "AS", "\t", "  ",
    "日本",
)  # fmt: skip
_NAMES = (
    "RUN", "run", "CMD", "ENTRYPOINT", "COPY", "ADD", "ENV", "LABEL", "ARG", "EXPOSE", "USER",
    "WORKDIR", "VOLUME", "STOPSIGNAL", "SHELL", "HEALTHCHECK", "ONBUILD RUN", "ONBUILD COPY",
    "MAINTAINER", "FROM", "ONBUILD", "UNKNOWN",
)  # fmt: skip
_JSON = (
    '["a","b"]', '[ "sh", "-c", "x \\"y\\"" ]', "[]", "['a']", '["a",]', '["a", 1]', '["a"',
    '["é"]',
    '["a"] tail', '[ "a" , "\\u00e9" ]', '[["a"]]', "[null]", '["a\tb"]', '["C:\\x"]',
)  # fmt: skip
_FLAGS = (
    "--from=build",
    "--chown=a:b",
    '--mount=type=x,id="a b"',
    "--link",
    "--",
    "--x='y z'",
    "--a\\ b",
)
_ENDS = ("EOF", "E1", '"EOF"', "'EOF'", "-EOF", '-"A B"')


def made(seed: int) -> str:
    """Return the text of a Dockerfile; the same one for the same seed."""
    dice = random.Random(seed)  # noqa: S311 -- nothing secret
    head = dice.choice(
        ("", "", "# syntax=docker/dockerfile:1\n", "# escape=`\n", "#escape = \\\n", "\ufeff")
    )
    end = dice.choice(("\n", "\n", "\n", "\r\n"))
    escape = "`" if "`" in head else "\\"
    blocks = ["FROM node:20 AS build", *(_block(dice, escape) for _ in range(dice.randint(1, 12)))]
    text = head + "\n".join(blocks) + dice.choice(("", "\n", "\n\n"))
    return text.replace("\n", end)


def _block(dice: random.Random, escape: str) -> str:
    kinds: tuple[Callable[[random.Random, str], str], ...] = (
        _plain, _plain, _plain, _continued, _heredoc, _pairs, _list, _comment,
    )  # fmt: skip
    return dice.choice(("", "", "  ", "\t")) + dice.choice(kinds)(dice, escape)


def _words(dice: random.Random, most: int = 6) -> str:
    return dice.choice((" ", " ", "  ")).join(dice.choices(_WORDS, k=dice.randint(0, most)))


def _plain(dice: random.Random, _: str) -> str:
    flags = " ".join(dice.choices(_FLAGS, k=dice.choice((0, 0, 1, 2))))
    kind = dice.choice(("CMD ", "NONE", "")) if dice.random() < 0.1 else ""  # noqa: PLR2004
    return f"{dice.choice(_NAMES)} {flags} {kind}{_words(dice)}"


def _continued(dice: random.Random, escape: str) -> str:
    lines = [f"{dice.choice(_NAMES)} {_words(dice)}"]
    for _ in range(dice.randint(1, 4)):
        lines[-1] += dice.choice((f" {escape}", f" {escape}  ", escape, escape * 2))
        lines.append(dice.choice((_words(dice), f"  # note {escape}", "", "   ", "# x", "\t&& y")))
    return "\n".join(lines)


def _heredoc(dice: random.Random, _: str) -> str:
    name = dice.choice(("RUN", "COPY", "ADD", "ONBUILD RUN", "CMD"))
    ends = dice.choices(_ENDS, k=dice.choice((1, 1, 2)))
    first = f"{name} {' '.join('<<' + end for end in ends)} {_words(dice, 2)}"
    lines = [first]
    for end in ends:
        body = ("echo hi", "USER root", "# no comment", "  \\", "", "\tin", "FROM x")
        lines += dice.choices(body, k=dice.randint(0, 3))
        tabs = dice.choice(("", "\t")) if end.startswith("-") else ""
        lines.append(tabs + end.removeprefix("-").strip("\"'"))
    return "\n".join(lines)


def _pairs(dice: random.Random, _: str) -> str:
    values = ("1", '"a b"', "a\\ b", "'x'", "", "$X", '"open', "${X:-a}", "é")
    pairs = [f"K{n}={dice.choice(values)}" for n in range(dice.randint(0, 4))]
    old = dice.choice(((), (), ("key value here",), ("alone",)))
    return f"{dice.choice(('ENV', 'LABEL', 'ARG'))} {dice.choice((' ', '  ')).join([*old, *pairs])}"


def _list(dice: random.Random, _: str) -> str:
    name = dice.choice(("CMD", "RUN", "COPY", "VOLUME", "ENTRYPOINT", "SHELL", "HEALTHCHECK CMD"))
    return f"{name} {dice.choice(_JSON)}"


def _comment(dice: random.Random, _: str) -> str:
    return dice.choice(("# comment", "#", "  # escape=`", "", "   ", "#comment \\"))


def theirs(text: str) -> Any:
    """Return what BuildKit's parser makes of a text; None when it refuses it."""
    try:
        found = buildkit.parse_string(text)
    except buildkit.GoParseError:
        return None
    return [
        (
            (each.cmd or "").upper(), (each.sub_cmd or "").upper(), each.json, each.start_line,
            each.end_line,
            each.flags, tuple(filter(None, each.value)) if each.value == ("",) else each.value,
            # Of an ONBUILD the wheel shows no heredocs, only where they end.
            () if each.sub_cmd else tuple((doc.name, doc.content) for doc in each.heredocs),
        )
        for each in found
    ]  # fmt: skip


def ours(text: str) -> Any:
    """Return the same of our own parser."""
    try:
        found = instructions(text, "Dockerfile")
    except UsageError:
        return None
    return [
        (
            each.name, each.trigger.name if each.trigger else "", (each.trigger or each).exec,
            each.line, each.end, each.flags,
            () if (each.trigger or each).args == ("",) else (each.trigger or each).args,
            () if each.trigger else tuple((doc.name, doc.text) for doc in each.heredocs),
        )
        for each in found
    ] or None  # fmt: skip


def difference(text: str) -> str:
    """Return where the two differ; "" when they agree."""
    left, right = theirs(text), ours(text)
    if left == right:
        return ""
    if left is None or right is None:
        return f"BuildKit {'refuses' if left is None else 'takes'} it, we do not agree\n{text!r}"
    pairs = (f"BuildKit {a}\nours     {b}" for a, b in zip(left, right, strict=False) if a != b)
    return next(pairs, f"BuildKit {len(left)} instructions, ours {len(right)}") + f"\n{text!r}"


def main(count: int = COUNT) -> int:
    """Compare, and say how many agree and how long each parser took."""
    started = time.perf_counter()
    texts = [made(seed) for seed in range(count)]
    wrong = [(seed, found) for seed, text in enumerate(texts) if (found := difference(text))]
    for seed, found in wrong[:5]:
        print(f"seed {seed}: {found}")
    refused = sum(theirs(text) is None for text in texts)
    taken = time.perf_counter() - started
    print(
        f"{count - len(wrong)} of {count} files read as BuildKit reads them"
        f" ({refused} refused by both), {taken:.1f} s"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*(int(each) for each in sys.argv[1:2])))
