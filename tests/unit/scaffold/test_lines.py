"""Env files as text, on files that nobody would write."""

from __future__ import annotations

import random

import pytest

from invoke_stack.scaffold import lines

FILES = 2_000
KEYS = "ABCDEF"
FORMS = (
    *("{k}=1", "{k}=", "{k}='a b'", '{k}="x\\"y" # c', "export {k}=v", "# {k}=2", "# text", ""),
    *("  ", "{k}=a#b", "{k}= # c", "{k}='m\nn'", "{k}", "{k}='it's'", "# @required", "=x"),
)


def file(source: random.Random, newline: str) -> str:
    forms = [source.choice(FORMS) for _ in range(source.randint(0, 7))]
    text = newline.join(form.replace("{k}", source.choice(KEYS)) for form in forms)
    return text + (newline if source.random() < 0.7 else "")


def known(text: str) -> set[str]:
    return {each.key or each.aside for each in lines.split(text)}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_completing_loses_nothing_and_leaves_nothing_to_do(newline: str) -> None:
    source = random.Random(5)  # noqa: S311 - not for cryptography
    for _ in range(FILES):
        text, template = file(source, newline), file(source, "\n")
        blocks = lines.blocks(template)
        missing = {key: each.text for key, each in blocks.items() if key not in known(text)}
        aside = {k: lines.commented(t) for k, t in missing.items() if not lines.is_bare(t)}

        done = lines.completed(text, template, missing)
        synced = lines.completed(text, template, aside)

        assert "".join(each.text for each in lines.split(text)) == text
        before = lines.values(text)
        assert {key: lines.values(done)[key] for key in before} == before
        assert set(blocks) <= known(done)
        assert lines.values(synced) == before
        assert set(aside) <= known(synced)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=\n", "A=new\n"),
        ("A=old # c\r\n", "A=new # c\r\n"),
        ("A='o d' # c\n", "A='new' # c\n"),
        ('export A = "" # c\n', 'export A = "new" # c\n'),
        ("A=a#b\n", "A=new\n"),
        ("A=#f00\n", "A=new\n"),
        ("A=  # c\n", "A=new  # c\n"),
        ("\n\nA=x", "\n\nA=new"),
        ("A='m\nn'\n", "A='new'\n"),
    ],
)
def test_a_value_is_replaced_inside_the_quotes_it_has(text: str, expected: str) -> None:
    assert lines.with_value(text, lambda _: "new") == expected
