from __future__ import annotations

import re

import pytest

from invoke_stack.completion import scripts
from invoke_stack.errors import UsageError


@pytest.mark.parametrize("shell", scripts.SHELLS)
def test_every_shell_has_a_script_that_falls_back_to_invoke(shell: str) -> None:
    text = scripts.script(shell)

    assert "-m invoke_stack.tasks.completing" in text
    assert "--complete" in text
    assert not re.search(r"/(?:home|root|tmp|usr)/", text)


@pytest.mark.parametrize("shell", ["", "tcsh", "../bash"])
def test_another_shell_is_an_error_that_names_the_known_ones(shell: str) -> None:
    with pytest.raises(UsageError) as caught:
        scripts.script(shell)

    wanted = f"no completion for {shell}" if shell else "which shell?"
    assert caught.value.message == wanted
    assert caught.value.hint == "inv stack.completion --shell bash, zsh or fish"
