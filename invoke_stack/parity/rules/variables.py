"""PAR301-303 and 310: variables that one side has and the other has not."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

from invoke_stack.findings.model import Severity
from invoke_stack.parity.pairing import Pair
from invoke_stack.parity.parts import EnvFile, EnvVar
from invoke_stack.parity.repository import Facts, Template
from invoke_stack.parity.rule import Found, Outcome, Passed, places, rule
from invoke_stack.parity.rules import needed, sides
from invoke_stack.parity.rules.buildtime import told as build_time
from invoke_stack.parity.rules.contracts import stem
from invoke_stack.parity.values import Src

_SLIPS = 2
_LONG = 10
"""From this length on two letters may differ and still be a slip."""


@rule("PAR301", "Variable the app needs is not declared in production", "error")
def missing_in_production(facts: Facts) -> Iterator[Outcome]:
    """Compare what the app needs with what production declares."""
    if not facts.production.processes:
        return
    elsewhere = build_time(facts) | _contracted(facts)
    found = [each for key, each in needed.needed(facts).items() if key not in elsewhere]
    app = next((each for each in facts.production.processes.values() if each.role == "web"), None)
    target = app or next(iter(facts.production.processes.values()))
    line = sides.last_env_line(target)
    for each in found:
        level, group = _class(each)
        where = places([line], each.where)
        fix = sides.env_line(facts, each.key)
        yield Found(each.key, f"{each.key}", where, fix, level, group=group)
    if not found:
        yield Passed(target.name, "production declares every variable that is needed")


def _class(item: needed.Needed) -> tuple[Severity, str]:
    if item.required:
        return "error", "required, and not declared in production"
    if item.sensitive and item.required is None:
        return "warning", "secrets that are not declared in production"
    return "info", "set locally or in a template, and not declared in production"


def _contracted(facts: Facts) -> frozenset[str]:
    """Return the local keys whose other form production declares: PAR305 says that."""
    stems = {stem(key) for each in facts.production.processes.values() for key in each.env}
    local = {key for pair in facts.pairing.processes for key in needed.provided(pair.local)}
    return frozenset(key for key in local if stem(key) and stem(key) in stems)


@rule("PAR302", "Production variable missing locally")
def missing_locally(facts: Facts) -> Iterator[Outcome]:
    """Compare what production declares with what the local counterpart gets."""
    for pair in facts.pairing.processes:
        absent = list(_absent(facts, pair))
        open_files = [each for each in pair.local.env_files if _untold(each)]
        for var in absent:
            level: Severity | None = "info" if _optional(var) or open_files else None
            message = f"{var.key}"
            group = f"{pair.local.name} does not get what production declares"
            group += f" (unless {open_files[0].path} says it)" if open_files else ""
            local = open_files[0].src if open_files else sides.last_env_line(pair.local)
            fix = f"{var.key}="
            yield Found(var.key, message, places([var.src], [local]), fix, level, group=group)
        if not absent:
            message = f"{pair.local.name} gets every variable that production declares"
            yield Passed(pair.local.name, message)


def _absent(facts: Facts, pair: Pair) -> Iterator[EnvVar]:
    local = needed.provided(pair.local)
    stems = {stem(key) for key in local} - {""}
    for key, var in pair.production.env.items():
        if key in local or var.origin in {"image", "platform", "template"}:
            continue
        if needed.platform(key) or stem(key) in stems or (sides.public(key) and _static(pair)):
            continue
        if var.ref is not None and var.ref.kind == "database" and not _stored(facts, var):
            continue
        yield var


def _static(pair: Pair) -> bool:
    return pair.production.role == "static"


def _stored(facts: Facts, var: EnvVar) -> bool:
    """Tell whether the database that a reference names has a local counterpart."""
    name = var.ref.name if var.ref else ""
    return any(each.production.name == name for each in facts.pairing.datastores)


def _untold(file: EnvFile) -> bool:
    return not file.template and not file.committed


def _optional(var: EnvVar) -> bool:
    return var.origin == "secret_prompt" or var.required is False


@rule("PAR303", "Key looks misspelled across sides", "warning", "low")
def misspelled(facts: Facts) -> Iterator[Outcome]:
    """Find a key that only production has beside a nearly equal one that only the laptop has."""
    for pair in facts.pairing.processes:
        local, production = needed.provided(pair.local), pair.production.env
        ours = [key for key in local if key not in production and len(key) > len("API_KEY")]
        theirs = [key for key in production if key not in local and len(key) > len("API_KEY")]
        for mine in ours:
            for other in theirs:
                if _slip(mine, other):
                    message = f"{other} in production, {mine} locally"
                    where = places([production[other].src], [local[mine].src])
                    yield Found(other, message, where, f"{other}   (or {mine}) on both sides")


def _slip(one: str, two: str) -> bool:
    numbered = re.sub(r"\d+", "", one) == re.sub(r"\d+", "", two)
    forms = stem(one) and stem(one) == stem(two)
    if numbered or forms or abs(len(one) - len(two)) > _SLIPS:
        return False
    words = [set(each.split("_")) for each in (one, two)]
    if min(len(each) for each in words) > 1 and len(words[0] ^ words[1]) == len("ab"):
        first, second = words[0] - words[1], words[1] - words[0]
        if first and second and _distance(min(first), min(second)) > len("a"):
            return False
    return _distance(one, two) <= (_SLIPS if min(len(one), len(two)) >= _LONG else 1)


def _distance(one: str, two: str) -> int:
    """Return how many letters to change, add or drop."""
    row = list(range(len(two) + 1))
    for number, letter in enumerate(one, start=1):
        before, row[0] = row[0], number
        for index, other in enumerate(two, start=1):
            cost = min(row[index] + 1, row[index - 1] + 1, before + (letter != other))
            before, row[index] = row[index], cost
    return row[-1]


@rule("PAR310", "Compose does not read that template")
def unread_template(facts: Facts) -> Iterator[Outcome]:
    """Find templates that document variables in a file that Compose never interpolates."""
    folder = posixpath.dirname(sides.local_file(facts).file)
    names = {each.name: each for each in facts.local.variables}
    own = posixpath.normpath(posixpath.join(folder, ".env"))
    covered = {key for each in facts.repository.templates if each.target == own
               for key in each.keys}  # fmt: skip
    read_by = {each.path for process in sides.apps(facts.local) for each in process.env_files}
    for template in facts.repository.templates:
        if template.target == own or template.target not in read_by or _named(facts, template):
            continue
        keys = [key for key, var in template.keys.items()
                if key in names and key not in covered and not var.commented]  # fmt: skip
        if not keys:
            continue
        used = [Src(names[key].file, names[key].line) for key in keys[:3]]
        message = (
            f"{', '.join(keys)} in {template.target} change nothing in the compose file: "
            f"`docker compose` replaces ${{…}} from {own} alone"
        )
        lines = [template.keys[key].src for key in keys]
        fix = f"docker compose --env-file {template.target} …   (or `inv stack.up`)"
        yield Found(template.file, message, places((), [*lines, *used]), fix)


def _named(facts: Facts, template: Template) -> bool:
    """Tell whether a script hands the file to Compose with `--env-file`."""
    name = posixpath.basename(template.target)
    wanted = re.compile(rf"--env-file[ =]\S*{re.escape(name)}(?![\w.])")
    scripts: Iterable[str] = (
        value.value or ""
        for each in facts.repository.packages.values()
        for value in each.scripts.values()
    )
    if any(wanted.search(text) for text in scripts):
        return True
    workspace = facts.repository.workspace
    files = [each for each in workspace.below(".") if each.endswith((".sh", ".ps1", "Makefile"))]
    return any(wanted.search(workspace.text(each)) for each in files if workspace.readable(each))
