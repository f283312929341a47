"""Values that stand in for real ones: `CHANGE_ME`, `<token>`, `your-key-here`."""

from __future__ import annotations

import itertools
import re

from invoke_stack.redaction import is_sensitive

# Whatever the key: nobody means these.
_PLAIN = re.compile(
    r"(?:please)?(?:change|replace)(?:me|this|it)?(?:inproduction|now|please)?|todo|fixme|tbd"
    r"|fill(?:me|in|mein)|set(?:me|this)|placeholder|redacted"
)
# For a secret these are no better.
_WORDS = re.compile(
    r"(?:my|your|super|top|very|verysuper|dev|test|some|a)*(?:secret|password|passwd|passw0rd|pass"
    r"|token|key|secretkey|apikey|jwtsecret)(?:key|123|1|1234)?|example|dummy|sample|test(?:ing)?"
    r"|insecure|unsafe|notsecure|dev(?:elopment)?|default|none|null|undefined|admin|root|qwerty"
    r"|letmein|postgres|12345678?9?"
)
_BRACKETED = re.compile(r"<[^<>]*>|\{\{.*\}\}|\[[A-Za-z][^\]]*\]|__\w+__", re.DOTALL)
_YOURS = re.compile(
    r"your[-_ ]?\w.*|.*[-_ ](?:here|goes[-_ ]here)|(?:my|insert|enter|add)[-_ ].*here"
)
_CHANGE = re.compile(
    r"(?:please[-_ ]?)?(?:change|replace)[-_ ]?(?:me|this|it)(?:[-_ .!:].*)?|.*[-_]change[-_]?me"
)
_FILLER = re.compile(r"x{3,}|\.{3,}|\*{3,}|…+|-{3,}|_{3,}")
_EXAMPLE_KEYS = re.compile(r"AKIA\w*EXAMPLE|.*/EXAMPLEKEY|.*EXAMPLEKEY")
_FEW, _CHANGES = 6, 12


def reason(key: str, value: str) -> str:
    """Return why a value is a placeholder, without showing it; "" when it is none."""
    text = value.strip().strip("'\"")
    plain = _plain(text)
    if not text:
        return ""
    if not _is_random(text) and _is_placeholder(text.casefold(), plain):
        return "a placeholder"
    if plain and plain == _plain(key):
        return "the name of its own key"
    if _EXAMPLE_KEYS.fullmatch(text):
        return "an example key from AWS's documentation"
    if is_sensitive(key, None) and _WORDS.fullmatch(plain):
        return "a word that stands for a secret"
    return ""


def _is_placeholder(text: str, plain: str) -> bool:
    forms = (_CHANGE, _BRACKETED, _YOURS, _FILLER)
    return bool(_PLAIN.fullmatch(plain)) or any(form.fullmatch(text) for form in forms)


def _is_random(text: str) -> bool:
    """Tell whether a text that can begin with `your` by chance changes its kind of letter often."""
    kinds = [(each.isupper(), each.isdigit()) for each in text if each.isalnum()]
    return sum(one != other for one, other in itertools.pairwise(kinds)) >= _CHANGES


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.casefold())


def repeated(value: str) -> bool:
    """Tell whether a value has too few different characters to be a secret."""
    return len(set(value)) < _FEW
