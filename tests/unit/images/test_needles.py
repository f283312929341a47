from __future__ import annotations

import pytest

from invoke_stack.images.needles import KEY, OVERLAP, Needles

SECRET = "s3cr3t-Vq8Zt"  # made up
LINE = "QUJD" * 16


def views(*parts: bytes) -> list[memoryview]:
    return [memoryview(part) for part in parts]


def key(*, lines: int) -> bytes:
    kind = b"PRIVATE KEY"
    return b"-----BEGIN " + kind + b"-----\n" + f"{LINE}\n".encode() * lines


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A=AKIA" + "Q" * 16, "an AWS access key"),
        ("ghp_" + "a1" * 18, "a GitHub token"),
        ("npm_" + "a1" * 18, "an npm token"),
        ("x sk_live" + "_" + "a1" * 12, "a Stripe key"),
        ("//r/:_authToken=abcdefgh1234", "a registry password"),
        ("//r/:_authToken=${NPM_TOKEN}", ""),
        ("AKIA and sk_live_ are how they begin", ""),
        ("fooAKIA" + "Q" * 16, ""),
        ("AKIA" + "Q" * 17, ""),
    ],
)
def test_tokens_of_known_forms(text: str, found: str) -> None:
    assert Needles(()).found(views(text.encode())) == ({found} if found else set())


def test_a_key_is_found_and_the_first_line_of_one_is_none() -> None:
    needles = Needles(())

    assert needles.found(views(key(lines=4))) == {KEY}
    assert needles.found(views(key(lines=0) + b'") { parse(text) }')) == set()
    assert needles.found(views(key(lines=4).replace(b"\n", b"\\n"))) == {KEY}


def test_a_program_is_searched_for_known_values_alone() -> None:
    content = b"\0ELF" + key(lines=4) + SECRET.encode()

    assert Needles([("AUTH", SECRET)]).found(views(content)) == {"the value of AUTH"}


@pytest.mark.parametrize("cut", range(1, len(SECRET)))
def test_a_value_is_found_wherever_the_parts_are_cut(cut: int) -> None:
    raw = SECRET.encode()
    parts = views(b"a" * OVERLAP * 2 + raw[:cut], raw[cut:] + b"b" * 9)

    assert Needles([("AUTH", SECRET)]).found(parts) == {"the value of AUTH"}


@pytest.mark.parametrize("value", ["short", "postgres", "CHANGE_ME_PLEASE", "aaaaaaaaaaaa", ""])
def test_values_that_anything_may_hold_are_not_looked_for(value: str) -> None:
    needles = Needles([("POSTGRES_PASSWORD", value)])

    assert needles.found(views(f"x{value}x".encode())) == set()
