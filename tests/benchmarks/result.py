"""One line of the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Result", "table"]


@dataclass(frozen=True, slots=True)
class Result:
    """``measured`` and ``goal`` are words with units; ``holds`` says whether the goal is reached (None: no goal)."""

    claim: str
    measured: str
    goal: str
    holds: bool | None


def table(results: Sequence[Result]) -> str:
    """Markdown, ready for the README."""
    lines = ["| what | measured | goal | |", "|---|---|---|---|"]
    marks = {True: "✓", False: "✗", None: ""}
    lines += [f"| {r.claim} | {r.measured} | {r.goal} | {marks[r.holds]} |" for r in results]
    return "\n".join(lines)
