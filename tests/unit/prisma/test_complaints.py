"""What Prisma's messages mean; the samples are short and our own."""

from __future__ import annotations

import pytest

from invoke_stack.errors import ExitCode
from invoke_stack.prisma import complaints

CASES = [
    ("Error: P1000: no", ExitCode.UNREACHABLE, "the user or the password is wrong"),
    ("Error: P1001: server at `h:1`", ExitCode.UNREACHABLE, "no database server answers at h:1"),
    ("Error: P1002\n\ntimed out", ExitCode.BUSY, "another migration holds the database's lock"),
    ("Error: P1003: none", ExitCode.UNREACHABLE, "the database does not exist yet"),
    (
        "Error code: P1012\nerror: Error validating: no such word.\n  -->  prisma/s.prisma:3\n",
        ExitCode.USAGE,
        "the schema is not valid: prisma/s.prisma:3: no such word",
    ),
    ("Error: P3005\n\nnot empty", ExitCode.REFUSED, "but no history of migrations"),
    (
        "Error: P3009\nThe `20_x` migration failed",
        ExitCode.FAILED,
        "migration 20_x failed earlier and blocks the next ones",
    ),
    ("Error: P3014\nno right", ExitCode.FAILED, "the user may not create the shadow database"),
    (
        "Error: P3018\n\nMigration name: 20_x\n\nDatabase error:\nERROR: no table\n",
        ExitCode.FAILED,
        "migration 20_x failed: no table",
    ),
    ("Drift detected: x", ExitCode.REFUSED, "(drift)"),
    (
        "The migration `20_x` was modified after it was applied.",
        ExitCode.REFUSED,
        "migration 20_x was edited after it had been applied",
    ),
    ("the environment is non-interactive", ExitCode.REFUSED, "would delete data"),
    ("changes that cannot be executed", ExitCode.REFUSED, "do not fit the new schema"),
    (
        "Error: ERROR: permission denied for schema public",
        ExitCode.FAILED,
        "permission denied for schema public",
    ),
    ("invoked by an AI agent", ExitCode.REFUSED, "Prisma refuses this to an automated caller"),
    ("Could not find Prisma Schema", ExitCode.USAGE, "no schema where Prisma looks for it"),
    (
        "An error occurred while running the seed command:",
        ExitCode.FAILED,
        "the seed command failed",
    ),
    ("https://binaries.prisma.sh/x ENOTFOUND", ExitCode.USAGE, "engine is not installed"),
    ("Cannot resolve environment variable: MY_URL.", ExitCode.USAGE, "MY_URL is not set"),
    ("Cannot find module 'dotenv/config'", ExitCode.USAGE, "dotenv/config is not installed"),
]


@pytest.mark.parametrize(("text", "code", "sentence"), CASES, ids=[each[2] for each in CASES])
def test_a_message_is_one_sentence_with_the_next_command(
    text: str, code: ExitCode, sentence: str
) -> None:
    error = complaints.explain("prisma", text, 1)
    assert error.code == code
    assert sentence in error.message
    assert error.hint
    assert "{" not in error.message + error.hint
    assert error.detail


def test_an_unknown_message_is_shown_with_its_code() -> None:
    error = complaints.explain("prisma", "something new", 7)
    assert (error.message, error.detail) == ("Prisma ended with code 7", ("something new",))


def test_chatter_colours_and_secrets_are_left_out_of_its_own_text() -> None:
    text = "Loaded Prisma config from x.\n\n\n\x1b[1;91mError\x1b[0m: P1000: pw s3cret\n\n"
    error = complaints.explain("prisma", text, 1, lambda each: each.replace("s3cret", "***"))
    assert error.detail == ("Error: P1000: pw ***",)


def test_a_long_text_is_cut_at_its_beginning() -> None:
    lines = [f"line {number}" for number in range(100)]
    assert complaints.own_text(lines) == tuple(lines[-complaints.LONGEST :])
