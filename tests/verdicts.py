"""Verdicts as the judge would give them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from memdash.analysis.points import Basis
from memdash.analysis.verdict_words import severity, summary
from memdash.model.verdict import Slope, Verdict, VerdictKind
from memdash.units import MIB
from tests.fakes import NOON_S

__all__ = ["a_leak"]


def a_leak(**changes: Any) -> Verdict:
    """Of a heap that grows by 1.19 MiB a second, with the severity and the sentence of what is changed."""
    verdict = Verdict(
        kind=VerdictKind.LEAK,
        at_s=NOON_S,
        why="grows as fast as before",
        basis=Basis.CYCLES.value,
        slope=Slope(1.19 * MIB, 1.15 * MIB, 1.23 * MIB),
        window_s=245.0,
        points=98,
        cycles=98,
        level_bytes=700 * MIB,
        growth_bytes=291 * MIB,
    )
    verdict = replace(verdict, **changes)
    verdict = replace(verdict, severity=severity(verdict))
    return replace(verdict, summary=summary(verdict))
