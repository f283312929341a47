"""Compose's own merge of the files, the same on every machine.

`docker compose config` needs no engine, but it needs every env file and every required variable,
which a fresh clone lacks. So it is called with an env file of stand-ins, with the services'
`env_file:` taken away (they are read from their templates instead), and with a clean environment.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from invoke_stack.compose import bounded, interpolation
from invoke_stack.compose.variables import Variable
from invoke_stack.errors import MissingProgramError, StackError, UsageError
from invoke_stack.parity.readers.composefiles import Written
from invoke_stack.parity.workspace import Workspace
from invoke_stack.process import Command

STANDIN = "__PARITY__"
"""A value that contains it is not known."""
PORT = "9999"
"""Stands in for the port that a variable without default decides."""
TIMEOUT_S = 30
_NO_PLUGIN = ("is not a docker command", "unknown shorthand flag")
_PORTS = re.compile(r"\.(?:ports|expose)\[|\.(?:published|target)$")
_TEXTS = re.compile(
    r"\.(?:environment|args|labels|command|entrypoint|image|extra_hosts|container_name|hostname"
    r"|test|secrets|x-[\w-]+)\b"
)


def standins(uses: Iterable[tuple[Variable, str]], known: Mapping[str, str]) -> dict[str, str]:
    """Return a value for each variable that has neither a default nor a template's value.

    Args:
        uses: variables with the YAML path where they stand.
        known: what templates give.
    """
    places: dict[str, list[str]] = {}
    required: set[str] = set()
    for each, path in uses:
        places.setdefault(each.name, []).append("default" if each.default is not None else path)
        if each.operator.endswith("?"):
            required.add(each.name)
    found = {}
    for name, paths in places.items():
        bare = [path for path in paths if path != "default"]
        if known.get(name):
            found[name] = known[name]
        elif any(_PORTS.search(path) for path in bare):
            found[name] = PORT
        elif name in required or (len(bare) == len(paths) and all(map(_TEXTS.search, bare))):
            # One that has a default elsewhere is empty where it has none, as Compose has it.
            found[name] = STANDIN
    return found


def env_text(values: Mapping[str, str]) -> str:
    """Return an env file of values, for Compose."""
    quoted = {key: value.replace("\\", "\\\\").replace("'", "\\'") for key, value in values.items()}
    lines = (f"{key}='{value}'" for key, value in sorted(quoted.items()) if "\n" not in value)
    return "\n".join(lines) + "\n"


def reset_text(services: Iterable[str]) -> str:
    """Return a compose file that takes the services' env files away."""
    names = "".join(f"  {json.dumps(name)}:\n    env_file: !reset []\n" for name in services)
    return f"services:\n{names}" if names else "services: {}\n"


def command(root: Path, folder: str, files: Iterable[Path], env_file: Path) -> Command:
    """Return the call that prints the merged files as JSON."""
    argv = ["docker", "compose", "--project-name", "parity"]
    argv += ["--project-directory", str(root / folder), "--env-file", str(env_file)]
    for path in files:
        argv += ["--file", str(path)]
    words = ("--profile", "*", "config", "--format", "json")
    return Command((*argv, *words), cwd=root, effect="read")


def merged(
    workspace: Workspace, written: Written, folder: str, values: Mapping[str, str]
) -> Mapping[str, Any]:
    """Return what Compose makes of the files, or what is read without it where there is none.

    Raises:
        StackError: Compose is too old or refuses the files; without it, they need Compose.
    """
    with_files = [
        name
        for name in written.services()
        if any(node.get("env_file") for node in written.nodes(name))
    ]
    with tempfile.TemporaryDirectory(prefix="invoke-stack-") as name:
        temporary = Path(name)
        env_file, reset = temporary / "values.env", temporary / "reset.yml"
        env_file.write_text(env_text(values), encoding="utf-8")
        files = [workspace.root / each for each in written.files]
        if with_files:
            reset.write_text(reset_text(with_files), encoding="utf-8")
            files.append(reset)
        call = command(workspace.root, folder, files, env_file)
        try:
            done = workspace.runner.capture(call, timeout_s=TIMEOUT_S)
        except MissingProgramError:
            return _without_compose(workspace, written, folder, values)
    if any(words in done.stderr for words in _NO_PLUGIN) and done.code != 0:
        return _without_compose(workspace, written, folder, values)
    if done.code != 0:
        raise _refused(workspace, written, done.stderr)
    try:
        document = json.loads(done.stdout)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, Mapping):
        hint = "check which docker comes first on PATH: docker compose version"
        raise UsageError("docker compose config", "its answer is no JSON object", hint=hint)
    return document


def _without_compose(
    workspace: Workspace, written: Written, folder: str, values: Mapping[str, str]
) -> Mapping[str, Any]:
    root = workspace.root

    def fill(text: str, where: str) -> str:
        return interpolation.expand(interpolation.parse(text, where), values.get)

    source = bounded.Source(
        tuple(root / each for each in written.files),
        root / folder,
        {**values, bounded.PROJECT_NAME: "parity"},
        lambda path: path.relative_to(root).as_posix(),
    )
    return bounded.tree(source, fill)


def _refused(workspace: Workspace, written: Written, stderr: str) -> StackError:
    shown = ", ".join(written.files)
    lines = [line for line in stderr.splitlines() if line.strip() and "level=warning" not in line]
    last = lines[-1].strip() if lines else "docker compose config failed without a word"
    text = last.replace(f"{workspace.root}/", "").removeprefix("validating ")
    text = re.sub(r"\S*invoke-stack-\S*?/", "", text)
    return UsageError(shown, text[:300], hint="`docker compose config -q` shows the same problem")
