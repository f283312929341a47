"""Env templates, and env files that are part of the repository."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from invoke_stack.environment import layers
from invoke_stack.environment.dotenv import statements
from invoke_stack.environment.marks import marks
from invoke_stack.errors import StackError
from invoke_stack.modes import BUILT_IN
from invoke_stack.parity.declaration import Problem
from invoke_stack.parity.parts import EnvVar
from invoke_stack.parity.readers.env import variable
from invoke_stack.parity.repository import Template
from invoke_stack.parity.values import Src
from invoke_stack.parity.workspace import Workspace, joined, normal

_ENDINGS = ("example", "sample", "template", "dist", "default", "defaults", "tpl")
_NAME = re.compile(
    rf"(?:\.env(?:\.[\w-]+)*|[\w-]+\.env(?:\.[\w-]+)*|env)\.(?:{'|'.join(_ENDINGS)})(?:\.[\w-]+)?"
    rf"|(?:\.env)?\.?(?:{'|'.join(_ENDINGS)})\.env|\.env(?:\.[\w-]+)*|[\w-]+\.env"
)
_IS_TEMPLATE = re.compile(rf"(?:^|[.-])(?:{'|'.join(_ENDINGS)})(?:$|[.-])")
_ASIDE = re.compile(
    r"^#\s?(?:export\s+)?(?P<key>[A-Z][A-Z0-9_]*)\s*=(?P<value>\S*|\"[^\"]*\"|'[^']*')\s*(?:#.*)?$"
)
_COPY = re.compile(
    r"(?:cp|copy)\s+(?:-\w+\s+)?(?P<source>\S*env\S*)\s+(?P<target>\S*env[\w.-]*)"
    r"|[Cc]opy (?:this file )?(?:to|as)\s+[`'\"]?(?P<to>[\w./-]*\.env[\w.-]*)"
)
_REQUIRED = re.compile(r"\bREQUIRED\b|\(required\)|\b[Rr]equired[:!]")
_OPTIONAL = re.compile(r"\boptional\b", re.IGNORECASE)
_MOST = 60
_LAYERS = frozenset(name for mode in BUILT_IN for name in mode.layers)


def read(workspace: Workspace) -> tuple[tuple[Template, ...], tuple[Problem, ...]]:
    """Return the templates and committed env files in path order, and what cannot be read."""
    return workspace.once("templates", lambda: _read(workspace))


def _read(workspace: Workspace) -> tuple[tuple[Template, ...], tuple[Problem, ...]]:
    found, problems = [], []
    names = [each for each in sorted(workspace.files) if _NAME.fullmatch(posixpath.basename(each))]
    for name in names[:_MOST]:
        try:
            found.append(template(workspace, name))
        except StackError as problem:
            problems.append(Problem(Src(name, 1), problem.message, problem.hint))
    return tuple(found), tuple(problems)


def template(workspace: Workspace, file: str) -> Template:
    """Return one env file or template.

    Raises:
        UsageError: it cannot be read.
    """
    text = workspace.text(file)
    folder = posixpath.dirname(file) or "."
    is_template = bool(_IS_TEMPLATE.search(posixpath.basename(file)))
    return Template(
        file, _target(text, file, folder), folder, dict(_keys(text, file)), template=is_template
    )


def _target(text: str, file: str, folder: str) -> str:
    """Return the file that a template makes: what its header says, else its name without ending."""
    for line in text.splitlines()[:40]:
        if line.startswith("#") and (found := _COPY.search(line)):
            source = found["source"] or ""
            if not source or posixpath.basename(source) == posixpath.basename(file):
                name = found["to"] or found["target"] or ""
                # `cp docker/.env.example .env` is said from the root, `../.env` from the folder.
                from_root = normal(name) if "/" in source else "../"
                return joined(folder, name) if from_root.startswith("../") else from_root
    name = posixpath.basename(file)
    plain = re.sub(rf"\.(?:{'|'.join(_ENDINGS)})(?=\.|$)", "", name)
    plain = re.sub(rf"^\.?(?:{'|'.join(_ENDINGS)})(?=\.env)", "", plain)
    return joined(folder, plain if plain.startswith((".", "env")) or ".env" in plain else name)


def _keys(text: str, file: str) -> Iterator[tuple[str, EnvVar]]:
    """Yield the variables; what an earlier line sets is not set again by a comment."""
    marked = marks(text)
    found: dict[str, EnvVar] = {}
    above: list[str] = []
    for binding, line in statements(text):
        written = binding.original.string
        if "\n" in written[: len(written) - len(written.lstrip())]:
            above = []
        src = Src(file, line)
        if binding.key is not None:
            words = f"{' '.join(above)} {written.partition('#')[2]}"
            needed = _needed(binding.key, binding.value or "", words, marked)
            found[binding.key] = variable(
                binding.key, binding.value or "", src, "template", required=needed,
                sensitive=True if "sensitive" in marked.get(binding.key, {}) else None,
            )  # fmt: skip
            above = []
        elif aside := _ASIDE.match(written.strip()):
            value = aside["value"].strip("\"'")
            each = variable(aside["key"], value, src, "template", required=False, commented=True)
            found.setdefault(aside["key"], each)
        else:
            above.append(written.strip())
    yield from found.items()


def _needed(
    key: str, value: str, words: str, marked: Mapping[str, Mapping[str, str]]
) -> bool | None:
    own = marked.get(key, {})
    if "required" in own:
        return own["required"].casefold() not in {"false", "no"}
    if _REQUIRED.search(words):
        return True
    if "optional" in own or _OPTIONAL.search(words) or not value:
        return False
    return None


def of_file(templates: tuple[Template, ...], path: str, given: Mapping[str, str]) -> str:
    """Return the template that makes an env file; "" when none does.

    Args:
        templates: all of the repository.
        path: the env file, from the root.
        given: env file to template, from the settings.
    """
    for target, source in given.items():
        if normal(target) == path:
            return normal(source)
    real = [each for each in templates if each.template]
    exact = [each.file for each in real if each.target == path]
    if exact:
        return exact[0]
    folder = posixpath.dirname(path) or "."
    # `.env.local` beside the only `.env.example`: whoever writes the one copies the other.
    plain = joined(folder, ".env")
    related = [each.file for each in real if each.target == plain]
    if len(related) == 1 and posixpath.basename(path) == ".env.local":
        return related[0]
    # `docker/.env.docker.example`: no mode reads `.env.docker`, so env.init makes this file of it.
    left = [each.file for each in real if _unclaimed(posixpath.basename(each.target))]
    return left[0] if len(left) == 1 and posixpath.basename(path) in _LAYERS else ""


def _unclaimed(name: str) -> bool:
    return name.startswith(".env.") and layers.unclaimed(name, _LAYERS)
