"""PAR701, 705, 706 and 708: how the shipped image is made."""

from __future__ import annotations

import re
from collections.abc import Iterator

from invoke_stack.dockerfile.model import Dockerfile, Stage
from invoke_stack.parity.repository import Facts
from invoke_stack.parity.rule import Found, Outcome, Passed, places, rule
from invoke_stack.parity.rules import sides
from invoke_stack.parity.values import Src

ROOTS = frozenset(
    {"node", "python", "debian", "ubuntu", "alpine", "ruby", "golang", "php", "nginx", "httpd"}
    | {"caddy", "openjdk", "eclipse-temurin", "rust", "oven/bun", "scratch", "elixir", "busybox"}
)
"""Official images whose own user is root."""
_SECRET = re.compile(r"(?:^|_)(?:SECRET|TOKEN|PASSWORD|PASSWD|PRIVATE_KEY|API_KEY|ACCESS_KEY|"
                     r"ENCRYPTION_KEY|CREDENTIALS)(?:_|$)")  # fmt: skip
_DUMMY = re.compile(r"^$|placeholder|dummy|change|example|cafebabe|deadbeef|fake|test|build|xxx|"
                    r"your[-_ ]|<|\$\{?\w|^(.)\1*$|secret$|password$", re.IGNORECASE)  # fmt: skip


def shipped(facts: Facts) -> Iterator[tuple[str, Dockerfile, Stage, Src]]:
    """Yield every Dockerfile that ships with the stage that does, and where it is named."""
    for path, (parsed, target, src) in sides.builds(facts).items():
        stage = parsed.stage(target)
        prod = facts.production
        # Production builds the last stage whatever a local target says.
        if any(each.build and each.build.dockerfile.value == path
               for each in prod.processes.values()) and prod.target == "render":  # fmt: skip
            stage = parsed.last
        if stage is not None:
            yield path, parsed, stage, src


@rule("PAR701", "Final stage runs as root", "warning", "high")
def users(facts: Facts) -> Iterator[Outcome]:
    """Look for a USER along the stages of what ships."""
    for path, parsed, stage, _ in shipped(facts):
        user = parsed.user(stage)
        root = parsed.root(stage)
        name = user.value.partition(":")[0] if user and user.value else ""
        line = user.line if user else stage.line
        where = places((), [Src(path, line)])
        if user is not None and name not in {"root", "0"}:
            yield Passed(path, f"runs as {name or 'another user'}", where)
        elif user is not None or _root_image(root.image):
            group = "the final stage runs as root"
            yield Found(path, path, where, "USER node   (or a user made with adduser)", group=group)


def _root_image(image: str) -> bool:
    name = sides.repository_name(image)
    return name in ROOTS and not re.search(r"nonroot|unprivileged", image)


@rule("PAR705", "Base image floats", "warning", "high")
def floating(facts: Facts) -> Iterator[Outcome]:
    """Find base images without a version in what production builds."""
    for process in facts.production.processes.values():
        build = process.build
        for stage in build.parsed.stages if build and build.parsed else ():
            if stage.parent is not None or not stage.known or "@" in stage.image:
                continue
            tag = sides.tag(stage.image)
            if stage.image != "scratch" and tag in {"", "latest"}:
                file = str(build.dockerfile.value) if build else ""
                message = f"{stage.image} is whatever it is on the day of the build"
                fix = f"FROM {sides.repository_name(stage.image)}:<version>"
                yield Found(file, message, places([Src(file, stage.line)]), fix)


@rule("PAR706", "Single stage or whole node_modules in the runner", "info")
def heavy(facts: Facts) -> Iterator[Outcome]:
    """Find build tools and dependencies that ship although a standalone build needs none."""
    for path, parsed, stage, _ in shipped(facts):
        copies = parsed.copies(stage)
        standalone = [each for each in copies if "standalone" in " ".join(each.sources)]
        whole = [
            each
            for each in copies
            if each.origin
            and any(one.rstrip("/").endswith("/node_modules") for one in each.sources)
        ]
        if standalone and whole:
            message = "the whole node_modules is copied beside the standalone build"
            where = places((), [Src(path, whole[0].line)])
            fix = "copy node_modules/.prisma, @prisma and prisma alone"
            yield Found(path, message, where, fix)
        elif len(parsed.stages) == 1 and _compiles(stage):
            message = "one stage builds and runs: compilers and sources ship"
            where = places((), [Src(path, stage.line)])
            yield Found(path, message, where, "FROM … AS builder, then FROM … AS runner")


def _compiles(stage: Stage) -> bool:
    wanted = re.compile(
        r"\b(?:npm|pnpm|yarn|bun)(?: run)? build\b|\bnext build\b|\btsc\b|\bgo build\b"
    )
    return any(wanted.search(each.script) for each in stage.named("RUN"))


@rule("PAR708", "Secret in ARG or ENV", "warning", "high")
def secrets(facts: Facts) -> Iterator[Outcome]:
    """Find secrets in the layers of what ships; their text is shown nowhere."""
    for path, parsed, stage, _ in shipped(facts):
        for each in parsed.chain(stage):
            for kind, words in (("ENV", each.env), ("ARG", each.args)):
                for key, word in words.items():
                    text = word.value or ""
                    if not _SECRET.search(key) or not word.known or _DUMMY.search(text):
                        continue
                    message = f"{kind} {key} holds a value that everybody with the image can read"
                    where = places((), [Src(path, word.line)])
                    fix = f"RUN --mount=type=secret,id={key.lower()} …, or at run time"
                    yield Found(key, message, where, fix)
