"""Where a value that the stack lacks has to be written: the next step that really helps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from invoke_stack.environment import declared as loading
from invoke_stack.environment import layers
from invoke_stack.environment.declared import Declared
from invoke_stack.project import Project


def init(declared: Declared) -> str:
    """Return the command that makes the env files of the mode."""
    return f"inv env.init{declared.mode.suffix}"


def unset(project: Project, declared: Declared) -> str:
    """Return what to do about the required variables that nobody sets."""
    it = "it" if len(declared.missing) == 1 else "them"
    names = {each.name for each in declared.missing}
    known = [declared.env.values.get(each.name) for each in declared.missing]
    written = [each for each in known if each and each.origin == "file"]
    for target, template in _templates(project, declared):
        if names & set(layers.template_keys(template)):
            file, source = project.shown(target), project.shown(template)
            if not target.exists():
                return (
                    f"{init(declared)} makes {file} from {source}; fill in there what stays empty"
                )
            if not written:
                return f"{init(declared)} adds {it} to {file}, as {source} has {it}"
    if written:
        return f"give {it} a value: {written[0].file}:{written[0].line}"
    if declared.env.layers:
        return f"set {it} in {declared.env.layers[-1]}"
    return f"set {it} in {declared.mode.layers[0]}; {init(declared)} proposes one with every name"


def _templates(project: Project, declared: Declared) -> Iterator[tuple[Path, Path]]:
    """Yield the env files of the mode that have a template, and the template."""
    folders = [each.resolve() for each in loading.template_folders(project, declared.files)]
    for folder in dict.fromkeys(folders):
        for name, template in layers.templates(folder).items():
            if name in declared.mode.layers:
                yield folder / name, template
