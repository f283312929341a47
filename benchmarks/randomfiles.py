"""Random env files from a seed: the same ones for the benchmark and for the tests."""

from __future__ import annotations

import random
from collections.abc import Mapping

# Words that stand for what people write, and for what has led readers apart.
WORDS = [
    *"aAbB01 -_./:,=@%+~?!&*()[]<>;|^\t",
    *["'", '"', "`", "\\", "#", "$", "{", "}"],
    *["postgres", "http://", "localhost:5432", "secret", "é", "\u00a0", "\u2003", "日本"],
    *["${A}", "${B}", "${A:-d}", "${N:-w/x}", "${C:-}", "$A", "$N", "$1", "$$", "${A-", "${B:+x}"],
    *["${N:-${A}}", "$(id)", "\\$", "\\n", "\\t", "\\\\", '\\"', "\\'", " #", "#c", "\\0", "''"],
    *["export", "\n", "\r\n", "\nC=", "\n# c\n", "=", "://u:p@h/d?x=1&y=2"],
]  # fmt: skip
PLAIN = [*"aAbB01 -_./:,=@%+~?!&*()[]<>;|^", "postgres", "http://", "é", "日本", "${A}", "${B:-d}"]
STARTS = [*["A=", "B=", "C=", "D="] * 4, "D =", "export E=", "F= ", "A.b=", "G-h=", "A: ", "X"]
QUOTES = ["", "", "", "'", "'", '"', '"', '"', "`"]
CLOSED = 0.9
# A few only: files with the same one share one call of Compose.
PROCESSES: tuple[Mapping[str, str], ...] = (
    *({},) * 6,
    {"A": "plain"},
    {"B": "", "N": "a b"},
    {"N": "p$A", "C": "$"},
    {"A": "x#y", "B": "${N:-d}"},
)


def files(seed: int, count: int) -> list[tuple[str, Mapping[str, str]]]:
    """Return texts with the process environment they are read in.

    Two in three are of plain words, so that enough of them pass without a finding.
    """
    source = random.Random(seed)  # noqa: S311 - a repeatable sequence
    return [_file(source) for _ in range(count)]


def _file(source: random.Random) -> tuple[str, Mapping[str, str]]:
    words = source.choice([PLAIN, PLAIN, WORDS])
    lines = [_line(source, words) for _ in range(source.randint(1, 5))]
    end = source.choice(["\n", "\n", "\n", ""])
    break_ = source.choice(["\n"] * 9 + ["\r\n"])
    return break_.join(lines) + end, source.choice(PROCESSES)


def _line(source: random.Random, words: list[str]) -> str:
    quote = source.choice(QUOTES)
    value = "".join(source.choices(words, k=source.randint(0, 6)))
    close = quote if source.random() < CLOSED else source.choice(["", quote + " # c", "x"])
    if words is PLAIN and quote == "":
        value = value.strip()
    return source.choice(STARTS) + quote + value + close
