"""Which secret belongs into which line: each is generated once, wherever it stands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

from invoke_stack.environment import placeholders
from invoke_stack.environment.secretgen import ALPHABET, Generator
from invoke_stack.environment.specs import Spec
from invoke_stack.environment.templates import Target
from invoke_stack.scaffold import urls

Identity: TypeAlias = tuple[str, ...]
Make: TypeAlias = Callable[[Generator], str]

# Other names for the password of the stack's one PostgreSQL.
DATABASE_KEYS = frozenset({"POSTGRES_PASSWORD", "DB_PASSWORD", "DATABASE_PASSWORD", "PGPASSWORD"})


class Ledger:
    """Hands out secrets.

    Args:
        targets: the env files and their templates.
        existing: what the env files of each kind of target already say: (kind, key, value).
        password_keys: the variables that the database's password is made of.
        held: tells whether the database keeps a password that is not known here; then it gets
            no new one. Asked only when one would be made.
        make: makes a new secret.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        existing: Iterable[tuple[str, str, str]],
        password_keys: Collection[str],
        *,
        held: Callable[[], bool],
        make: Make,
    ) -> None:
        self._names = frozenset(password_keys) | DATABASE_KEYS
        self._password_keys = frozenset(password_keys)
        self._held = held
        self._make = make
        self._slots = [
            (self._identity(each.kind, spec), each.kind, spec)
            for each in targets
            for spec in each.template.specs.values()
            if spec.generate is not None
        ]
        self._known = self._learned(existing)
        self.generated: dict[Identity, str] = {}
        self.withheld: set[str] = set()

    def secret(self, target: Target, spec: Spec) -> str | None:
        """Return the secret for a line of a template; None where the template's text stays."""
        identity = self._identity(target.kind, spec)
        slots = (slot for name, _, slot in self._slots if name == identity)
        slot = next(slots, None)
        if spec.generate is None and (slot is None or not self._open(spec)):
            return None
        return self._given(identity, slot or spec)

    def in_url(self, target: Target, spec: Spec) -> str | None:
        """Return the secret for the password inside a URL of a template."""
        found = urls.password(spec.value)
        if found is None:
            return None
        mine = [each for each in self._slots if each[1] == target.kind]
        same = {name: slot for name, _, slot in mine if slot.value == found.text}
        if len(same) != 1 and found.is_database:
            # Several lines share `changeme`, or the two placeholders differ.
            fits = found.text in {slot.value for slot in same.values()}
            if fits or placeholders.reason("PASSWORD", found.text):
                same = {name: slot for name, _, slot in mine if "database" in name}
        if len(same) != 1:
            return None
        return self._given(*next(iter(same.items())))

    def was_generated(self, secret: str) -> bool:
        """Tell whether a secret is a new one."""
        return secret in self.generated.values()

    def _given(self, identity: Identity, spec: Spec) -> str | None:
        if identity in self._known:
            return self._known[identity]
        stored = spec.key in self._password_keys or "database" in identity
        if stored and self._held():
            self.withheld.add(spec.key)
            return None
        if spec.generate is not None:
            self._known[identity] = self.generated[identity] = self._make(spec.generate)
        return self._known.get(identity)

    def _identity(self, kind: str, spec: Spec) -> Identity:
        if spec.key in self._names:
            return (kind, "database", spec.value)
        return (kind, spec.key)

    def _open(self, spec: Spec) -> bool:
        unset = not spec.value or bool(placeholders.reason(spec.key, spec.value))
        return spec.sensitive and unset

    def _learned(self, existing: Iterable[tuple[str, str, str]]) -> dict[Identity, str]:
        said: dict[tuple[str, str], str] = {}
        inside: dict[str, set[str]] = {}
        for kind, key, value in existing:
            if _writable(value):
                said.setdefault((kind, key), value)
            found = urls.password(value)
            if found is not None and found.is_database and _is_real(found.text):
                inside.setdefault(kind, set()).add(found.text)
        known: dict[Identity, str] = {}
        for identity, kind, spec in self._slots:
            text = self._said(said, inside, identity, kind, spec)
            if text is not None:
                known.setdefault(identity, text)
        return known

    def _said(
        self,
        said: Mapping[tuple[str, str], str],
        inside: Mapping[str, set[str]],
        identity: Identity,
        kind: str,
        spec: Spec,
    ) -> str | None:
        if (kind, spec.key) in said:
            return said[kind, spec.key]
        if "database" not in identity:
            return None
        twins = [each.key for name, _, each in self._slots if name == identity]
        values = {said[kind, key] for key in twins if (kind, key) in said}
        values = values or inside.get(kind, set())
        return next(iter(values)) if len(values) == 1 else None


def _writable(value: str) -> bool:
    return bool(value) and set(value) <= ALPHABET and not value.startswith("-")


def _is_real(password: str) -> bool:
    return _writable(password) and not placeholders.reason("PASSWORD", password)
