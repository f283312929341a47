"""PAR702: Prisma's engine needs OpenSSL."""

from __future__ import annotations

import re
from collections.abc import Iterator

from invoke_stack.dockerfile.model import Dockerfile, Stage
from invoke_stack.findings.model import Severity
from invoke_stack.parity.repository import Facts, Schema
from invoke_stack.parity.rule import Found, Outcome, Passed, places, rule
from invoke_stack.parity.rules import sides
from invoke_stack.parity.rules.images import shipped
from invoke_stack.parity.values import Src

_INSTALL = re.compile(r"\bapk\s+(?:--?\S+\s+)*add\b[^&|;]*(?<![\w-])openssl(?![\w-])")
_DETECTS = 6
"""From this major on Prisma finds OpenSSL on Alpine ≥ 3.21 (prisma/orm#25817)."""


@rule("PAR702", "Prisma on Alpine without openssl")
def openssl(facts: Facts) -> Iterator[Outcome]:
    """Check the Alpine stages that run Prisma's engine."""
    for path, parsed, stage, _ in shipped(facts):
        schema = _schema(facts, parsed)
        base = parsed.root(stage)
        if schema is None or not schema.engine or not _alpine(base.image):
            continue
        where = places((), [Src(path, stage.line), Src(path, base.line), schema.src])
        if _installs(parsed, stage):
            yield Passed(path, "the running stage has openssl", where)
            continue
        major = schema.version.value.major if schema.version.value else None
        message = f"the running stage is Alpine without openssl, which Prisma {major or ''} needs"
        message = message.replace("  ", " ")
        sure = major is not None and major < _DETECTS and not _pinned(base.image)
        level: Severity | None = "error" if sure else None
        yield Found(path, message, where, "RUN apk add --no-cache openssl", level)


def _schema(facts: Facts, parsed: Dockerfile) -> Schema | None:
    """Return the schema that an image runs with: it is copied, or generated inside."""
    if not facts.repository.schemas:
        return None
    text = " ".join(
        " ".join((*each.args, each.script))
        for stage in parsed.stages
        for each in stage.instructions
    )
    broad = any(
        source.rstrip("/") in {".", ""}
        for stage in parsed.stages
        for each in stage.copies
        if not each.origin
        for source in each.sources
    )
    node = any(sides.repository_name(stage.image) == "node" for stage in parsed.stages)
    return facts.repository.schemas[0] if node and ("prisma" in text or broad) else None


def _alpine(image: str) -> bool:
    return "alpine" in sides.tag(image) or sides.repository_name(image) == "alpine"


def _pinned(image: str) -> bool:
    return re.search(r"alpine3\.(?:1\d|20)\b", image) is not None


def _installs(parsed: Dockerfile, stage: Stage) -> bool:
    return any(
        _INSTALL.search(each.script) for one in parsed.chain(stage) for each in one.named("RUN")
    )
