"""BuildKit's own parser reads the same files."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]
SHARE = 600
"""How many of the 5,000 files CI compares; all of them: `python benchmarks/dockerfiles.py`."""

pytest.importorskip("dockerfile", reason="no wheel of BuildKit's parser for this platform")


@pytest.fixture(scope="module")
def peer() -> ModuleType:
    place = ROOT / "benchmarks" / "dockerfiles.py"
    spec = importlib.util.spec_from_file_location("dockerfiles", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_files_are_read_as_buildkit_reads_them(peer: ModuleType) -> None:
    texts = [peer.made(seed) for seed in range(SHARE)]

    taken = [text for text in texts if peer.theirs(text) is not None]

    assert [found for text in texts if (found := peer.difference(text))] == []
    assert len(taken) > SHARE / 2


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\nRUN echo \\\n  # comment\n\n  && b\n",
        "# escape=`\nFROM a\nRUN dir `\n  c:\\\n",
        "# comment\n# escape=`\nFROM a\nRUN a \\\n b\n",
        "FROM a\nRUN <<EOF cat\nUSER root\nEOF\nUSER app\n",
        "FROM a\nCOPY <<-'A' <<B /x/\n\tin A\n\tA\nin B\nB\n",
        "FROM a\nRUN echo '<<EOF'\nRUN echo \"<<EOF\"\nRUN cat <<<word\n",
        'FROM a\nRUN ["a", "b"]\nCMD [\'a\']\nENTRYPOINT []\n',
        'FROM a\nENV a=b c="d e" f\\ g=1\nENV old style value\n',
        "FROM a\nHEALTHCHECK --interval=3s CMD curl x || exit 1\nHEALTHCHECK NONE\n",
        'FROM a\nONBUILD RUN <<EOF\nx\nEOF\nONBUILD CMD ["a"]\n',
        "\ufefffrom a as B\r\nrun x\r\n",
        "FROM a\nRUN x \\",
        "FROM a\nRUN a\\\\\nRUN b\n",
        "",
        "# only a comment\n",
        "FROM a\nRUN <<EOF\nnever ended\n",
        "FROM a\nENV alone\n",
        'FROM a\nCMD ["a", 1]\n',
        "# escape=x\nFROM a\n",
        "# escape=`\n# escape=`\nFROM a\n",
    ],
)
def test_what_people_write_is_read_as_buildkit_reads_it(peer: ModuleType, text: str) -> None:
    assert peer.difference(text) == ""


def test_every_dockerfile_of_the_examples_is_read_as_buildkit_reads_it(peer: ModuleType) -> None:
    files = [
        each for each in (ROOT / "examples").rglob("Dockerfile*") if each.suffix != ".dockerignore"
    ]

    assert files
    assert [peer.difference(each.read_text()) for each in files] == [""] * len(files)


def test_a_line_of_64_kib_is_refused_by_both(peer: ModuleType) -> None:
    longest = "FROM a\nRUN " + "x" * (65535 - 4)

    assert peer.difference(longest) == ""
    assert peer.ours(longest) is not None
    assert peer.ours(longest + "x") is None
    assert peer.theirs(longest + "x") is None
