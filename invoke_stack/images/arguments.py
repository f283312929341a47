"""Build arguments that carry a secret, and the BuildKit-secret lines to write instead."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from invoke_stack.dockerfile.model import Instruction, Stage
from invoke_stack.environment import placeholders
from invoke_stack.findings.model import Finding
from invoke_stack.images.rules import finding
from invoke_stack.images.targets import Target
from invoke_stack.redaction import is_sensitive

# What a build calls to make the app; where no RUN names the variable, it reads it there.
_BUILDS = re.compile(r"\b(build|generate|migrate|compile)\b")


def check(target: Target, secrets: Collection[str], compose: str) -> Iterator[Finding]:
    """Yield a finding for each argument whose value must not stand in the image's history.

    Args:
        target: what is built.
        secrets: the secret values that the env resolves to.
        compose: the compose file's name, for the lines to write.
    """
    for name, stages in _declared(target).items():
        value = target.args.get(name)
        if value is None:
            value = next((one for stage in stages if (one := stage.args[name].value)), None)
        if not value or not _secret(name, value, secrets):
            continue
        shipped = any(stage in _chain(target) for stage in stages)
        where = "stands in the image's history" if shipped else "stays in the build cache"
        yield finding(
            "IMG114",
            target.name,
            f"the build argument {name} holds a secret: its value {where}",
            "\n".join(_lines(target, name, stages, compose)),
            *(target.source.place(stage.args[name].line) for stage in stages),
            severity="error" if shipped else "warning",
        )


def _secret(name: str, value: str, secrets: Collection[str]) -> bool:
    if value in secrets:
        return True
    # A made-up value that only has to be there while the build runs is nobody's secret.
    return is_sensitive(name, value) and not (placeholders.reason(name, value) or _made_up(value))


def _made_up(value: str) -> bool:
    found = re.search(r"://([^:/@]*):([^@/]*)@", value)
    words = "placeholder|dummy|user|username|password|pass|postgres|build|changeme|x+|\\*+"
    return bool(found and re.fullmatch(words, found[2], re.IGNORECASE))


def _declared(target: Target) -> dict[str, list[Stage]]:
    found: dict[str, list[Stage]] = {}
    dockerfile = target.source.dockerfile
    for stage in dockerfile.stages if dockerfile else ():
        for name in stage.args:
            found.setdefault(name, []).append(stage)
    return found


def _chain(target: Target) -> tuple[Stage, ...]:
    dockerfile, stage = target.source.dockerfile, target.source.stage(target.stage)
    return dockerfile.chain(stage) if dockerfile and stage else ()


def _lines(target: Target, name: str, stages: list[Stage], compose: str) -> Iterator[str]:
    source = target.source
    for stage in stages:
        yield f"{source.file}:{stage.args[name].line}: delete ARG {name}"
        used = _user(stage, name)
        at, command = (used.line, used.text) if used else (stage.line, "COMMAND")
        yield (
            f"{source.file}:{at}: RUN --mount=type=secret,id={name} "
            f'export {name}="$(cat /run/secrets/{name})" && {" ".join(command.split())}'
        )
    yield f"{compose}: services: {{{target.name}: {{build: {{secrets: [{name}]}}}}}}"
    yield f"{compose}: secrets: {{{name}: {{environment: {name}}}}}"
    if target.args.get(name) is not None:
        yield f"{compose}: delete {name} from build.args of {target.name}"


def _user(stage: Stage, name: str) -> Instruction | None:
    later = [each for each in stage.named("RUN") if each.line > stage.args[name].line]
    named = [each for each in later if re.search(rf"\$\{{?{name}\b", each.text)]
    return next(iter(named or [each for each in later if _BUILDS.search(each.text)]), None)
