from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from invoke_stack.environment import dotenv, placeholders, secretgen
from invoke_stack.environment.lint import readers, statements
from invoke_stack.errors import UsageError

EACH = 1_000  # of every kind; benchmarks/generated.py does ten times as many
QUOTES = ("", "'", '"')


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    """Return secrets of every kind, by a key for each."""
    return {
        f"{kind.upper()}_{number}": secretgen.parse(kind, "f:1").make()
        for kind in secretgen.KINDS
        for number in range(EACH)
    }


def text(made: dict[str, str], quote: str) -> str:
    return "".join(f"{key}={quote}{value}{quote}\n" for key, value in made.items())


def test_secrets_consist_of_what_every_reader_gives_back(made: dict[str, str]) -> None:
    assert len(made) == EACH * len(secretgen.KINDS) == 10_000
    assert all(set(value) <= secretgen.ALPHABET for value in made.values())
    assert not any(value.startswith("-") for value in made.values())
    assert len(set(made.values())) == len(made)


@pytest.mark.parametrize("quote", QUOTES)
def test_python_dotenv_and_our_dialect_give_secrets_back(made: dict[str, str], quote: str) -> None:
    # Accepted by `parse` means that both readers saw the same text.
    found = dotenv.parse(text(made, quote).encode(), "f")

    assert {each.key: each.template for each in found} == {k: (v,) for k, v in made.items()}


@pytest.mark.parametrize("quote", QUOTES)
def test_all_three_readers_give_secrets_back(made: dict[str, str], quote: str) -> None:
    written = text(made, quote)
    found = readers.read(written, statements.parse(written), {})

    assert found.lost == ()
    assert made == found.python == found.compose == found.node


def test_the_real_compose_gives_secrets_back(
    made: dict[str, str], tmp_path: Path, compose_config: Callable[..., dict[str, dict[str, str]]]
) -> None:
    services = {}
    for name, quote in zip(("bare", "single", "double"), QUOTES, strict=True):
        path = tmp_path / f"{name}.env"
        path.write_text(text(made, quote))
        services[name] = {"env_file": [str(path)]}

    found = compose_config(services, {})

    assert found == dict.fromkeys(services, made)


def test_no_secret_is_taken_for_a_placeholder(made: dict[str, str]) -> None:
    told = {k: r for k, v in made.items() if (r := placeholders.reason("A_SECRET", v))}

    assert not told
    assert not any(placeholders.repeated(value) for value in made.values())


@pytest.mark.parametrize(
    ("spec", "form"),
    [
        ("", r"[0-9a-f]{64}"),
        ("hex(16)", r"[0-9a-f]{32}"),
        ("base62(24)", r"[A-Za-z0-9]{24}"),
        ("urlsafe(32)", r"[\w-]{43}"),
        ("base64(32)", r"[A-Za-z0-9+/]{43}="),
        ("laravel", r"base64:[A-Za-z0-9+/]{43}="),
        ("rails", r"[0-9a-f]{128}"),
        ("django", r"[A-Za-z0-9]{50}"),
        ("uuid", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    ],
)
def test_a_secret_has_the_form_that_is_asked_for(spec: str, form: str) -> None:
    assert re.fullmatch(form, secretgen.parse(spec, "f:1").make())


def test_a_fernet_key_is_32_bytes() -> None:
    assert len(base64.urlsafe_b64decode(secretgen.parse("fernet", "f:1").make())) == 32


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("hxe(32)", "no such generator: hxe"),
        ("hex(1)", "a secret of size 1"),
        ("hex(9999)", "a secret of size 9999"),
        ("fernet(8)", "fernet has one size only"),
        ("hex(a)", "no such generator: hex"),
    ],
)
def test_a_mistake_in_a_generator_is_told_with_its_line(spec: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        secretgen.parse(spec, "f:9")

    assert str(caught.value) == f"f:9: {message}"
    assert caught.value.hint


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("CHANGE_ME", "A"),
        ("change-me-in-production", "A"),
        ("please_change_this", "A"),
        ("your-key-here", "A"),
        ("<token>", "A"),
        ("{{ token }}", "A"),
        ("xxx", "A"),
        ("...", "A"),
        ("TODO", "A"),
        ("Your-Super-Secret-Key-Here-1234567890", "A"),
        ("SOME_KEY", "SOME_KEY"),
        ("AKIAIOSFODNN7EXAMPLE", "AWS_ACCESS_KEY_ID"),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "AWS_SECRET_ACCESS_KEY"),
        ("supersecret", "JWT_SECRET"),
        ("my-secret-key", "JWT_SECRET"),
        ("postgres", "POSTGRES_PASSWORD"),
        ("password123", "DB_PASSWORD"),
    ],
)
def test_a_placeholder_is_told_as_one(value: str, key: str) -> None:
    assert placeholders.reason(key, value)


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("postgres", "POSTGRES_USER"),
        ("yOuRk3-Zx9QpL2mV8sT4wB6nJ1cF7dH0gR5aK3eY8u=", "A_SECRET"),
        ("example", "NAME"),
        ("development", "NODE_ENV"),
        ("split_dev", "POSTGRES_PASSWORD"),
        ("a3f1" * 16, "JWT_SECRET"),
        ("", "JWT_SECRET"),
        ("http://localhost:3000", "SITE_URL"),
        ("0", "A"),
        ("info", "LOG_LEVEL"),
    ],
)
def test_a_real_value_is_not(value: str, key: str) -> None:
    assert not placeholders.reason(key, value)
