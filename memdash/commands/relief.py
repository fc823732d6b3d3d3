"""``--gc-at`` and what belongs to it: collections that memdash forces by itself."""

from __future__ import annotations

from dataclasses import dataclass

from memdash.commands.options import gathered, typed
from memdash.errors import UsageError
from memdash.model.finding import Finding, Severity
from memdash.model.relief import GcAt

__all__ = ["Relieving", "relief_options", "warns_of_relief"]

_ABOUT_IT = "gc-at "
"""What the log has to say of it begins so."""


@dataclass(frozen=True, slots=True)
class Relieving:
    """What the user said of it."""

    gc_at: float | None
    gc_cooldown: float
    limit: int | None
    read_only: bool

    def plan(self) -> GcAt | None:
        """What is to be done, None when nothing is.

        Raises UsageError for what contradicts itself, and for what belongs to it when it was given beside nothing.
        """
        if self.gc_at is None:
            _refuse_alone()
            return None
        if self.read_only:
            raise UsageError("--gc-at and --read-only exclude each other", "leave one of them away")
        if self.limit is None:
            return GcAt(ratio=self.gc_at, cooldown_s=self.gc_cooldown)
        return GcAt(ratio=self.gc_at, cooldown_s=self.gc_cooldown, limit_bytes=self.limit)


def _refuse_alone() -> None:
    """Those of the environment or the file wait for a --gc-at; typed without one they are a mistake."""
    for name in ("gc-cooldown", "limit"):
        if typed(name):
            raise UsageError(f"--{name} does nothing without --gc-at", "add --gc-at 80%")


def warns_of_relief(finding: Finding) -> bool:
    """Whether a line of the log warns of what becomes of it, above all that it cannot be done."""
    return finding.severity is Severity.WARNING and finding.summary.startswith(_ABOUT_IT)


relief_options = gathered(Relieving, "relief")
"""Give a command that watches these options; it gets one ``relief`` instead."""
