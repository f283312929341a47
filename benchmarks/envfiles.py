"""Env files: our readings against the real programs, and what lint misses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import randomfiles
import realreaders
from realreaders import FILE

from invoke_stack.environment.dotenv import parse
from invoke_stack.environment.layers import Layer
from invoke_stack.environment.lint import layering, next_env
from invoke_stack.environment.lint.check import Checked, check
from invoke_stack.environment.resolve import resolve
from invoke_stack.errors import UsageError
from invoke_stack.modes import find

COUNT, SEED = 6000, 20261120
Row = tuple[str, str, str, str, str]


def rows() -> list[Row]:
    """Return the measured rows: what, ours, peer, figure, target."""
    files = randomfiles.files(SEED, COUNT)
    with realreaders.next_package() as folder:
        return [
            _compose_row(files),
            _next_row(files, folder),
            _lint_row(files, folder),
            _layers_row(folder),
        ]


def ours(file: FILE) -> dict[str, str] | None:
    """Return what we resolve from one file, or None where we refuse it."""
    text, environ = file
    try:
        layer = Layer(".env", Path(".env"), parse(text.encode(), ".env"))
        return resolve(find("base"), [layer], environ, {}).exported()
    except UsageError:
        return None


def _compose_row(files: Sequence[FILE]) -> Row:
    accepted = [(file, values) for file in files if (values := ours(file)) is not None]
    real = realreaders.compose([file for file, _ in accepted])
    different = sum(
        theirs is None or _beside(theirs, file) != _beside(values, file)
        for (file, values), theirs in zip(accepted, real, strict=True)
    )
    return (
        f"{len(files)} random env files (seed {SEED}) vs `docker compose config`",
        f"{len(accepted)} accepted",
        f"{len(accepted)} read",
        f"{different} differences",
        "0",
    )


def _beside(values: dict[str, str], file: FILE) -> dict[str, str]:
    """Leave out what the process sets: in `env_file:` Compose takes the file's value for it."""
    return {key: text for key, text in values.items() if key not in file[1]}


def _next_row(files: Sequence[FILE], folder: Path | None) -> Row:
    what = "emulated Next.js vs `@next/env` 16 on one to three of the same files"
    if folder is None:
        return (what, "-", "no node, npm or network", "not measured", "0")
    cases = [
        ([text for text, _ in files[number : number + 1 + number % 3]], files[number][1])
        for number in range(len(files))
    ]
    # Such values make Node itself run out of memory.
    cases = [case for case in cases if not _explodes(case)]
    real = realreaders.next_env(cases, folder)
    different = 0
    for (texts, environ), (values, lost) in zip(cases, real, strict=True):
        read = next_env.read(texts, environ)
        different += {**environ, **read.values} != values or sorted(read.lost) != lost
    return (what, f"{len(cases)} cases", f"{len(real)} read", f"{different} differences", "0")


def _explodes(case: tuple[Sequence[str], object]) -> bool:
    whole = "".join(case[0])
    return any(mark in whole for mark in ("$&", "$'", "$`"))


def _lint_row(files: Sequence[FILE], folder: Path | None) -> Row:
    """Count the files on which the real readers differ and lint says nothing."""
    silent = [file for file in files if not check(file[0].encode(), file[1]).issues]
    compose = realreaders.compose(silent)
    node = (
        realreaders.next_env([([text], environ) for text, environ in silent], folder)
        if folder
        else []
    )
    missed = 0
    for number, file in enumerate(silent):
        theirs = compose[number]
        seen = [None if theirs is None else theirs, _python(file)]
        seen += [node[number][0]] if folder else []
        views = [None if each is None else _beside(each, file) for each in seen]
        missed += any(view != views[0] for view in views) or views[0] is None
    which = "three real readers" if folder else "python-dotenv and Compose (no @next/env here)"
    return (
        f"files that pass `env.lint` in silence vs {which}",
        f"{len(silent)} silent of {len(files)}",
        "-",
        f"{missed} missed",
        "0",
    )


def _layers_row(folder: Path | None) -> Row:
    """Count the folders that pass in silence and that Next.js reads otherwise than `env.show`."""
    what = "folders of 2 to 4 layers that pass in silence vs `@next/env` 16"
    if folder is None:
        return (what, "-", "no node, npm or network", "not measured", "0")
    files = [file for file in randomfiles.files(SEED + 1, 4 * COUNT) if "$" in file[0]]
    clean = [file for file in files if not check(file[0].encode(), {}, lower="ABCDEFX").issues]
    silent = []
    for number in range(len(clean) - 3):
        texts = [text for text, _ in clean[number : number + 2 + number % 3]]
        environ = clean[number][1]
        family = layering.layered(_checked(texts, environ), environ)
        flagged = any(checked.issues for _, checked in family.files)
        if not flagged and not list(layering.issues(family, find("dev"), environ)):
            silent.append((texts, environ, family.values))
    real = realreaders.next_env([(texts[::-1], environ) for texts, environ, _ in silent], folder)
    missed = sum(
        {**environ, **{key: text for key, text in ours.items() if text is not None}} != values
        for (_, environ, ours), (values, _) in zip(silent, real, strict=True)
    )
    return (what, f"{len(silent)} silent of {len(clean) - 3}", "-", f"{missed} missed", "0")


def _checked(texts: Sequence[str], environ: Mapping[str, str]) -> list[tuple[str, Checked]]:
    found: list[tuple[str, Checked]] = []
    lower: set[str] = set()
    for number, text in enumerate(texts):
        checked = check(text.encode(), environ, lower=lower)
        lower |= {each.key for each in checked.statements}
        found.append((str(number), checked))
    return found


def _python(file: FILE) -> dict[str, str]:
    return {key: text for key, text in realreaders.python(file).items() if text is not None}
