"""The program of ``loads.py`` under one interpreter, timed in neighbouring turns with something and without."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from memdash.model.action import Action
from memdash.probes.cpython.agent.launch import agents_of_ours, environment_for
from memdash.probes.cpython.sampler.sampling import Sampling
from tests.live.packages import joined, packages_for
from tests.live.pythons import Python, pythons
from tests.live.sampling import SamplerSide
from tests.live.target import LiveTarget

__all__ = ["PROGRAM", "Loaded", "Pairs", "Sampled", "Way", "chosen", "compared", "loaded", "with_packages"]

PROGRAM = Path(__file__).parent / "programs/loads.py"

_MINORS = (9, 11, 13, 14, 15)
_TURN_S = 0.05
_TURNS = 3


class Pairs(NamedTuple):
    """Ratios of the CPU time of a few turns with something to that of a few before and after, without."""

    ratios: Sequence[float]

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    @property
    def error(self) -> float:
        """Of the median: one standard deviation."""
        low, _, high = statistics.quantiles(self.ratios, n=4)
        return 0.93 * (high - low) / math.sqrt(len(self.ratios))

    def __str__(self) -> str:
        return f"{self.ratio:.3f}" if self.ratio < 2 else f"{self.ratio:.1f}"


class Loaded(LiveTarget):
    """A turn takes some 50 ms: short ones have neighbours that are alike also on a machine with other things to do."""

    def __init__(self, python: Python, environment: Mapping[str, str]) -> None:
        super().__init__([python.executable, PROGRAM], environment)
        self._times: dict[str, int] = {}

    def turn(self, load: str) -> float:
        """CPU seconds."""
        if load not in self._times:
            self._work(load, 1)
            self._times[load] = max(round(_TURN_S / self._work(load, 1)), 1)
        return self._work(load, self._times[load])

    def _work(self, load: str, times: int) -> float:
        told: float = json.loads(self.command("work", load, times))
        return told


Way = tuple[Callable[[], object], Callable[[], object]]
"""What begins it, and what ends it."""


def compared(target: Loaded, load: str, ways: Mapping[str, Way], pairs: int, warming: int = 1) -> dict[str, Pairs]:
    """Each way against turns without; all interleaved.

    So many turns with something do not count: the kernel has yet to give it the memory of the tables that it keeps.
    """

    def phase(unheeded: int) -> float:
        for _ in range(unheeded):
            target.turn(load)
        return statistics.median(target.turn(load) for _ in range(_TURNS))

    found: dict[str, list[float]] = {name: [] for name in ways}
    before_s = phase(1)
    for _ in range(pairs):
        for name, (on, off) in ways.items():
            on()
            with_it_s = phase(warming)
            off()
            after_s = phase(1)
            found[name].append(2 * with_it_s / (before_s + after_s))
            before_s = after_s
    return {name: Pairs(ratios) for name, ratios in found.items()}


class Sampled(NamedTuple):
    """A target, and the switch of the sampler in it by rate in bytes."""

    target: Loaded
    side: SamplerSide

    def way(self, rate_bytes: int) -> Way:
        switch = self.side.switch(Sampling(rate_bytes))
        return (lambda: switch.act(Action.SAMPLE)), (lambda: switch.act(Action.UNSAMPLE))


@contextmanager
def loaded(python: Python, environment: Mapping[str, str]) -> Iterator[Sampled]:
    """With memdash's agent, as ``memdash -- python`` starts it."""
    with ExitStack() as stack:
        agents = stack.enter_context(agents_of_ours())
        target = stack.enter_context(Loaded(python, joined(environment_for(agents), environment)))
        side = SamplerSide(target.pid, agents)
        stack.callback(side.close)
        side.meet()
        yield Sampled(target, side)


def chosen() -> list[Python]:
    """One of each minor that the table is about."""
    firsts = {python.minor: python for python in reversed(pythons()) if python.major == 3}
    return [firsts[minor] for minor in _MINORS if minor in firsts]


def with_packages(python: Python, *names: str) -> Mapping[str, str] | None:
    """An environment in which these can be imported; None where they cannot be had."""
    folder = packages_for(python, *names)
    return {"PYTHONPATH": str(folder)} if isinstance(folder, Path) else None
