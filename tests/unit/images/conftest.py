from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from invoke_stack.compose import model
from invoke_stack.dockerfile import parser
from invoke_stack.images.archive import Archive
from invoke_stack.images.checks.subject import Subject
from invoke_stack.images.contents import Contents, Gatherer
from invoke_stack.images.layers import Image, Layer
from invoke_stack.images.needles import Needles
from invoke_stack.images.source import Source
from invoke_stack.images.tar import Member
from invoke_stack.images.targets import Target

MakeSource = Callable[..., Source]
MakeSubject = Callable[..., Subject]

DOCKERFILE = """\
FROM node:22-alpine AS builder
WORKDIR /app
RUN npm run build

FROM node:22-alpine AS runner
WORKDIR /app
ENV PORT=3000
COPY --from=builder /app/dist ./
USER node
EXPOSE 3000
CMD ["node", "server.js"]
"""
BASE: Mapping[str, str] = {"/bin/sh": "", "/usr/local/bin/node": "", "/usr/bin/wget": ""}


def source(text: str = DOCKERFILE, args: Mapping[str, str] | None = None) -> Source:
    return Source("Dockerfile", text, parser.parse(text, "Dockerfile", args or {}))


@pytest.fixture
def make_source() -> MakeSource:
    return source


def gathered(
    layers: list[Mapping[str, str | None]],
    secrets: Mapping[str, str],
    scripts: tuple[str, ...] = (),
    history: tuple[str, ...] = (),
) -> Contents:
    """Return the contents of layers given as path to text; None deletes."""
    gatherer = Gatherer(Needles(secrets.items()), scripts)
    for number, layer in enumerate(layers):
        for path, text in layer.items():
            folder, _, name = path.rpartition("/")
            known = f"{folder}/.wh.{name}" if text is None else path
            raw = (text or "").encode()
            kind = "5" if path.endswith("/") else "0"
            member = Member(known.lstrip("/"), kind, len(raw), 0o755, "")
            gatherer.look(str(number), member, iter([memoryview(raw)]))
    config = {"history": [{"created_by": text} for text in history]}
    return gatherer.finished(Archive(config, tuple(str(n) for n in range(len(layers)))))


@pytest.fixture
def make_subject() -> MakeSubject:
    """Make an inspected image: `make_subject({"/app/.env": ""}, user="", service={…})`."""

    def make(
        *layers: Mapping[str, str | None],
        text: str = DOCKERFILE,
        target: str = "",
        config: Mapping[str, Any] | None = None,
        service: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        scripts: tuple[str, ...] = (),
        history: tuple[str, ...] = (),
        production: bool = True,
        path: str = "/api/health",
    ) -> Subject:
        stack = model.parse({"services": {"web": {"build": ".", **(service or {})}}})
        found = source(text)
        stored = {
            "User": "node",
            "WorkingDir": "/app",
            "Cmd": ["node", "server.js"],
            "Healthcheck": {"Test": ["CMD", "wget", "-q", "http://127.0.0.1:3000/"]},
            "Labels": {"org.opencontainers.image.source": "x"},
            **(config or {}),
        }
        whole = [BASE, *layers]
        steps = [Layer(0, "base")] + [
            Layer(1, f"COPY {number}", "Dockerfile", 8) for number, _ in enumerate(layers)
        ]
        env = dict(pair.partition("=")[::2] for pair in stored.get("Env") or ())
        return Subject(
            target=Target(
                stack.services["web"], "shop-web", target, stack.services["web"].build_args, found
            ),
            image=Image("web", "shop-web", "sha256:1", 1, tuple(steps), base=1),
            config=stored,
            contents=gathered(list(whole), secrets or {}, scripts, history),
            environment={**env, **(environment or {})},
            secrets=secrets or {},
            compose="compose.yaml",
            production=production,
            asked=path,
        )

    return make


@pytest.fixture
def here() -> Path:
    return Path(__file__).parent
