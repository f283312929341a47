from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from invoke_stack.compose.variables import Variable
from invoke_stack.environment.resolve import Place, ResolvedEnv
from invoke_stack.errors import UsageError
from invoke_stack.modes import find

Resolve = Callable[..., ResolvedEnv]
BASE, DEV, PROD = find("base"), find("dev"), find("prod")


def used(name: str, default: str | None = None, line: int = 1, operator: str = "") -> Variable:
    return Variable(
        name, operator or ("" if default is None else ":-"), default, None, "c.yaml", line
    )


# Rank


def test_layers_rank_low_to_high_then_the_process_then_set(resolved: Resolve) -> None:
    files = {name: f"A={number}\n" for number, name in enumerate(DEV.layers)}
    env = resolved(files, {"A": "process"}, {"A": "set"}, mode=DEV)

    value = env.values["A"]
    assert (value.text, value.origin, value.file) == ("set", "set", None)
    assert value.shadowed == (
        Place("process"),
        Place("file", ".env.development.local", 1),
        Place("file", ".env.local", 1),
        Place("file", ".env.development", 1),
        Place("file", ".env", 1),
    )
    assert resolved(files, {"A": "process"}).values["A"].text == "process"
    while files:
        assert resolved(files).values["A"].text == str(len(files) - 1)
        files.popitem()


def test_an_empty_value_masks_what_is_below_it(resolved: Resolve) -> None:
    assert resolved({".env": "A=1\n", ".env.local": "A=\n"}).exported() == {"A": ""}
    assert resolved({".env": "A=1\n"}, {"A": ""}).exported() == {"A": ""}


def test_the_process_gives_values_only_for_keys_that_something_names(resolved: Resolve) -> None:
    env = resolved(
        {".env": "A=1\nB\n"},
        {"B": "b", "C": "c", "T": "t", "HOME": "/root"},
        variables=(used("C"),),
        templates_marks={"T": {}, "U": {}},
    )

    assert env.exported() == {"A": "1", "B": "b", "C": "c", "T": "t"}
    assert env.values["U"].text is None
    assert env.values["T"].place == Place("process")


def test_a_key_without_equals_sign_says_nothing(resolved: Resolve) -> None:
    assert resolved({".env": "A=1\n", ".env.local": "A\n"}).values["A"].text == "1"
    assert resolved({".env": "A\n"}).values["A"].place == Place("file", ".env", 1)


# Expansion


@pytest.mark.parametrize(
    ("files", "key", "expected"),
    [
        ({".env": "H=low\nU=http://${H}\n", ".env.local": "H=high\n"}, "U", "http://high"),
        ({".env": "H=low\n", ".env.local": "U=http://$H\n"}, "U", "http://low"),
        ({".env": "O=a\n", ".env.local": "O=${O},b\n"}, "O", "a,b"),
        ({".env": "O=a\n", "x": "O=${O},b\n", "y": "O=${O},c\n"}, "O", "a,b,c"),
        ({".env": "O=a\nO=${O},b\n"}, "O", "a,b"),
        ({".env": "O=${O:-d}\n"}, "O", "d"),
        ({".env": "O=x${O:+${O}:}y\n"}, "O", "xy"),
        ({".env": "P='$x${y'\nB=${P}\n"}, "B", "$x${y"),
        ({".env": "B=${HOME_OF}/x\n"}, "B", "/p$q/x"),
        ({".env": "A=${X:?m}\n", ".env.local": "A=1\n"}, "A", "1"),
        ({".env": "A=${A}\nA=2\n"}, "A", "2"),
    ],
)
def test_a_reference_sees_the_final_value_of_its_target(
    resolved: Resolve, files: Mapping[str, str], key: str, expected: str
) -> None:
    assert resolved(files, {"HOME_OF": "/p$q"}).values[key].text == expected


def test_process_and_set_values_are_never_expanded(resolved: Resolve) -> None:
    env = resolved({".env": "A=1\nB=2\nC=$A$B\n"}, {"A": "${B}"}, {"B": "$A"})

    assert env.exported() == {"A": "${B}", "B": "$A", "C": "${B}$A"}


def test_a_value_knows_what_it_refers_to(resolved: Resolve) -> None:
    env = resolved({".env": "A=1\nB=${A:-${C}}\n"})

    assert env.values["B"].references == ("A", "C")
    assert resolved({".env": "B=$A\n"}, {"B": "x"}).values["B"].references == ()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({".env": "B=$A\n", ".env.local": "A=$B\n"}, "B -> A -> B is a circle of references"),
        ({".env": "A=1\nB=$A\n", ".env.local": "A=${B}2\n"}, "A -> B -> A is a circle"),
        ({".env": "B=${A:-d}\nA=1\n"}, ".env:1: B refers to A, which the same file sets in line 2"),
        ({".env": "A=1\nB=$A\nA=2\n"}, ".env:2: B refers to A, which the same file sets in line 3"),
        ({".env": "A=x${A}\n"}, ".env:1: A refers to itself, and no lower layer sets it"),
        ({".env": "A=${X:?set X first}\n"}, ".env:1: X is required but not set: set X first"),
        (
            {
                ".env": "A0=xxxxxxxx\n"
                + "".join(f"A{i}=" + f"$A{i - 1}" * 8 + "\n" for i in range(1, 9))
            },
            ".env:6: the value of A5 grows longer than 120 KiB",
        ),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused_by_name(
    resolved: Resolve, files: Mapping[str, str], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        resolved(files)

    assert message in str(caught.value)
    assert caught.value.hint


def test_a_long_chain_across_layers_is_refused_not_a_crash(resolved: Resolve) -> None:
    lines = [f"A{i}=$A{i - 1}" for i in range(1, 2000)]
    files = {str(i): line + "\n" for i, line in enumerate(reversed(lines))}

    with pytest.raises(UsageError, match="nested more than 20 deep"):
        resolved(files)


def test_a_reference_to_nothing_reads_as_empty_and_is_said(resolved: Resolve) -> None:
    env = resolved({".env": "A=x${NOPE}\nDB_PASSWORD=pa$word\n"})

    assert env.values["A"].text == "x"
    assert env.notes == (
        ".env:1: A refers to NOPE that nobody sets; it reads as empty",
        ".env:2: DB_PASSWORD refers to a variable that nobody sets; it reads as empty",
    )
