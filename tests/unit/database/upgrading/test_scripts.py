"""The scripts that change volumes, broken off at every single step, on folders of this machine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from invoke_stack.database.upgrading import scripts, volumes

OLD = {"PG_VERSION": "16", "global/pg_control": "old", "base/1/t": "rows", ".hidden": "x"}
NEW = {"PG_VERSION": "17", "global/pg_control": "new", "base/1/u": "more"}
FOLDERS = [(".", "."), ("pg", "pg"), (".", "18/docker"), ("16/docker", "17/docker")]
ENOUGH = 60

# `mv` and `rm` are what changes a volume; from the given one on, the script is dead.
BREAK = """n=0
step() { n=$((n+1)); if [ $n -gt LIMIT ]; then exit 9; fi; }
mv() { step; command mv "$@"; }
rm() { step; command rm "$@"; }
touch() { step; command touch "$@"; }
sync() { :; }
"""


def filled(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def content(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def run(root: Path, script: str, *words: str, limit: int = 10_000) -> int:
    """Run a script on `root/from` and `root/to`; break it off before a step."""
    text = script.replace("/from", str(root / "from")).replace("/to", str(root / "to"))
    text = BREAK.replace("LIMIT", str(limit)) + text
    done = subprocess.run(["sh", "-c", text, "sh", *words], capture_output=True, check=False)
    assert done.returncode in {0, 9}, done.stderr
    return done.returncode


def pair(root: Path, old: str) -> Path:
    filled(root / "to" / old, OLD)
    filled(root / "from" / scripts.CLUSTER, NEW)
    return root


def whole(folder: str, files: dict[str, str]) -> dict[str, str]:
    return {f"{folder}/{name}".removeprefix("./"): text for name, text in files.items()}


@pytest.mark.parametrize(("old", "new"), FOLDERS)
def test_a_cluster_takes_the_place_of_another(tmp_path: Path, old: str, new: str) -> None:
    root = pair(tmp_path, old)

    assert run(root, scripts.SWAP, old, new) == 0

    assert content(root / "to") == whole(new, NEW)


@pytest.mark.parametrize(("old", "new"), FOLDERS)
def test_broken_off_at_any_step_it_goes_back_or_counts(tmp_path: Path, old: str, new: str) -> None:
    ends = []
    for steps in range(ENOUGH):
        root = pair(tmp_path / str(steps), old)
        code = run(root, scripts.SWAP, old, new, limit=steps)
        assert run(root, scripts.BACK) == 0
        ends.append(content(root / "to"))
        if code == 0:
            break

    first_new = ends.index(whole(new, NEW))
    assert ends[:first_new] == [whole(old, OLD)] * first_new
    assert ends[first_new:] == [whole(new, NEW)] * (len(ends) - first_new)
    assert len(OLD) + len(NEW) < len(ends) - 1 < ENOUGH


@pytest.mark.parametrize("forth", [4, 6, 8, 9])
def test_going_back_may_be_broken_off_as_well(tmp_path: Path, forth: int) -> None:
    for back in range(9):
        root = pair(tmp_path / str(back), old := ".")
        assert run(root, scripts.SWAP, old, old, limit=forth) == 9
        run(root, scripts.BACK, limit=back)
        assert run(root, scripts.BACK) == 0
        assert content(root / "to") == whole(old, OLD), back


def test_what_the_look_prints_is_read() -> None:
    output = (
        "cluster 17 18/docker\ncluster 16 .\nelsewhere tablespaces\nunfinished\n"
        'kept {"before": "16"}\nused 1024\n'
        "room /dev/vda 1000 400 600 40% /volume\nengine overlay 1000 400 600 40% /\n"
    )

    found = volumes.read("v", output)

    assert found.cluster == volumes.Cluster("17", "18/docker")
    assert [each.version for each in found.clusters] == ["17", "16"]
    assert found.elsewhere == ("tablespaces",)
    assert found.unfinished
    assert found.record == {"before": "16"}
    assert (found.used, found.free, found.shared) == (1 << 20, 600 << 10, True)
    assert volumes.read("v", "") == volumes.Volume("v", free=-1, engine=-1)
