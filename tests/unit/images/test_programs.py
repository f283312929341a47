from __future__ import annotations

import pytest

from invoke_stack.images.checks import programs


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("node", "server.js"), ["node"]),
        (("CMD", "wget", "-q", "URL"), ["wget"]),
        (("CMD-SHELL", "curl -f http://x || exit 1"), ["curl"]),
        (("CMD-SHELL", "A=1 wget -q x >/dev/null 2>&1 | grep -q ok"), ["wget", "grep"]),
        (("sh", "-c", "node migrate.js && exec node server.js"), ["sh", "node", "node"]),
        (("/bin/sh", "-ec", "set -e; cd /app; npm start"), ["/bin/sh", "npm"]),
        (("sh", "-c", "if [ -f x ]; then npx prisma migrate deploy; fi"), ["sh", "npx"]),
        (("sh", "-c", "$START_COMMAND"), ["sh"]),
        (("tini", "--", "node", "server.js"), ["tini", "node"]),
        (("gosu", "app", "node"), ["gosu", "node"]),
        (("dumb-init", "--", "sh", "-c", "node a"), ["dumb-init", "node"]),
        (("sh", "-c", 'echo "unclosed'), ["sh"]),
        ((), []),
    ],
)
def test_the_programs_that_a_command_calls(words: tuple[str, ...], names: list[str]) -> None:
    assert [each[0] for each in programs.called(words)] == names
