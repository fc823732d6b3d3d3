"""How near the sampler comes to what tracemalloc counts, as memdash shows it: five runs at 64 KiB each."""

from __future__ import annotations

import json
import statistics
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from memdash.model.action import Action
from memdash.model.profile import Profile
from memdash.probes.cpython.agent.launch import agents_of_ours, environment_for
from memdash.probes.cpython.sampler.sampling import Sampling
from tests.benchmarks.loaded import chosen
from tests.benchmarks.result import Result
from tests.live.pythons import Python
from tests.live.sampling import SamplerSide
from tests.live.target import LiveTarget
from tests.waiting import whole_reading

__all__ = ["sampler_accuracy"]

_PROGRAM = Path(__file__).parent / "programs/sites.py"
_MB = 94
"""In all. The error of a place with small blocks is √(rate ÷ bytes), whatever samples it: 12 % of one in the middle."""

_MOST_ERROR, _LEAST_HITS = 0.06, 9
_RUNS = 5
_LEAST_PART = 0.01
_TOP = 10

Bytes = Mapping[int, int]
"""By line."""


def sampler_accuracy() -> Iterator[Result]:
    """Errors of places that hold a hundredth of all or more; the worst of the runs counts."""
    for python in chosen():
        yield _compared(python)


def _compared(python: Python) -> Result:
    truth = _traced(python, _MB)
    counted = sum(truth.values())
    large = [line for line, size in truth.items() if size >= _LEAST_PART * counted]
    top = _largest(truth)
    errors, hits = [], []
    for _ in range(_RUNS):
        found = _sampled(python, _MB)
        errors.append(statistics.median(abs(found.get(line, 0) / truth[line] - 1) for line in large))
        hits.append(len(top & _largest(found)))
    median, worst = statistics.median(errors), max(errors)
    return Result(
        f"3.{python.minor}: {len(large)} places that hold {_MB} MB, sampled every 64 KiB, five runs",
        f"median error {100 * median:.1f} % (at most {100 * worst:.1f} %), "
        f"{min(hits)} to {max(hits)} of the true top {_TOP}",
        "≤ 6 %, ≥ 9, in every run",
        worst <= _MOST_ERROR and min(hits) >= _LEAST_HITS,
    )


def _largest(sizes: Bytes) -> set[int]:
    return set(sorted(sizes, key=lambda line: sizes[line], reverse=True)[:_TOP])


def _traced(python: Python, mb: int) -> Bytes:
    done = subprocess.run([python.executable, _PROGRAM, str(mb), "traced"], capture_output=True, check=True)
    return {int(line): size for line, size in json.loads(done.stdout).items()}


def _sampled(python: Python, mb: int) -> Bytes:
    with (
        agents_of_ours() as agents,
        LiveTarget([python.executable, _PROGRAM, str(mb)], environment_for(agents)) as target,
        closing(SamplerSide(target.pid, agents)) as side,
    ):
        side.meet()
        switch = side.switch(Sampling(64 << 10))
        switch.act(Action.SAMPLE)
        target.command("hold")
        (profile,) = whole_reading(side.probe(side.feed(switch))).facts
        assert isinstance(profile, Profile)
        found: dict[int, int] = defaultdict(int)
        for site in profile.sites:
            if site.leaf.file == "places.py":
                found[site.leaf.line] += site.usage.inuse_bytes
        return found
