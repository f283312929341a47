"""What all collections together add to `inv --list`, in CPU time."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measure import INV, interleaved, run, spread

ROUNDS = 41
PACKAGE = Path(__file__).resolve().parent.parent / "invoke_stack"
BARE = "from invoke import task\n\n\n@task\ndef hello(c):\n    '''Say hello.'''\n"
OURS = "from invoke_stack import namespace\n\nns = namespace()\n"


def rows() -> list[tuple[str, str, str, str, str]]:
    """Return the measured rows: what, ours, peer, figure, target."""
    # As pip leaves an installed package; Invoke itself never writes byte code.
    run((sys.executable, "-m", "compileall", "-q", str(PACKAGE)), PACKAGE)
    with tempfile.TemporaryDirectory() as temporary:
        folders = []
        for name, text in (("bare", BARE), ("ours", OURS)):
            folder = Path(temporary) / name
            folder.mkdir()
            (folder / "tasks.py").write_text(text)
            folders.append(folder)
        bare, ours = folders
        mine, theirs = interleaved(
            lambda: run((*INV, "--list"), ours), lambda: run((*INV, "--list"), bare), ROUNDS
        )
    # The least of many, as in `timeit`: what else runs on the machine can only add to a run, and
    # on a virtual one adds more than ours does.
    more = min(each.cpu for each in mine) - min(each.cpu for each in theirs)
    return [
        (
            f"`inv --list`, CPU time, vs a bare `tasks.py`; the least of {ROUNDS} runs each",
            spread([each.cpu for each in mine], "ms"),
            spread([each.cpu for each in theirs], "ms"),
            f"{more * 1000:+.1f} ms",
            "< +10 ms",
        )
    ]
