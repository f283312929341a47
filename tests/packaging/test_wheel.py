from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = {
    ".env.example",
    ".env.development",
    ".env.test",
    ".env.staging.example",
    ".env.production.example",
    ".env.local.example",
}
PARTS = ("invoke_stack", "env", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy in which a developer has private env files."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, source / part)
        else:
            shutil.copy(ROOT / part, source / part)
    (source / "env" / ".env.local").write_text("POSTGRES_PASSWORD=mine\n", encoding="utf-8")
    argv = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(source)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


def test_the_wheel_ships_the_env_templates_and_no_private_file(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()

    shipped = {name.removeprefix("invoke_stack/_env/") for name in names if "/_env/" in name}
    assert shipped == TEMPLATES
    assert "invoke_stack/py.typed" in names
    assert not [name for name in names if name.startswith(("tests/", "tasks/", "examples/"))]


def test_git_knows_every_template() -> None:
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not a git checkout")
    argv = ["git", "ls-files", "env"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)

    assert {Path(name).name for name in done.stdout.split()} == TEMPLATES


def test_an_installed_wheel_lists_its_tasks_in_an_empty_project(
    wheel: Path, tmp_path: Path
) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    argv = [str(programs / "python"), "-m", "pip", "install", "--quiet", str(wheel)]
    subprocess.run(argv, check=True)
    project = tmp_path / "project"
    project.mkdir()
    (project / "tasks.py").write_text(
        "from invoke_stack import namespace\n\nns = namespace()\n", encoding="utf-8"
    )

    done = subprocess.run(
        [str(programs / "inv"), "--list"], cwd=project, capture_output=True, text=True, check=True
    )

    assert "stack.up" in done.stdout
    assert "db.backup" in done.stdout
