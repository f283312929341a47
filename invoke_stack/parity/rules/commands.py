"""PAR601-603: what runs, and what has to run before."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence

from invoke_stack.parity.declaration import Process
from invoke_stack.parity.parts import Step
from invoke_stack.parity.repository import Facts, Migrations
from invoke_stack.parity.rule import Found, Outcome, Passed, Unknown, places, rule
from invoke_stack.parity.rules import chained, nextjs, sides
from invoke_stack.parity.values import Src

_RUNTIMES = frozenset(
    {"node", "bun", "deno", "tsx", "python", "python3", "ruby", "puma", "java", "next"}
    | {"gunicorn", "uvicorn", "celery", "fastapi", "flask"}
)
_HOST_TOOLS = frozenset({"docker", "docker-compose", "systemctl", "service", "podman", "kubectl"})
_DEPLOY = {
    "prisma": "npx prisma migrate deploy", "drizzle": "npx drizzle-kit migrate",
    "knex": "npx knex migrate:latest", "sequelize": "npx sequelize-cli db:migrate",
    "typeorm": "npx typeorm migration:run", "alembic": "alembic upgrade head",
    "django": "python manage.py migrate", "rails": "bin/rails db:migrate",
    "flyway": "flyway migrate",
}  # fmt: skip


@rule("PAR601", "Start command differs")
def starts(facts: Facts) -> Iterator[Outcome]:
    """Compare which program serves on each side; flags and wrappers do not count."""
    for pair in sides.contained(facts):
        theirs, ours = _server(pair.production), _server(pair.local)
        if theirs is None or ours is None:
            continue
        name = pair.production.name
        where = places([pair.production.command, theirs.src], [pair.local.command, ours.src])
        if _program(theirs) == _program(ours) or _both_next(facts, theirs, ours):
            yield Passed(name, f"both start {' '.join(_program(ours))}", where)
            continue
        message = f"production starts {_shown(theirs)}, local {_shown(ours)}"
        yield Found(name, message, where, f"command: {theirs.text}")


def _both_next(facts: Facts, *steps: Step) -> bool:
    """Tell whether both are the server of Next.js, once as its command and once as its build."""
    programs = {_program(each) for each in steps}
    return programs == {("next",), ("node", "server.js")} and nextjs.standalone(facts) is not None


def _server(process: Process) -> Step | None:
    served = [each for each in process.steps_start if each.tag in {"serve", "worker", "other"}]
    known = [each for each in served if each.words and _name(each) in _RUNTIMES]
    return known[-1] if known else None


def _name(step: Step) -> str:
    return posixpath.basename(step.words[0]) if step.words else ""


def _program(step: Step) -> tuple[str, ...]:
    """Return interpreter and script (or app), without flags and `./`."""
    words = [each for each in step.words[1:] if not each.startswith("-") and "=" not in each]
    target = [posixpath.normpath(each) for each in words if re.search(r"[./:]|^app$", each)]
    name = _name(step).removesuffix("3")
    if name in {"fastapi", "next", "flask"}:
        return (name,)
    if name == "celery":
        return (name, *(each for each in words if each in {"worker", "beat", "flower"}))
    return (name, *(posixpath.basename(each) for each in target[:1]))


def _shown(step: Step) -> str:
    return " ".join(_program(step))


@rule("PAR602", "Migrations differ", "error")
def migrations(facts: Facts) -> Iterator[Outcome]:
    """Check that the schema is migrated on both sides, and how."""
    yield from _pushes(facts)
    pushed = any(_push(step) for process in facts.production.processes.values()
                 for step in _all(process))  # fmt: skip
    for tool in facts.repository.migrations:
        if pushed or not _relevant(facts):
            continue
        production = _state(facts, facts.production.processes.values())
        local = _state(facts, facts.local.processes.values())
        yield _migrated(facts, tool, production, local)
        break


def _relevant(facts: Facts) -> bool:
    """Tell whether production runs code of this repository: an image may bring anything."""
    return any(each.runtime.value not in {"image", "static"} for each in
               sides.apps(facts.production))  # fmt: skip


State = tuple[bool | None, tuple[Step, ...]]


def _state(facts: Facts, processes: Iterable[Process]) -> State:
    """Return whether a side migrates (None: nobody here can tell), and the steps that do."""
    found: list[Step] = []
    unsure = False
    for process in processes:
        for step in _all(process):
            if step.tag == "migrate" or any("migrat" in word.casefold() for word in step.words):
                found.append(step)
            unsure = unsure or _hidden(facts, step)
        # On the host a developer migrates by hand; in an image of others anything may happen.
        unsure = unsure or process.runtime.value == "image" or process.host_run
    return (True if found else None if unsure else False), tuple(found)


def _all(process: Process) -> Sequence[Step]:
    return (*process.steps_build, *process.steps_release, *process.steps_start)


def _hidden(facts: Facts, step: Step) -> bool:
    """Tell whether a script that is no shell script speaks of migrations."""
    workspace = facts.repository.workspace
    for word in step.words[1:3]:
        path = posixpath.normpath(word)
        if path.endswith((".mjs", ".js", ".cjs", ".ts", ".py", ".rb")) and workspace.has(path):
            text = workspace.text(path) if workspace.readable(path) else ""
            return re.search(r"migrat|drizzle-kit|prisma", text, re.IGNORECASE) is not None
    return False


def _migrated(facts: Facts, tool: Migrations, production: State, local: State) -> Outcome:
    name = tool.tool
    sources = [[each.src for each in steps] for _, steps in (production, local)]
    code = [each for each in sides.apps(facts.production) if each.runtime.value != "static"]
    starts = [each.command.src if each.command.src.file else each.src for each in code]
    where = places(sources[0] or starts, [*sources[1], *_images(facts), tool.src])
    command = _DEPLOY.get(name, "the migration command")
    fix = chained.line(facts, command)
    if production[0]:
        build = [each for process in facts.production.processes.values()
                 for each in process.steps_build if each in production[1]]  # fmt: skip
        guarded = [each for each in production[1] if each.guarded]
        if guarded or (build and len(build) == len(production[1])):
            how = "its failure is swallowed" if guarded else "while it builds"
            return Found(name, f"production migrates, but {how}", where, fix, "warning")
        if local[0] is False:
            message = f"production migrates ({production[1][0].text}), the local stack never does"
            return Found(name, message, where, chained.composed(facts.local, command), "warning")
        return Passed(name, f"production migrates: {production[1][0].text}", where)
    if production[0] is None:
        message = "nobody here can tell whether production migrates"
        return Unknown(name, message, "a step of its own for migrations", where)
    also = "" if local[0] else "; neither does the local stack" if local[0] is False else ""
    message = f"{tool.folder} has migrations, and production never runs them{also}"
    return Found(name, message, where, fix, None if tool.count else "warning")


def _images(facts: Facts) -> Iterator[Src]:
    """Yield where the images' own commands stand."""
    for _, process, build in sides.shipped(facts):
        if build.parsed is not None and build.stage is not None and not process.dev_tool:
            line = build.parsed.cmd(build.stage)
            if line is not None:
                yield Src(str(build.dockerfile.value), line.line)


