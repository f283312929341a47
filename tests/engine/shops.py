"""A Next.js-like shop with Prisma that builds without any network, and what can go wrong with it.

Dependencies and the framework's output are files that stand for the real ones: what is checked is
how the image is put together. Broken variants are built on a base of a few megabytes, so that
reading all of them takes seconds.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

NODE = "node:22-alpine"

TINY = """\
FROM node:22-alpine AS whole
# The shell, a probe and libssl; node itself is 120 MB and no rule looks inside.
RUN mkdir -p /tiny/bin /tiny/etc /tiny/usr/local/bin /tiny/usr/lib /tiny/app /tiny/tmp \\
 && for name in dash wget rm mkdir head cat sleep; do \\
      for file in $(command -v $name) $(ldd $(command -v $name) | grep -o '/[^ ]*'); do \\
        cp --parents --dereference "$file" /tiny; done; done \\
 && cp /bin/dash /tiny/bin/sh && cp /usr/lib/*/libssl.so.3 /tiny/usr/lib/libssl.so.3 \\
 && cp /etc/passwd /etc/group /tiny/etc/ \\
 && printf '#!/bin/sh\\nexec sleep 60\\n' > /tiny/usr/local/bin/node \\
 && chmod 755 /tiny/usr/local/bin/node
FROM scratch
ENV PATH=/usr/local/bin:/usr/bin:/bin
COPY --from=whole /tiny /
"""

DOCKERFILE = """\
FROM node:22-alpine AS deps
WORKDIR /app
COPY package.json ./
COPY vendor ./node_modules

FROM node:22-alpine AS builder
WORKDIR /app
COPY --from=deps /app/node_modules ./node_modules
COPY package.json build.js server.js ./
COPY prisma ./prisma
RUN node build.js

FROM {base} AS runner
WORKDIR /app
ENV NODE_ENV=production PORT=3000
LABEL org.opencontainers.image.source="https://git.example/shop"
COPY --from=builder /app/.next/standalone ./
COPY --from=builder /app/.next/static ./.next/static
COPY --from=builder /app/prisma ./prisma
COPY --from=deps /app/node_modules/prisma ./node_modules/prisma
COPY --from=deps /app/node_modules/.prisma ./node_modules/.prisma
USER node
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=3s CMD wget -q -O /dev/null "http://127.0.0.1:$PORT/api/health"
CMD ["sh", "-c", "node node_modules/prisma/build/index.js migrate deploy && exec node server.js"]
"""

SERVER = """\
require("http").createServer((q, r) => r.end("ok")).listen(process.env.PORT || 3000);
"""
BUILD = """\
const fs = require("fs");
for (const name of [".next/static", ".next/standalone/node_modules/next"])
  fs.mkdirSync(name, { recursive: true });
fs.writeFileSync(".next/static/main.js", "x".repeat(20000));
fs.copyFileSync("server.js", ".next/standalone/server.js");
fs.copyFileSync("package.json", ".next/standalone/package.json");
const next = "node_modules/next/package.json";
fs.copyFileSync(next, `.next/standalone/${next}`);
"""
PACKAGE = {
    "name": "shop",
    "dependencies": {"next": "16.0.0", "prisma": "6.19.3"},
    "devDependencies": {"typescript": "5.9.0", "eslint": "9.0.0"},
}
LOCKED = {
    "packages": {
        "node_modules/next": {},
        "node_modules/prisma": {},
        "node_modules/typescript": {"dev": True},
        "node_modules/eslint": {"dev": True},
    }
}
ENGINE = "vendor/.prisma/client/libquery_engine-debian-openssl-3.0.x.so.node"


def files() -> dict[str, str]:
    """Return the shop's files."""
    found = {
        "package.json": json.dumps(PACKAGE),
        "build.js": BUILD,
        "server.js": SERVER,
        "prisma/schema.prisma": 'generator client { provider = "prisma-client-js" }\n',
        "prisma/migrations/1_init/migration.sql": "CREATE TABLE item (id int);\n",
        "vendor/.package-lock.json": json.dumps(LOCKED),
        "vendor/prisma/build/index.js": "console.log('No pending migrations to apply.');\n",
        ENGINE: "\0ELF\0",
        "Dockerfile": DOCKERFILE.format(base=NODE),
        ".dockerignore": ".env*\n.git\n*.pem\nnpmrc\n.invoke-stack\n",
    }
    for name in ("next", "prisma", "typescript", "eslint"):
        found[f"vendor/{name}/package.json"] = json.dumps({"name": name})
    return found


def token(*parts: str) -> str:
    """Return a token of a known form, put together so that this file holds none."""
    return "".join(parts) + secrets.token_hex(18)


@dataclass(frozen=True)
class Variant:
    """One way to spoil the image.

    Attributes:
        rule: what has to be found, and nothing else.
        edit: changes the Dockerfile.
        build: further keys of the `build:` section.
        extra: files of the context; its own ignore file lets them in.
    """

    rule: str
    edit: Callable[[str], str] = str
    build: Mapping[str, object] = field(default_factory=dict)
    extra: Mapping[str, str] = field(default_factory=dict)


def _swap(old: str, new: str) -> Callable[[str], str]:
    def edit(text: str) -> str:
        assert old in text, old
        return text.replace(old, new)

    return edit


def _before_user(lines: str) -> Callable[[str], str]:
    return _swap("USER node\n", f"{lines}\nUSER node\n")


def _without(start: str) -> Callable[[str], str]:
    def edit(text: str) -> str:
        kept = [line for line in text.splitlines() if not line.startswith(start)]
        assert len(kept) < len(text.splitlines()), start
        return "\n".join(kept) + "\n"

    return edit


PEM = "\n".join(
    ["-----BEGIN " + "PRIVATE KEY-----", *(secrets.token_hex(32) for _ in range(4)), ""]
)


def variants(base: str, key: str, npm: str) -> dict[str, Variant]:
    """Return every broken variant by the name of its service.

    Args:
        base: the small base image without its tag.
        key: a secret for ENV.
        npm: a secret for a file that is deleted later.
    """
    return {
        "root": Variant("IMG101", _without("USER")),
        "env": Variant("IMG110", _before_user("COPY .env.local ./"), extra={".env.local": "A=b\n"}),
        "git": Variant(
            "IMG111",
            _before_user("COPY .git ./.git"),
            extra={".git/HEAD": "ref: refs/heads/main\n", ".git/config": "[core]\n"},
        ),
        "argument": Variant(
            "IMG114",
            _swap("RUN node build.js", "ARG DATABASE_URL\nRUN node build.js"),
            build={"args": {"DATABASE_URL": "${DATABASE_URL}"}},
        ),
        "environment": Variant("IMG115", _before_user(f"ENV PAYMENT_SECRET={key}")),
        "deleted": Variant(
            "IMG113",
            _before_user("COPY npmrc .npmrc\nRUN rm .npmrc"),
            extra={"npmrc": f"//registry.example/:_authToken={npm}\n"},
        ),
        "key": Variant("IMG112", _before_user("COPY tls.pem ./"), extra={"tls.pem": PEM}),
        "probe": Variant("IMG103", _swap("CMD wget -q -O /dev/null", "CMD curl -f")),
        "unchecked": Variant("IMG102", _without("HEALTHCHECK")),
        "development": Variant(
            "IMG117", _before_user("COPY --from=deps /app/node_modules ./node_modules")
        ),
        "cache": Variant(
            "IMG116",
            _before_user(
                "RUN mkdir -p /root/.npm/_cacache && head -c 300000 /dev/zero "
                "> /root/.npm/_cacache/index"
            ),
        ),
        "target": Variant("IMG105", build={"target": "builder"}),
        "openssl": Variant("IMG107", _before_user("RUN rm /usr/lib/libssl.so.3")),
        "prisma": Variant("IMG106", _without("COPY --from=deps /app/node_modules/prisma ")),
        "floating": Variant("IMG108", _swap(f"FROM {base}:22-tiny", f"FROM {base}")),
    }


def compose(services: Mapping[str, Mapping[str, object]]) -> str:
    """Return a compose file, as JSON, which is YAML."""
    found = {
        name: {"build": {"context": ".", **build}, "environment": {"NODE_ENV": "production"}}
        for name, build in services.items()
    }
    return json.dumps({"services": found}, indent=1)
