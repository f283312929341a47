"""The one argument that domain functions share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from invoke_stack import files, modes
from invoke_stack.errors import UsageError
from invoke_stack.modes import Mode
from invoke_stack.process import Runner
from invoke_stack.redaction import Redactor
from invoke_stack.settings import ModeSettings, Settings


class Secrets:
    """The secret values seen so far in this run, so that no output shows one."""

    def __init__(self) -> None:
        self._redactor = Redactor(())

    def learn(self, values: Iterable[str]) -> None:
        """Hide these values from now on."""
        self._redactor = self._redactor.add(*values)

    def allow(self, words: Iterable[str]) -> None:
        """Keep these public names readable even where a password equals one of them."""
        self._redactor = self._redactor.allow(*words)

    def hide(self, text: str) -> str:
        """Return the text with every known secret replaced."""
        return self._redactor.text(text)


@dataclass(frozen=True, slots=True)
class Project:
    """A repository on disk and how to work on it.

    Attributes:
        root: the folder that holds `tasks.py`.
        settings: the merged settings.
        runner: what starts programs.
        environ: the environment of the caller.
        mode_flag: the mode that a flag named, or "".
        overrides: `--set KEY=VALUE` pairs, above everything else.
        secrets: what this run must not show.
    """

    root: Path
    settings: Settings
    runner: Runner
    environ: Mapping[str, str] = field(repr=False)
    mode_flag: str = ""
    overrides: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: Secrets = field(default_factory=Secrets, repr=False, compare=False)

    @property
    def dry(self) -> bool:
        """Whether to print what would be done and change nothing."""
        return self.runner.dry

    @property
    def state(self) -> Path:
        """The state folder `.invoke-stack/`, created on first use."""
        return files.state_folder(self.root)

    def alone(self, task: str) -> AbstractContextManager[None]:
        """Hold the stack's lock against whoever else brings it up, down or elsewhere.

        A dry run changes nothing and holds nothing.

        Raises:
            BusyError: on entering, when another run holds it.
        """
        return nullcontext() if self.dry else files.lock(self.state / "up.lock", task)

    def custom_modes(self) -> tuple[Mode, ...]:
        """Return the modes that settings add or change.

        Raises:
            UsageError: an added mode does not name its env files.
        """
        built_in = {mode.name: mode for mode in modes.BUILT_IN}
        found = []
        for key, each in self.settings.modes.items():
            base = built_in.get(modes.normalised(key), Mode(key, (), (key,)))
            layers = each.layers or base.layers
            if not layers:
                raise UsageError(
                    f"stack.modes.{key}.layers",
                    "a mode of the project's own names its env files",
                    hint=f"for example: ['.env', '.env.{key}', '.env.local']",
                )
            found.append(Mode(base.name, layers, base.aliases, each.node or base.node))
        return tuple(found)

    def mode_settings(self, mode: Mode) -> ModeSettings:
        """Return what the settings say about a mode, however they spell its name."""
        found = self.settings.modes
        spelled = (key for key in found if mode.name in {key, modes.normalised(key)})
        return next((found[key] for key in spelled), ModeSettings())

    def mode(self, name: str = "") -> Mode:
        """Return the mode of that name, else the flag's, else the setting's."""
        if name or self.mode_flag:
            return modes.find(name or self.mode_flag, self.custom_modes())
        return modes.find(self.settings.mode, self.custom_modes(), "setting stack.mode")

    def shown(self, path: Path) -> str:
        """Return a path as messages show it: from the project root where possible."""
        try:
            return path.relative_to(self.root).as_posix() or "."
        except ValueError:
            return str(path)
