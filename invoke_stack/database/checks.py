"""What a check of a backup found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

State = Literal["ok", "failed", "unchecked"]


@dataclass(frozen=True, slots=True)
class Check:
    """One level: L0 size and first bytes, L1 checksum, L2 full decode, L3 restored."""

    level: str
    state: State
    text: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What was checked on one backup; ``seconds`` is how long that took."""

    file: Path
    checks: tuple[Check, ...]
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether nothing failed; what was not checked is told by the checks."""
        return all(check.state != "failed" for check in self.checks)

    @property
    def level(self) -> str:
        """The highest level that holds together with all below it, or ""."""
        reached = ""
        for check in self.checks:
            if check.state != "ok":
                break
            reached = check.level
        return reached

    @property
    def problem(self) -> str:
        """What failed first, or ""."""
        return next((check.text for check in self.checks if check.state == "failed"), "")

    def mapping(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        checks = [{"level": c.level, "state": c.state, "text": c.text} for c in self.checks]
        return {"file": str(self.file), "ok": self.ok, "level": self.level, "checks": checks}
