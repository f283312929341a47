"""Rules about the start command: are its programs there, and can migrations run?"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Sequence

from invoke_stack.compose.tolerant import mapping
from invoke_stack.findings.model import Finding
from invoke_stack.images.checks import programs
from invoke_stack.images.checks.subject import Subject
from invoke_stack.images.rules import finding

_MIGRATE = re.compile(r"\bprisma(?:/build/index\.js)?\s+migrate\s+deploy\b")
_DEEPEST = 3
_RUNNERS = frozenset({"npm", "pnpm", "yarn", "bun"})
_SCHEMA = re.compile(r"--schema[ =](\S+)")
_ENGINE = re.compile(
    r".*/(?:lib)?query[_-]engine-[\w.-]+?(?:\.so\.node|\.exe)?|.*/schema-engine-[\w.-]+"
)
_SOURCES = (".js", ".ts", ".wasm", ".map", ".json", ".gz", ".sha256", ".tmp")
_LIBSSL = re.compile(r".*/libssl\.so(?:\.[\d.]+)?")


def check(subject: Subject) -> Iterator[Finding]:
    """Yield what keeps the start command from running."""
    lines = tuple(_lines(subject, subject.start))
    migrates = next((line for line in lines if _MIGRATE.search(line)), "")
    if migrates:
        yield from _migrations(subject, migrates)
    yield from _programs(subject, migrates=bool(migrates))
    yield from _openssl(subject)


def _programs(subject: Subject, *, migrates: bool) -> Iterator[Finding]:
    for words in programs.called(subject.start):
        if migrates and words[0] in {"prisma", "npx"}:
            continue  # told by the rule about migrations
        if subject.files.program(words[0], subject.path, subject.workdir) is None:
            yield finding(
                "IMG106",
                subject.name,
                f"its start command calls {words[0]}, which the image does not have",
                f"install {words[0]} in the stage, or start something else",
                subject.dockerfile("CMD"),
            )


def _lines(subject: Subject, words: Sequence[str], depth: int = 0) -> Iterator[str]:
    """Yield the command lines that a start runs: scripts and npm scripts followed."""
    if depth > _DEEPEST:  # scripts that call each other
        return
    for called in programs.called(words):
        yield " ".join(called)
        script = _npm_script(subject, called)
        if script:
            yield from _lines(subject, ("sh", "-c", script), depth + 1)
        for word in called[:2]:  # a script, or a shell and its script
            yield from (" ".join(each) for each in programs.commands(_script(subject, word)))


def _script(subject: Subject, word: str) -> str:
    """Return the text of a shell script in the image; "" for any other program."""
    path = subject.files.program(word, subject.path, subject.workdir)
    path = path or posixpath.normpath(posixpath.join(subject.workdir, word))
    text = subject.contents.texts.get(path, "")
    return "" if path.endswith((".js", ".mjs", ".cjs", ".json")) else text


def _npm_script(subject: Subject, called: Sequence[str]) -> str:
    words = [each for each in called if not each.startswith("-")]
    if not words or words[0].rpartition("/")[2] not in _RUNNERS:
        return ""
    name = next((each for each in words[1:] if each not in {"run", "run-script"}), "")
    text = subject.contents.texts.get(posixpath.join(subject.workdir, "package.json"), "")
    try:
        document = mapping(json.loads(text or "{}"))
    except (ValueError, RecursionError):
        return ""
    return str(mapping(document.get("scripts")).get(name) or "")


def _migrations(subject: Subject, line: str) -> Iterator[Finding]:
    missing = list(_missing(subject, line))
    if missing:
        yield finding(
            "IMG106",
            subject.name,
            f"it starts with `prisma migrate deploy`, and the image lacks {', '.join(missing)}",
            "COPY --from=builder /app/prisma ./prisma\n"
            "COPY --from=builder /app/node_modules/prisma ./node_modules/prisma (and @prisma; or "
            "install prisma as a dependency)\n"
            "or run the migrations before the release instead (preDeployCommand)",
            subject.dockerfile("CMD"),
        )


def _missing(subject: Subject, line: str) -> Iterator[str]:
    files, folders = subject.files, list(_upwards(subject.workdir))
    direct = re.search(r"(\S*prisma/build/index\.js)", line)
    if direct:
        if posixpath.join(subject.workdir, direct[1]) not in files:
            yield direct[1]
    elif not files.program("prisma", subject.path) and not any(
        posixpath.join(folder, "node_modules", name) in files
        for folder in folders
        for name in (".bin/prisma", "prisma/package.json")
    ):
        yield "Prisma's CLI"
    named = _SCHEMA.search(line)
    schemas = [named[1]] if named else ["prisma/schema.prisma", "schema.prisma", "prisma/schema"]
    configs = ("prisma.config.ts", "prisma.config.js", "prisma.config.mjs", ".config/prisma.ts")
    if any(posixpath.join(subject.workdir, each) in files for each in configs):
        return  # it may name any folder
    paths = [posixpath.normpath(posixpath.join(subject.workdir, each)) for each in schemas]
    schema = next((path for path in paths if path in files), "")
    if not schema:
        yield "its schema"
    folder = posixpath.dirname(schema or paths[0])
    if posixpath.join(folder, "migrations") not in files:
        yield "its migrations"


def _upwards(folder: str) -> Iterator[str]:
    while True:
        yield folder
        if folder == "/":
            return
        folder = posixpath.dirname(folder)


def _openssl(subject: Subject) -> Iterator[Finding]:
    engines = [
        path for path in subject.files if _ENGINE.fullmatch(path) and not path.endswith(_SOURCES)
    ]
    if not engines or any(_LIBSSL.fullmatch(path) for path in subject.files):
        return
    first = min(engines)
    entry = subject.files.entry(first)
    apk = "/sbin/apk" in subject.files or "/lib/apk" in subject.files
    install = "apk add --no-cache openssl"
    if not apk:
        install = (
            "apt-get update && apt-get install -y --no-install-recommends openssl "
            "&& rm -rf /var/lib/apt/lists/*"
        )
    yield finding(
        "IMG107",
        subject.name,
        "Prisma's engine is in the image and libssl, which it loads, is not",
        f"RUN {install} in the stage (and in the one that runs prisma generate)",
        subject.layer(entry.layer if entry else 0),
        subject.inside(first),
    )
