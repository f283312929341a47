from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from invoke_stack import namespace
from invoke_stack.settings import Source, load

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*/README.md")])
OWN = {"test", "lint", "bench", "settings"}
CORE = {"--list", "--dry", "--help", "TASK", "-e"}


def blocks(page: Path, language: str) -> list[str]:
    pattern = rf"^```{language}\n(.*?)^```"
    return re.findall(pattern, page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def commands(page: Path) -> Iterator[list[str]]:
    """Every `inv …` that the page shows, in code spans and in blocks."""
    text = page.read_text("utf-8")
    spans = re.findall(r"`(inv [^`\n]+)`", text)
    lines = re.findall(r"^(?:\$ )?(inv .+?)(?:\s+#.*)?$", text, re.MULTILINE)
    for command in {*spans, *lines}:
        words = shlex.split(command)[1:]
        yield words[: words.index("--")] if "--" in words else words


@cache
def flags() -> dict[str, set[str]]:
    known: dict[str, set[str]] = {name: set() for name in OWN}
    for section, collection in namespace().collections.items():
        for name, task in collection.tasks.items():
            found = set()
            for argument in task.get_arguments():
                long = argument.name.replace("_", "-").strip("-")
                found |= {f"--{long}", f"--no-{long}", *(f"-{n}" for n in argument.nicknames)}
            known[f"{section}.{name}"] = found
    return known


def generator() -> Any:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_on_a_page_exists_with_its_flags(page: Path) -> None:
    for words in commands(page):
        rest = [word for word in words if word not in CORE]
        if not rest:
            continue
        task, *given = rest
        assert task in flags(), f"{page.name} shows inv {task}"
        unknown = {w.partition("=")[0] for w in given if w.startswith("-")} - flags()[task]
        assert not unknown, f"{page.name}: inv {task} has no {unknown}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_setting_that_the_readme_shows_is_valid() -> None:
    shown = blocks(ROOT / "README.md", "yaml")
    assert shown
    for text in shown:
        load([Source("README.md", yaml.safe_load(text)["stack"])])


def test_every_python_block_of_the_readme_lists_its_tasks(tmp_path: Path) -> None:
    shown = blocks(ROOT / "README.md", "python")
    assert shown
    for number, text in enumerate(shown):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "tasks.py").write_text(text, encoding="utf-8")
        argv = [sys.executable, "-m", "invoke", "--list"]
        done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=True)
        assert "stack.up" in done.stdout


def test_every_task_stands_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    for name in sorted(set(flags()) - OWN):
        assert f"inv {name}" in text, f"README.md does not show inv {name}"


@pytest.mark.parametrize("page", ["database/CHECKS.md", "images/CHECKS.md", "prisma/SITUATIONS.md"])
def test_every_test_in_a_table_of_checks_exists(page: str) -> None:
    """Names of several words in code letters are those of tests, or of what a test runs."""
    text = (ROOT / "tests" / "engine" / page).read_text("utf-8")
    named = set(re.findall(r"`([a-z]+(?:_\w+){2,})`", text))
    known = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (\w+)", path.read_text("utf-8"), re.MULTILINE)
    }
    assert named
    assert named <= known, named - known


def test_the_generated_pages_are_those_of_the_code() -> None:
    for name, page in generator().PAGES.items():
        assert (ROOT / "docs" / name).read_text("utf-8") == page(), "run: inv settings"


@pytest.mark.parametrize("section", ["Try it", "Test"])
def test_the_two_sections_hold_one_command_each(section: str) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    part = re.split(r"^## ", text.split(f"\n## {section}\n")[1], flags=re.MULTILINE)[0]
    found = re.findall(r"^```sh\n(.*?)^```", part, re.MULTILINE | re.DOTALL)

    assert len(found) == 1
    assert len(found[0].strip().splitlines()) == 1


def test_every_task_and_flag_explains_itself() -> None:
    for section, collection in namespace().collections.items():
        for name, task in collection.tasks.items():
            assert task.__doc__, f"{section}.{name}"
            assert all(argument.help for argument in task.get_arguments()), f"{section}.{name}"
