"""The cases are those that Docker's own matcher documents and tests, in our words."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoke_stack.dockerfile.ignore import Ignore, excluded, file_of, listed, patterns


@pytest.mark.parametrize(
    ("pattern", "name", "out"),
    [
        ("node_modules", "node_modules/a/b.js", True),
        ("node_modules", "web/node_modules/a.js", False),
        ("**/node_modules", "web/node_modules/a.js", True),
        ("**/node_modules", "node_modules", True),
        (".env", ".env", True),
        (".env", "web/.env", False),
        ("*.md", "README.md", True),
        ("*.md", "docs/README.md", False),
        ("**/*.md", "docs/README.md", True),
        ("**", "a/b/c", True),
        ("**/", "a/b/c", True),
        ("dir/**", "dir/a/b", True),
        ("dir/**", "dir", False),
        ("dir/**", "other/dir/a", False),
        ("**file", "file", True),
        ("**file", "dir/myfile", True),
        ("**/file", "dir/myfile", False),
        ("dir/**/file", "dir/file", True),
        ("dir/**/file", "dir/a/b/file", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("*", "a/b", True),
        (".*", ".git/config", True),
        ("/.env", ".env", True),
        ("./.env", ".env", True),
        ("a/../.env", ".env", True),
        (".env.[a-z]*", ".env.local", True),
        ("[^.]*", "web", True),
        ("[^.]*", ".env", False),
        ("a\\*b", "a*b", True),
        ("a\\*b", "axb", False),
        ("a.b", "axb", False),
        ("a+(b)|c{1}^$", "a+(b)|c{1}^$", True),
        (".", "a", False),
        ("Ä*", "Äpfel", True),
        ("[", "[", False),
    ],
)
def test_one_pattern(pattern: str, name: str, *, out: bool) -> None:
    assert excluded(name, [pattern]) is out


@pytest.mark.parametrize(
    ("lines", "name", "out"),
    [
        (["*", "!README.md"], "README.md", False),
        (["!README.md", "*"], "README.md", True),
        ([".env.*", "!.env.example"], ".env.example", False),
        ([".env.*", "!.env.example"], ".env.local", True),
        (["docs", "!docs/README.md"], "docs/README.md", False),
        (["docs", "!docs/README.md"], "docs/other.md", True),
        (["**", "!src", "src/secret"], "src/a.ts", False),
        (["**", "!src", "src/secret"], "src/secret/key", True),
        (["a", "! a"], "a", False),
    ],
)
def test_the_last_pattern_that_matches_decides(lines: list[str], name: str, *, out: bool) -> None:
    assert excluded(name, lines) is out


def test_comments_blank_lines_and_a_byte_order_mark_say_nothing() -> None:
    assert listed("\ufeffa\r\n# b\n\n  c  \n #d\n") == ("a", "c", "#d")


def test_a_file_named_after_the_dockerfile_wins(tmp_path: Path) -> None:
    shared, own = tmp_path / ".dockerignore", tmp_path / "web.Dockerfile.dockerignore"
    shared.write_text("a\n")

    assert file_of(tmp_path, tmp_path / "web.Dockerfile") == shared
    own.write_text("b\n")
    assert file_of(tmp_path, tmp_path / "web.Dockerfile") == own
    assert patterns(own) == ("b",)


def test_no_file_keeps_nothing_out(tmp_path: Path) -> None:
    assert patterns(tmp_path / ".dockerignore") == ()
    assert not Ignore(()).excludes(".env")
