"""What `env.check` looks at: each family of env files, read as far as it can be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from invoke_stack.environment import dotenv, layers, resolve, templates
from invoke_stack.environment.checks.rules import finding
from invoke_stack.environment.layers import Layer
from invoke_stack.environment.marks import marks
from invoke_stack.environment.needs import Needs
from invoke_stack.environment.specs import Spec
from invoke_stack.environment.templates import Target
from invoke_stack.environment.values import ResolvedEnv, Value
from invoke_stack.errors import UsageError
from invoke_stack.findings.model import Finding, Place
from invoke_stack.project import Project
from invoke_stack.redaction import is_sensitive

_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Family:
    """The env files of one folder in a mode.

    Attributes:
        main: whether they are the project's own, which Compose is given.
        targets: what the templates make of it, lowest rank first.
        env: the resolved values; without references where those cannot be resolved.
        findings: what is wrong with the files themselves.
    """

    folder: Path
    main: bool
    layers: tuple[Layer, ...]
    targets: tuple[Target, ...]
    env: ResolvedEnv = field(repr=False)
    findings: tuple[Finding, ...] = ()

    def specs(self) -> dict[str, tuple[Spec, Target]]:
        """Return what the templates ask of each key; the higher rank counts."""
        return {
            key: (spec, target)
            for target in self.targets
            for key, spec in target.template.specs.items()
        }

    def sensitive(self, layer: Layer) -> bool:
        """Tell whether a file holds a secret."""
        specs = self.specs()
        return any(
            (key in specs and specs[key][0].sensitive) or is_sensitive(key, text)
            for key, text in literal(layer).items()
            if text
        )


def families(project: Project, needs: Needs) -> tuple[Family, ...]:
    """Return every family of env files in a project.

    Raises:
        UsageError: a template with a mistake in it.
    """
    targets = templates.targets(project, needs)
    main = templates.main_folder(project)
    found = []
    for folder in dict.fromkeys((*templates.folders(project), *(each.folder for each in targets))):
        own = tuple(each for each in targets if each.folder == folder)
        found.append(_family(project, needs, folder, own, main=folder == main))
    return tuple(each for each in found if each.layers or each.targets or each.main)


def literal(layer: Layer) -> dict[str, str]:
    """Return a file's values as they are written, references included as `$`."""
    return {
        each.key: "".join(part if isinstance(part, str) else "$" for part in each.template)
        for each in layer.assignments
        if each.template is not None
    }


def _family(
    project: Project, needs: Needs, folder: Path, targets: tuple[Target, ...], *, main: bool
) -> Family:
    findings: list[Finding] = []
    paths = list(layers.layer_paths(folder, needs.mode, custom=project.custom_modes()))
    # A file that only `env_file:` names ranks just above `.env`.
    others = [each.path for each in targets if each.path.is_file() and each.path not in paths]
    rank = 1 if paths and paths[0].name == ".env" else 0
    read = [
        layer
        for path in (*paths[:rank], *others, *paths[rank:])
        if (layer := _layer(project, path, findings)) is not None
    ]
    env = _resolved(project, needs, read, targets, findings, main=main)
    project.secrets.learn(env.secrets())
    return Family(folder, main, tuple(read), targets, env, tuple(findings))


def _layer(project: Project, path: Path, findings: list[Finding]) -> Layer | None:
    """Read a file, leaving out the lines that are refused."""
    file, allow = project.shown(path), project.settings.env.allow
    try:
        text = dotenv.decode(path.read_bytes(), file)
    except UsageError as problem:
        findings.append(_refused(problem, file))
        return None
    except OSError as problem:
        reason = (problem.strerror or "unknown reason").lower()
        findings.append(finding("ENV-SYNTAX", "error", file, f"cannot be read: {reason}"))
        return None
    for number in range(_ROUNDS):
        try:
            found = dotenv.parse(text.encode(), file, allow=allow)
            return Layer(file, path, found, marks(text))
        except UsageError as problem:
            if number == 0:
                text = _mended(text, file, allow, findings)
                continue
            # Two lines that contradict each other.
            text, key = _without(text, problem.where)
            findings.append(_refused(problem, key or file))
    return None


def _mended(text: str, file: str, allow: Sequence[str], findings: list[Finding]) -> str:
    """Return a text without the statements that are refused, every other line where it was."""
    parts = []
    for binding, line in dotenv.statements(text):
        written = binding.original.string
        try:
            dotenv.parse(written.lstrip().encode(), file, allow=allow)
        except UsageError as problem:
            key = binding.key or ""
            place = Place("local", file, line)
            rule = "ENV-RESERVED" if _reserved(key, allow) else "ENV-SYNTAX"
            findings.append(
                finding(rule, "error", key or file, problem.message, problem.hint, place)
            )
            written = "\n" * written.count("\n")
        parts.append(written)
    return "".join(parts)


def _reserved(key: str, allow: Sequence[str]) -> bool:
    return bool(dotenv.RESERVED.fullmatch(key)) and key not in allow


def _refused(problem: UsageError, subject: str) -> Finding:
    return finding("ENV-SYNTAX", "error", subject, problem.message, problem.hint, _place(problem))


def _place(problem: UsageError) -> Place:
    file, _, line = problem.where.rpartition(":")
    return Place("local", file, int(line)) if line.isdigit() else Place("local", problem.where)


def _without(text: str, where: str) -> tuple[str, str]:
    """Return a text without the statement at a place, other lines where they were; and its key."""
    number = where.rpartition(":")[2]
    parts, key = [], ""
    for binding, line in dotenv.statements(text):
        written = binding.original.string
        if number.isdigit() and line == int(number):
            written, key = "\n" * written.count("\n"), binding.key or ""
        parts.append(written)
    return "".join(parts), key


def _resolved(  # noqa: PLR0913 - what a family's values come from
    project: Project,
    needs: Needs,
    read: Sequence[Layer],
    targets: Sequence[Target],
    findings: list[Finding],
    *,
    main: bool,
) -> ResolvedEnv:
    marked: Mapping[str, Mapping[str, str]] = {
        key: {"sensitive": ""} if spec.sensitive else {}
        for each in targets
        for key, spec in each.template.specs.items()
    }
    try:
        return resolve.resolve(
            needs.mode,
            read,
            project.environ,
            project.overrides,
            variables=needs.variables if main else (),
            templates_marks=marked,
        )
    except UsageError as problem:
        place = _place(problem)
        findings.append(
            finding("ENV-REF", "error", place.file, problem.message, problem.hint, place)
        )
    values = {}
    for layer in read:
        lines = {each.key: each.line for each in layer.assignments}
        for key, text in literal(layer).items():
            hidden = "sensitive" in marked.get(key, {}) or is_sensitive(key, text)
            values[key] = Value(key, text, "file", layer.file, lines[key], hidden)
    return ResolvedEnv(needs.mode.name, tuple(each.file for each in read), values)
