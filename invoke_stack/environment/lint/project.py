"""`env.lint`: the portability of every env file that a mode of the project reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from invoke_stack import rights
from invoke_stack.compose import files, interpolation
from invoke_stack.compose.files import ComposeFiles
from invoke_stack.environment import declared, layers, selection, shown
from invoke_stack.environment.lint import apps, bypass, layering
from invoke_stack.environment.lint.check import Checked, check
from invoke_stack.environment.lint.layering import Found, Layered
from invoke_stack.environment.lint.model import RULES, Issue, nameable
from invoke_stack.environment.selection import ALL, Selection
from invoke_stack.errors import UsageError
from invoke_stack.findings.model import Finding, Place, Remark, Report
from invoke_stack.modes import Mode
from invoke_stack.project import Project


def report(project: Project, only: Selection = ALL) -> Report:
    """Return what is not portable about the env files of a mode.

    Args:
        project: the project.
        only: the env files of this service or folder; all of them by default.

    Raises:
        UsageError: no such folder or service, or an env file that cannot be read.
    """
    return _Run(project, project.mode(), only).report()


@dataclass(frozen=True, slots=True)
class _Run:
    """One check of a project in one mode."""

    project: Project
    mode: Mode
    only: Selection

    def report(self) -> Report:
        found: list[Finding] = []
        passes: list[Remark] = []
        read: set[Path] = set()
        for folder in self._folders():
            paths = self._paths(folder)
            family = self._family(folder, paths)
            read |= set(paths)
            found += [issue.finding(name) for name, issue in self._issues(folder, family)]
            passes += _clean(family, found)
            found += self._of_templates(folder, family)
        if not self.only:
            found += self._by_services(read)
        return Report(tuple(dict.fromkeys(found)), tuple(passes), rules=RULES)

    def _folders(self) -> list[Path]:
        root = self.project.root
        main = declared.main_folder(self.project)
        found = dict.fromkeys([main, *sorted(shown.folders(root) - {root})])
        meant = selection.chosen(self.project, self.only)
        chosen = [each for each in found if meant(each)]
        selection.require(chosen, self.only)
        return chosen

    def _paths(self, folder: Path) -> tuple[Path, ...]:
        return layers.layer_paths(folder, self.mode, custom=self.project.custom_modes())

    def _environ(self) -> dict[str, str]:
        node = {"NODE_ENV": self.mode.node} if self.mode.node else {}
        return {**self.project.environ, **node, **self.project.overrides}

    def _family(self, folder: Path, paths: tuple[Path, ...]) -> Layered:
        lower: set[str] = set()
        checked = []
        for path in paths:
            each = self._checked(path, lower, next_app=apps.is_next_app(folder))
            checked.append((layers.shown(path, self.project.root), each))
            lower |= {statement.key for statement in each.statements}
        return layering.layered(checked, self._environ())

    def _checked(self, path: Path, lower: set[str], *, next_app: bool) -> Checked:
        file = layers.shown(path, self.project.root)
        layers.refuse_other_than_file(path, file)
        try:
            data = path.read_bytes()
        except OSError as error:
            reason = f"cannot be read: {(error.strerror or 'unknown reason').lower()}"
            raise UsageError(file, reason, hint=rights.way_out(path, error)) from None
        allow = self.project.settings.env.allow
        return check(data, self._environ(), lower=lower, allow=allow, next_app=next_app)

    def _issues(self, folder: Path, family: Layered) -> Iterator[Found]:
        for name, checked in family.files:
            yield from ((name, issue) for issue in checked.issues)
        environ = self._environ()
        yield from layering.issues(family, self.mode, environ)
        yield from layering.shadowed(family, {**self.project.environ}, self.mode)
        if apps.is_next_app(folder):
            yield from self._expanded_again(folder, {**family.values, **_named(family, environ)})

    def _expanded_again(self, folder: Path, values: Mapping[str, str | None]) -> Iterator[Found]:
        for path, line, key in apps.expanded_again(folder, self.mode.node, values):
            name = layers.shown(path, self.project.root)
            message, fix = apps.EXPANDED_AGAIN, apps.FIX
            yield name, Issue("ENV-NEXT-PROC", "error", line, nameable(key), message, fix)

    def _of_templates(self, folder: Path, family: Layered) -> Iterator[Finding]:
        """Yield what the files that come out of the mode's templates would be told.

        A warning of theirs is for information: nothing reads a template itself.
        """
        found = layers.templates(folder)
        left = layers.leftover(folder, custom=self.project.custom_modes())
        known = {key for path in found.values() for key in self._keys(path)} | {*family.values}
        for target, path in found.items():
            if target in self.mode.layers or target in left:
                name = layers.shown(path, self.project.root)
                for each in self._checked(path, known, next_app=False).issues:
                    level = each.severity if each.severity == "error" else "info"
                    yield replace(each.finding(name), severity=level)

    def _by_services(self, read: set[Path]) -> Iterator[Finding]:
        """Yield what `env_file:` entries read: one layer of several, or a file of their own."""
        try:
            found = files.find(self.project, self.mode, self._environ())
        except UsageError:  # env files without a stack are fine
            return
        others: dict[Path, None] = {}
        for service, path, place in self._entries(found):
            family = self._paths(path.parent)
            if path in family and len(family) > 1:
                yield _bypass(service, place)
            elif path not in read and path.exists():
                others[path] = None
        known = {key for path in read for key in self._keys(path)}
        for path in others:
            name = layers.shown(path, self.project.root)
            checked = self._checked(path, known, next_app=False)
            yield from (issue.finding(name) for issue in checked.issues)

    def _keys(self, path: Path) -> set[str]:
        checked = self._checked(path, set(), next_app=False)
        return {each.key for each in checked.statements}

    def _entries(self, found: ComposeFiles) -> Iterator[tuple[str, Path, Place]]:
        for compose in found.paths:
            file = layers.shown(compose, self.project.root)
            for service, entry, line in bypass.env_files(compose):
                try:
                    template = interpolation.parse(entry, file)
                    text = interpolation.expand(template, self._environ().get)
                except UsageError:
                    continue
                yield service, (found.folder / text).resolve(), Place("local", file, line)


def _named(family: Layered, environ: Mapping[str, str]) -> dict[str, str]:
    keys = {each.key for _, checked in family.files for each in checked.statements}
    return {key: environ[key] for key in keys if key in environ}


def _bypass(service: str, place: Place) -> Finding:
    return Finding(
        "ENV-BYPASS",
        "warning",
        "high",
        service,
        "`env_file:` names one of several layers: a plain `docker compose up` misses the others",
        "start it through inv stack.*, or name the files in the order of the layers",
        (place,),
    )


def _clean(family: Layered, found: list[Finding]) -> Iterator[Remark]:
    flagged = {place.file for each in found for place in each.where}
    for name, checked in family.files:
        if name not in flagged:
            count = len(checked.statements)
            message = f"{count} keys read the same by Compose, Next.js and python-dotenv"
            yield Remark("ENV", name, message, where=(Place("local", name),))
