"""What `env.init` and `env.sync` would write: worked out without touching anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from invoke_stack.environment import dotenv, layers, placeholders
from invoke_stack.environment.needs import Needs
from invoke_stack.environment.specs import Spec
from invoke_stack.environment.templates import Target
from invoke_stack.errors import UsageError
from invoke_stack.project import Project
from invoke_stack.scaffold import lines, urls
from invoke_stack.scaffold.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Change:
    """One env file that is created or completed.

    Attributes:
        before: its text now; None where there is no such file.
        added: the keys it gets.
        filled: keys that were there without a value.
        generated: those among them that hold a new secret.
        open: required keys that a person has to fill in.
        empty: other keys among those added that have no value yet.
    """

    target: Target
    before: str | None = field(repr=False)
    after: str = field(repr=False)
    added: tuple[str, ...] = ()
    filled: tuple[str, ...] = ()
    generated: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """The env file's name as shown."""
        return self.target.file

    @property
    def differs(self) -> bool:
        """Whether there is anything to write."""
        return self.before != self.after


def text_of(path: Path, file: str) -> str | None:
    """Return an env file's text with its byte order mark, if it has one; None without a file.

    Raises:
        UsageError: it is no UTF-8 text, cannot be read, or is a link or no file.
    """
    if path.is_symlink():
        raise UsageError(file, "is a link", hint="put a file in its place, or change what it links")
    layers.refuse_other_than_file(path, file)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as problem:
        reason = (problem.strerror or "unknown reason").lower()
        raise UsageError(file, f"cannot be read: {reason}", hint="check its rights") from None
    dotenv.decode(data, file)
    return data.decode()


def existing(
    project: Project, needs: Needs, targets: Sequence[Target]
) -> Iterator[tuple[str, str, str]]:
    """Yield what the env files of the mode say already: (kind, key, value)."""
    folders = dict.fromkeys(each.folder for each in targets)
    kinds = {each.path: each.kind for each in targets}
    for folder in folders:
        for path in layers.layer_paths(folder, needs.mode, custom=project.custom_modes()):
            middle = path.name.removeprefix(".env").removesuffix(".local").strip(".")
            kinds.setdefault(path, "" if middle == "development" else middle)
    for path, kind in kinds.items():
        text = text_of(path, project.shown(path)) or ""
        for key, value in lines.values(text.removeprefix("\ufeff")).items():
            yield kind, key, value


def change(target: Target, ledger: Ledger) -> Change:
    """Return what a template's env file becomes."""
    before = text_of(target.path, target.file)
    made = {key: _filled(target, spec, ledger) for key, spec in target.template.specs.items()}
    if before is None:
        return _created(target, made, ledger)
    return _completed(target, before, made, ledger)


def synced(target: Target, known: Mapping[str, object]) -> Change | None:
    """Return an existing env file with the template's new keys, commented out."""
    before = text_of(target.path, target.file)
    if before is None:
        return None
    blocks = lines.blocks(target.template.text)
    missing = {
        key: lines.commented(block.text)
        for key, block in blocks.items()
        if key not in known and key not in _present(before) and not lines.is_bare(block.text)
    }
    after = _with(before, target.template.text, missing)
    return Change(target, before, after, added=tuple(missing))


def _filled(target: Target, spec: Spec, ledger: Ledger) -> str | None:
    """Return the value that replaces the template's; None where that one stays."""
    secret = ledger.secret(target, spec)
    if secret is not None:
        return secret
    inner = ledger.in_url(target, spec)
    return None if inner is None else urls.with_password(spec.value, inner)


def _created(target: Target, made: Mapping[str, str | None], ledger: Ledger) -> Change:
    parts = lines.split(target.template.text)
    after = "".join(_assigned(each, made) for each in parts)
    # What Compose or another reader would refuse must not come out of a template.
    dotenv.parse(after.encode(), target.template.file, allow=tuple(made))
    added = tuple(target.template.specs)
    fresh, lacking = _new(made, added, ledger), _open(target, after)
    return Change(target, None, after, added, (), fresh, lacking, _empty(after, added, lacking))


def _completed(
    target: Target, before: str, made: Mapping[str, str | None], ledger: Ledger
) -> Change:
    blocks = lines.blocks(target.template.text)
    missing = {
        key: _block(block.text, made)
        for key, block in blocks.items()
        if key not in _present(before)
    }
    mark = "\ufeff" if before.startswith("\ufeff") else ""
    parts = lines.split(before.removeprefix("\ufeff"))
    has = {each.key for each in parts if each.value}
    filled = {
        each.key
        for each in parts
        if each.key and each.value == "" and each.key not in has and made.get(each.key)
    }
    text = mark + "".join(
        _assigned(each, made) if each.key in filled else each.text for each in parts
    )
    after = _with(text, target.template.text, missing)
    given = tuple(missing) + tuple(sorted(str(key) for key in filled))
    lacking = _open(target, after)
    return Change(
        target,
        before,
        after,
        tuple(missing),
        given[len(missing) :],
        _new(made, given, ledger),
        lacking,
        _empty(after, tuple(missing), lacking),
    )


def _with(text: str, template: str, missing: Mapping[str, str]) -> str:
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    return mark + lines.completed(text.removeprefix("\ufeff"), template, missing)


def _present(text: str) -> set[str]:
    parts = lines.split(text.removeprefix("\ufeff"))
    return {each.key or each.aside for each in parts}


def _block(text: str, made: Mapping[str, str | None]) -> str:
    return "".join(_assigned(each, made) for each in lines.split(text))


def _assigned(part: lines.Statement, made: Mapping[str, str | None]) -> str:
    value = made.get(part.key or "")
    if value is None:
        return part.text
    if urls.password(part.value or "") is not None and "://" in value:
        # Only the password: references and escapes around it stay as they are written.
        found = urls.password(value)
        secret = found.text if found else ""
        return lines.with_value(part.text, lambda old: urls.with_password(old, secret))
    return lines.with_value(part.text, lambda _: value)


def _new(made: Mapping[str, str | None], keys: Sequence[str], ledger: Ledger) -> tuple[str, ...]:
    return tuple(key for key in keys if (text := made.get(key)) and ledger.was_generated(text))


def _open(target: Target, after: str) -> tuple[str, ...]:
    said = lines.values(after.removeprefix("\ufeff"))
    return tuple(
        key
        for key, spec in target.template.specs.items()
        if spec.required and key in said and (not said[key] or placeholders.reason(key, said[key]))
    )


def _empty(after: str, added: Sequence[str], lacking: Sequence[str]) -> tuple[str, ...]:
    said = lines.values(after.removeprefix("\ufeff"))
    return tuple(key for key in added if key not in lacking and said.get(key) == "")
