"""What must be true of a runtime's memory if we read it right, whatever the program does: how that is checked.

Each runtime brings its own list. Checked at attach, before a number is shown; a check looks again a few times, since
the program runs on meanwhile. What does not hold then is refused for the whole watch, so the looks are spread: one that
has lost its CPU between two steps of a change shows that change half done until it gets it back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias, TypeVar

from memdash.errors import BadRead, LayoutRefused, ProbeError
from memdash.model.capability import Capability

__all__ = ["Check", "Invariants", "check_all", "refuse_if_failed"]

_PAUSES_S = (0.0, 0.001, 0.002, 0.004, 0.01, 0.02, 0.1)
"""Between two looks. The last outlasts a period of the kernel's CPU quotas, which hold a whole container up."""

Look = TypeVar("Look")

Invariants: TypeAlias = Mapping[str, tuple[frozenset[Capability], Callable[[Look], str]]]
"""By name: what it guards, and the test, which says what was found instead, or nothing; it may raise BadRead."""


class Check(NamedTuple):
    """One invariant: ``why`` says what was found instead when it does not hold; ``guards`` what then is not shown."""

    name: str
    holds: bool
    why: str
    guards: frozenset[Capability]


def check_all(invariants: Invariants[Look], look: Callable[[], Look]) -> tuple[Check, ...]:
    """Check every invariant. Raises AccessDenied, TargetExited; a failed check is a result, not an error."""
    still_open = dict(invariants)
    failures: dict[str, str] = {}
    for pause_s in (None, *_PAUSES_S):
        if pause_s is not None:
            time.sleep(pause_s)
        failures = _failures(still_open, look)
        still_open = {name: still_open[name] for name in failures}
        if not still_open:
            break
    return tuple(
        Check(name, name not in failures, failures.get(name, ""), guards) for name, (guards, _) in invariants.items()
    )


def _failures(invariants: Invariants[Look], look: Callable[[], Look]) -> dict[str, str]:
    try:
        seen = look()
    except BadRead as error:
        return dict.fromkeys(invariants, error.what)
    failures = {}
    for name, (_, test) in invariants.items():
        try:
            found = test(seen)
        except ProbeError as error:
            found = error.what
        if found:
            failures[name] = found
    return failures


def refuse_if_failed(checks: tuple[Check, ...], capability: Capability, hint: str) -> None:
    """Raise LayoutRefused, with ``hint``, when an invariant that guards ``capability`` does not hold."""
    for check in checks:
        if not check.holds and capability in check.guards:
            raise LayoutRefused(f"its memory is not laid out as expected: {check.name}: {check.why}", hint)
