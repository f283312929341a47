#!/usr/bin/env python3
"""Everything that must pass before a change lands, from nothing but Python 3.11 and its venv.

The project is installed with its development dependencies into `.venv` (again whenever
`pyproject.toml` changes); then linters, type checker and tests run, all of them even when one
fails. Unknown arguments and those after `--` go to pytest. `ENGINE_TESTS=require` makes a
skipped engine test a failure; the default, `auto`, skips them where no Docker engine answers.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036  a newcomer's Python may be older
    sys.exit(f"tests/run.py needs Python 3.11 or later; this is {sys.version.split()[0]}")

import tomllib

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = ROOT / "pyproject.toml"
STAMP = "invoke-stack-installed"


def heading(text: str) -> None:
    print(f"\n=== {text}", flush=True)


def programs(venv: Path) -> Path:
    return venv / ("Scripts" if os.name == "nt" else "bin")


def python_of(venv: Path) -> Path:
    return programs(venv) / ("python.exe" if os.name == "nt" else "python")


def dependency_group(groups: dict[str, list[str | dict[str, str]]], name: str) -> list[str]:
    """Spelled out here because `pip install --group` came only with pip 25.1."""
    requirements: list[str] = []
    for entry in groups[name]:
        if isinstance(entry, str):
            requirements.append(entry)
        else:
            requirements += dependency_group(groups, entry["include-group"])
    return requirements


def install(venv: Path) -> None:
    """Create the environment and fill it, unless it already holds what pyproject.toml asks for."""
    content = PYPROJECT.read_bytes()
    wanted = hashlib.sha256(content + sys.version.encode() + bytes(ROOT)).hexdigest()
    stamp = venv / STAMP
    if python_of(venv).exists() and stamp.exists() and stamp.read_text("utf-8") == wanted:
        return

    heading(f"install into {venv}")
    stamp.unlink(missing_ok=True)
    is_venv = (venv / "pyvenv.cfg").exists()
    if venv.exists() and any(venv.iterdir()) and not is_venv:
        sys.exit(f"{venv} exists and is no virtual environment; name another with --venv")
    if not python_of(venv).exists():
        # --clear: what is left there belongs to a Python that is gone.
        create = [sys.executable, "-m", "venv", *(["--clear"] if is_venv else []), str(venv)]
        if subprocess.run(create, check=False).returncode:
            sys.exit("no virtual environment was made (on Debian: apt-get install python3-venv)")
    requirements = dependency_group(tomllib.loads(content.decode())["dependency-groups"], "dev")
    pip = [str(python_of(venv)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*pip, "--editable", str(ROOT), *requirements], check=False).returncode:
        sys.exit("the development dependencies could not be installed")
    stamp.write_text(wanted, "utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Install the project into a virtual environment and run every check on it.",
        epilog="Other arguments, and all after --, go to pytest.",
        allow_abbrev=False,
    )
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv", metavar="DIR")
    own, after = sys.argv[1:], []
    if "--" in own:
        cut = own.index("--")
        own, after = own[:cut], own[cut + 1 :]
    arguments, unknown = parser.parse_known_args(own)
    venv: Path = arguments.venv.absolute()

    install(venv)
    # First on PATH, so that tests that start `inv` or `python` get the ones installed here.
    environ = {
        **os.environ,
        "VIRTUAL_ENV": str(venv),
        "PATH": os.pathsep.join([str(programs(venv)), os.environ.get("PATH", os.defpath)]),
        "ENGINE_TESTS": os.environ.get("ENGINE_TESTS") or "auto",
    }
    checks = {
        "ruff check": [],
        "ruff format": ["--check"],
        "mypy": [],
        "lint-imports": [],
        # Last: its closing line is the one that counts tests. Most tests wait for programs.
        "pytest": ["--numprocesses=auto", *unknown, *after],
    }
    outcomes: list[str] = []
    for name, options in checks.items():
        program, *words = name.split()
        heading(" ".join([name, *options]))
        began = time.monotonic()
        command = [str(programs(venv) / program), *words, *options]
        status = subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode
        print(f"--- {name}: {time.monotonic() - began:.1f} s", flush=True)
        outcomes.append(f"{name} FAILED ({status})" if status else f"{name} ok")

    failures = sum("FAILED" in outcome for outcome in outcomes)
    heading(f"{'some' if failures else 'no'} check failed: {', '.join(outcomes)}")
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