def _push(step: Step) -> bool:
    words = [posixpath.basename(each) for each in step.words]
    push = words[:3] == ["prisma", "db", "push"] or words[:2] in (
        ["drizzle-kit", "push"], ["drizzle-kit", "push:pg"],
    )  # fmt: skip
    return push or "--accept-data-loss" in words


def _pushes(facts: Facts) -> Iterator[Outcome]:
    """Yield what pushes a schema at the production database."""
    for process in facts.production.processes.values():
        for step in _all(process):
            if not _push(step):
                continue
            tool = "prisma" if "prisma" in step.text else step.words[0]
            lost = "--accept-data-loss" in step.words
            message = f"production runs `{step.text}`, which changes tables without migrations"
            message += " and drops data" if lost else ""
            others = [each.src for local in sides.apps(facts.local) for each in _all(local)
                      if each.tag == "migrate" or _push(each)]  # fmt: skip
            folders = [each.src for each in facts.repository.migrations]
            where = places([process.command, step.src], [*others, *folders])
            fix = chained.line(facts, _DEPLOY.get(tool.removesuffix("-kit"), _DEPLOY["prisma"]))
            yield Found(tool, message, where, fix)


@rule("PAR603", "Production command cannot run there", "error", "high")
def unrunnable(facts: Facts) -> Iterator[Outcome]:
    """Find programs of the host in production's commands, and privileges that it has not."""
    if facts.production.target == "compose":
        return
    for process in facts.production.processes.values():
        for step in _all(process):
            if _name(step) in _HOST_TOOLS:
                message = f"{process.name} runs {_name(step)}, which no platform has inside"
                where = places([process.command_build if step in process.steps_build else
                                process.command, step.src])  # fmt: skip
                yield Found(process.name, message, where, "what it starts, directly")
    for pair in facts.pairing.processes:
        for each in pair.local.privileged:
            if each.note == "cap_add" or each.value in {"cap_add", None}:
                continue
            message = f"{pair.local.name} has {each.value} locally, which production does not give"
            where = places([pair.production.src], [each])
            yield Found(pair.local.name, message, where, f"without {each.value}")
