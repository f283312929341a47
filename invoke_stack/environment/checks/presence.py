"""Keys that are missing, empty, there twice, or named by no template."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from invoke_stack.compose import variables
from invoke_stack.environment import layers, marks, secretgen, specs
from invoke_stack.environment.checks.rules import Judge, finding, place
from invoke_stack.environment.checks.state import Family
from invoke_stack.environment.dotenv import statements
from invoke_stack.environment.needs import Needs
from invoke_stack.environment.specs import Spec
from invoke_stack.environment.templates import Target
from invoke_stack.errors import UsageError
from invoke_stack.findings.model import Finding, Place, Severity
from invoke_stack.project import Project

_ALWAYS_KNOWN = re.compile(r"NODE_ENV|APP_ENV|TZ|COMPOSE_.*|DOCKER_.*")
INIT = "inv env.init"


def check(family: Family, needs: Needs, judge: Judge) -> Iterator[Finding]:
    """Yield what is wrong with the keys of a family."""
    yield from _absent(family, judge)
    if family.main:
        yield from _demanded(family, needs)
    yield from _empty(family, judge)
    yield from _doubled(family)
    yield from _extra(family, needs, judge)


def _absent(family: Family, judge: Judge) -> Iterator[Finding]:
    present = {layer.path for layer in family.layers}
    aside = {key for layer in family.layers for key in _aside(layer.path)}
    unwritten: dict[Path, tuple[Target, list[Spec]]] = {}
    for key, (spec, target) in family.specs().items():
        value = family.env.values.get(key)
        if value is not None and value.text is not None:
            continue
        if target.path not in present:
            unwritten.setdefault(target.path, (target, []))[1].append(spec)
        elif spec.required or not (_is_marked(target) or key in aside):
            severity = "error" if spec.required else judge.level
            where = Place("template", target.template.file, spec.line)
            yield finding("ENV-MISSING", severity, key, f"not set in {target.file}", INIT, where)
    for target, lacking in unwritten.values():
        severity = "error" if any(each.required for each in lacking) else "warning"
        count = f"{len(lacking)} key{'' if len(lacking) == 1 else 's'}"
        message = f"does not exist, so {count} of its template are not set"
        where = Place("template", target.template.file)
        yield finding("ENV-MISSING", severity, target.file, message, INIT, where)


def _demanded(family: Family, needs: Needs) -> Iterator[Finding]:
    """Yield the variables that the compose files require."""
    values = family.env.values
    specs_ = family.specs()
    lacking = variables.missing(
        needs.variables, lambda name: values[name].text if name in values else None
    )
    for each in lacking:
        if each.name in specs_ and specs_[each.name][0].required:
            continue  # told already
        reason = f": {each.message}" if each.message else ""
        where = Place("local", each.file, each.line)
        message = f"required by the compose file and not set{reason}"
        yield finding("ENV-MISSING", "error", each.name, message, f"set it, or: {INIT}", where)


def env_files(project: Project, families: Sequence[Family], needs: Needs) -> Iterator[Finding]:
    """Yield the files that services cannot do without and that no template makes."""
    made = {target.path for family in families for target in family.targets}
    for entry in needs.env_files:
        try:
            layers.refuse_other_than_file(entry.path, project.shown(entry.path))
        except UsageError as problem:
            where = Place("local", problem.where)
            yield finding(
                "ENV-SYNTAX", "error", problem.where, problem.message, problem.hint, where
            )
        if entry.required and entry.path not in made and not entry.path.exists():
            file = project.shown(entry.path)
            message = (
                "a service names it as `env_file:`, but it does not exist and no template makes it"
            )
            fix = "write it, or mark it `required: false` in the compose file"
            yield finding("ENV-MISSING", "error", file, message, fix, Place("local", file))


def _empty(family: Family, judge: Judge) -> Iterator[Finding]:
    for key, (spec, target) in family.specs().items():
        value = family.env.values.get(key)
        if value is None or value.text != "":
            continue
        own = spec.generate is not None or (spec.sensitive and secretgen.self_made(key))
        if spec.required or own:
            severity = "error" if spec.required else judge.level
            fix = f"{INIT} makes one" if spec.generate else _by_hand(spec, target)
            asked = Place("template", target.template.file, spec.line)
            yield finding("ENV-EMPTY", severity, key, "has no value", fix, place(value), asked)


def _by_hand(spec: Spec, target: Target) -> str:
    example = f", for example {spec.example}" if spec.example else ""
    return f"give it a value in {target.file}{example}"


def _doubled(family: Family) -> Iterator[Finding]:
    for layer in family.layers:
        lines: dict[str, list[int]] = {}
        for each in layer.assignments:
            lines.setdefault(each.key, []).append(each.line)
        for key, found in lines.items():
            if len(found) > 1:
                places = [Place("local", layer.file, line) for line in reversed(found)]
                message = f"set {len(found)} times in {layer.file}; the last line counts"
                yield finding("ENV-DUP", "warning", key, message, "keep one of the lines", *places)


def _extra(family: Family, needs: Needs, judge: Judge) -> Iterator[Finding]:
    known = {each.name for each in needs.variables} | _template_keys(family)
    if not family.targets:
        return
    unset = [
        key
        for key in family.specs()
        if key not in family.env.values or not family.env.values[key].text
    ]
    for layer in family.layers:
        # The first line of each key is enough; that there are more is told elsewhere.
        for each in {each.key: each for each in reversed(layer.assignments)}.values():
            if each.key in known or _ALWAYS_KNOWN.fullmatch(each.key):
                continue
            near = difflib.get_close_matches(each.key, unset, n=1, cutoff=0.8)
            message = "no template names it" + (f"; did you mean {near[0]}?" if near else "")
            severity: Severity = "warning" if near or judge.serious else "info"
            where = Place("local", layer.file, each.line)
            fix = f"rename it to {near[0]}" if near else "add it to the template, or remove it"
            yield finding("ENV-EXTRA", severity, each.key, message, fix, where)


def _template_keys(family: Family) -> set[str]:
    """Return what the folder's templates name, for whatever mode, commented out or not."""
    found = set(family.specs())
    paths = {target.template.path for target in family.targets}
    for path in paths | set(layers.templates(family.folder).values()):
        found |= _aside(path)
        try:
            found |= set(specs.read(path, path.name).specs)
        except UsageError:  # a template of another mode: its own check tells
            continue
    return found


def _aside(path: Path) -> set[str]:
    """Return the keys that stand commented out in a file."""
    text = path.read_text("utf-8", errors="replace")
    comments = (b.original.string.strip() for b, _ in statements(text) if b.key is None)
    return {key for each in comments if (key := marks.aside(each))}


def _is_marked(target: Target) -> bool:
    return any(found for _, found in marks.placed(target.template.text))
