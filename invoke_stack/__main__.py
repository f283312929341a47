"""`python -m invoke_stack stack.doctor`: our tasks where Invoke itself does not start.

A syntax error in `invoke.yaml` or `tasks.py` ends every `inv` command before a task of ours runs.
Started this way, `tasks.py` is not loaded and settings that cannot be read are left out.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Run the tasks that the command line names."""
    from invoke_stack.tasks._alone import Alone

    Alone(Path.cwd()).run(["python -m invoke_stack", *sys.argv[1:]])


if __name__ == "__main__":
    main()
