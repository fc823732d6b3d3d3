"""``memdash check --self-test``: whether a gate in this place would catch a leak, and let pass what has none.

The demo's servers are checked as a user's command would be, once as they leak and once with the leak closed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from memdash.commands.budget import Plan
from memdash.commands.checking import Start, of_command
from memdash.commands.demo import GO_SOURCE, PYTHON_MODULE
from memdash.commands.output import tell, update
from memdash.commands.toolchain import build, find_toolchain
from memdash.config import MostGrowth
from memdash.errors import MemdashError
from memdash.model.check import Checked, Outcome
from memdash.units import MIB

__all__ = ["self_test"]

_PLAN = Plan(max_growth=(MostGrowth(2 * MIB, is_rate=False),), warm_up=4.0, duration=8.0)
_FIXED = ("--leak-limit", "0")


@dataclass(frozen=True, slots=True)
class _Case:
    """A program that leaks unless it is given ``_FIXED``; ``broken`` are the budgets that it must break then."""

    name: str
    argv: Sequence[str]
    plan: Plan
    broken: frozenset[str]


def self_test() -> Iterator[tuple[str, bool]]:
    """A line for each check, and whether it came out as it should. Some 15 s each."""
    from memdash.probes.cpython.sampler.sampling import Sampling  # nobody else who asks for --help needs it

    for case in _cases():
        for leaks in (True, False):
            argv = [*case.argv, *(() if leaks else _FIXED)]
            try:
                checked = of_command(argv, case.plan, Start(output_to=os.devnull), Sampling())
            except MemdashError as error:
                yield f"{case.name}: cannot be checked: {error.what}", False
                continue
            broken = {each.name for each in checked.judgements if each.outcome is Outcome.FAILED}
            as_it_should = broken >= case.broken if leaks else checked.passed
            yield _words(case, checked, leaks=leaks, as_it_should=as_it_should), as_it_should


def _words(case: _Case, checked: Checked, *, leaks: bool, as_it_should: bool) -> str:
    worst = checked.judgements[0]
    value = f" {worst.value.words}" if worst.value is not None else ""
    found = "passes" if checked.passed else f"fails: {worst.name},{value} {worst.why}"
    found += f"; {worst.evidence[0]}" if worst.evidence else ""
    return f"{case.name} {'with its leak' if leaks else 'without'} {found}{'' if as_it_should else ' (it should not)'}"


def _cases() -> Iterator[_Case]:
    """The Python server always; the Go server where there is a toolchain to build it."""
    growth = "growth at most 2MiB"
    yield _Case("Python server", (sys.executable, "-m", PYTHON_MODULE), _PLAN, frozenset({growth}))
    try:
        built = build(find_toolchain(), GO_SOURCE, "shop-server", lambda words: update(f"memdash: {words}"))
        update()
    except MemdashError as error:
        tell(f"the Go server is left out: {error.what}")
        return
    plan = replace(_PLAN, no_new_tasks=True, duration=13.0)  # goroutines have to be seen a dozen times
    yield _Case("Go server", (str(built),), plan, frozenset({growth, "no new tasks"}))
