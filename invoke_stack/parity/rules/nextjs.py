"""What several rules know about Next.js."""

from __future__ import annotations

import re

from invoke_stack.parity.repository import Facts
from invoke_stack.parity.values import Src


def standalone(facts: Facts) -> Src | None:
    """Return where the project asks for the standalone server: `output: "standalone"`.

    Source: https://nextjs.org/docs/app/api-reference/config/next-config-js/output
    """
    workspace = facts.repository.workspace
    for path in workspace.named("next.config.js", "next.config.mjs", "next.config.ts"):
        if not workspace.readable(path):
            continue
        lines = workspace.text(path).splitlines()
        for number, line in enumerate(lines, start=1):
            if re.search(r"^\s*output\s*:.*['\"]standalone['\"]", line):
                return Src(path, number)
    return None
