"""`env.init --rotate KEY`: a generated secret is replaced wherever it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from invoke_stack.environment import secretgen, types
from invoke_stack.environment.needs import Needs
from invoke_stack.environment.specs import Spec
from invoke_stack.environment.templates import Target
from invoke_stack.errors import UsageError
from invoke_stack.redaction import is_sensitive
from invoke_stack.scaffold import lines, urls
from invoke_stack.scaffold.ledger import DATABASE_KEYS, Make
from invoke_stack.scaffold.plan import Change, text_of


@dataclass(frozen=True, slots=True)
class Rotation:
    """A secret that is replaced.

    Attributes:
        database: the stack's database keeps the old one.
    """

    key: str
    changes: tuple[Change, ...]
    database: bool

    @property
    def question(self) -> str:
        """What to ask before it is done."""
        named = ", ".join(each.file for each in self.changes)
        text = f"replace {self.key} in {named}? The old value is gone afterwards."
        return f"{text}\n{KEEPS}" if self.database else text


KEEPS = (
    "the database keeps the old password: give it the new one too (ALTER ROLE … PASSWORD …), "
    "or the app cannot log in"
)


def plan(key: str, targets: Sequence[Target], needs: Needs, make: Make) -> Rotation:
    """Return what replaces a secret in all env files of the mode.

    Raises:
        UsageError: no template names the key, it is no secret of the project's own, or no env
            file has a value for it.
    """
    spec = _spec(key, targets)
    texts = [(each, text_of(each.path, each.file)) for each in targets]
    said = [
        (each, lines.values(text.removeprefix("\ufeff")).get(key)) for each, text in texts if text
    ]
    # With `--prod` the production file's own value, not that of `.env`, which it overrides.
    holders = sorted((each for each in said if each[1]), key=lambda each: not each[0].kind)
    if not holders:
        raise UsageError(key, "no env file has a value for it", hint="run: inv env.init")
    target, old = holders[0]
    new = make(spec.generate or secretgen.DEFAULT)
    changes = tuple(
        Change(each, text, after, added=(), generated=(key,))
        for each, text in texts
        if text
        and each.kind == target.kind
        and (after := _replaced(text, old or "", new, key)) != text
    )
    return Rotation(key, changes, database=key in needs.password_keys | DATABASE_KEYS)


def _spec(key: str, targets: Sequence[Target]) -> Spec:
    found = [each.template.specs[key] for each in targets if key in each.template.specs]
    if not found:
        known = [
            name for each in targets for name, spec in each.template.specs.items() if spec.generate
        ]
        raise types.unknown("--rotate", "key in a template", key, tuple(dict.fromkeys(known)))
    spec = next((each for each in found if each.generate), found[0])
    if spec.generate is None and not secretgen.self_made(key):
        raise UsageError(
            "--rotate",
            f"{key} is not a secret that is generated here",
            hint="mark it in the template: # @generate=hex(32)",
        )
    return spec


def _replaced(text: str, old: str, new: str, key: str) -> str:
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    parts = lines.split(text.removeprefix("\ufeff"))
    return mark + "".join(_part(each, old, new, key) for each in parts)


def _part(part: lines.Statement, old: str, new: str, key: str) -> str:
    if part.key is None or not part.value:
        return part.text
    if part.value == old and (part.key == key or is_sensitive(part.key, None)):
        return lines.with_value(part.text, lambda _: new)
    inside = urls.password(part.value)
    if inside is not None and inside.text == old:
        return lines.with_value(part.text, lambda url: urls.with_password(url, new))
    return part.text
