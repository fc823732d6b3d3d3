"""What the heap sampler costs the program that is sampled, beside what others cost it, and what is left afterwards.

CPU time, by neighbouring turns of some 50 ms in one process; ``off`` is the noise: nothing at all, compared in the same
way. Only scalene has to start the program itself: there, turns of two processes are compared.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping

from memdash.probes.cpython.sampler.sampling import Sampling
from tests.benchmarks.loaded import PROGRAM, Loaded, Pairs, Way, chosen, compared, loaded, with_packages
from tests.benchmarks.result import Result
from tests.live.pythons import Python

__all__ = ["sampler", "sampler_leaves", "sampler_peers"]

_LOADS = {
    "everyday": "everyday mix",
    "allocate": "allocation loop",
    "big": "big buffers",
    "threads": "four threads",
    "numpy": "numpy",
}
_RATES_BYTES = {"16 KiB": 16 << 10, "64 KiB": 64 << 10, "512 KiB": 512 << 10}
_WITH_SCALENE = ("everyday", "allocate")
"""It takes its time to start."""

_PAIRS, _PEER_PAIRS, _LEAVINGS = 7, 7, 60
_WARMING = 6
"""Turns until the tables of the sampler are in memory."""

_SLOWER_MINOR = 14
"""From here on the interpreter is so much faster that the same cost is a larger part."""

_NOTHING: Way = (lambda: None, lambda: None)


def sampler() -> Iterator[Result]:
    """At three rates, all domains. The goals are for the middle one."""
    for python in chosen():
        environment = with_packages(python, "numpy")
        with loaded(python, environment or {}) as sampled:
            ways = {words: sampled.way(rate_bytes) for words, rate_bytes in _RATES_BYTES.items()}
            for load in _possible(environment):
                yield _row(python, load, compared(sampled.target, load, {"off": _NOTHING, **ways}, _PAIRS, _WARMING))


def _possible(environment: Mapping[str, str] | None) -> Iterator[str]:
    yield from (load for load in _LOADS if environment is not None or load != "numpy")


def _row(python: Python, load: str, found: Mapping[str, Pairs]) -> Result:
    most = {"everyday": 1.10 if python.minor >= _SLOWER_MINOR else 1.05, "allocate": 1.10}.get(load)
    words = [f"{name} {pairs}" for name, pairs in found.items()]
    return Result(
        f"3.{python.minor} {_LOADS[load]}: CPU time, sampled every …",
        f"{' · '.join(words)} (± {found['64 KiB'].error:.3f})",
        f"64 KiB ≤ {most:.2f}×" if most else "",
        found["64 KiB"].ratio <= most if most else None,
    )


def sampler_peers() -> Iterator[Result]:
    """tracemalloc with one frame, memray without and with Python's own allocators, and scalene."""
    for python in chosen():
        environment = with_packages(python, "memray", "numpy")
        scalene = with_packages(python, "scalene", "numpy")
        with Loaded(python, environment or {}) as target:
            names = ("tracemalloc", *(("memray", "memray all") if environment else ()))
            ways = {name: _peer(target, name) for name in names}
            for load in _possible(environment):
                found = compared(target, load, ways, _PEER_PAIRS)
                words = [f"{name} {pairs}" for name, pairs in found.items()]
                if scalene is not None and load in _WITH_SCALENE:
                    words.append(f"scalene {_scalene(python, load, scalene)}")
                yield Result(f"3.{python.minor} {_LOADS[load]}: CPU time with others", " · ".join(words), "", None)


def _peer(target: Loaded, name: str) -> Way:
    return (lambda: target.command("on", name)), (lambda: target.command("off"))


def _scalene(python: Python, load: str, environment: Mapping[str, str]) -> str:
    """The ratio, or a dash where it does not run. It is slow to start: so turns of one process against another's."""
    executable, program = str(python.executable), [str(PROGRAM), load, "10", str(_PEER_PAIRS + 1)]
    told = subprocess.run(
        [executable, "-m", "scalene", "--help"], env={**os.environ, **environment}, capture_output=True, check=False
    )
    is_new = b"scalene run" in told.stdout + told.stderr
    with tempfile.TemporaryDirectory() as folder:
        options = ["run", "--memory", "-o"] if is_new else ["--cli", "--memory", "--outfile"]
        without = _seconds([executable, *program], environment)
        with_it = _seconds([executable, "-m", "scalene", *options, f"{folder}/out", *program], environment)
    ratios = [one / other for one, other in zip(with_it, without, strict=False)]
    return str(Pairs(ratios)) if ratios else "—"


def _seconds(command: list[str], environment: Mapping[str, str]) -> list[float]:
    """Of each turn but the first; none where it does not come to an end."""
    try:
        done = subprocess.run(
            command, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=60
        )
    except subprocess.TimeoutExpired:
        return []
    found = [line for line in done.stdout.splitlines() if line.startswith("seconds ")]
    return json.loads(found[0].partition(" ")[2])[1:] if found else []


def sampler_leaves() -> Iterator[Result]:
    """Speed once the sampler has gone, as a part of that before it came."""
    for python in chosen():
        with loaded(python, {}) as sampled:
            target, (on, off) = sampled.target, sampled.way(Sampling().rate_bytes)
            ratios = []
            for _ in range(_LEAVINGS):
                target.turn("everyday")
                before_s = target.turn("everyday")
                on()
                target.turn("everyday")
                off()
                target.turn("everyday")
                ratios.append(before_s / target.turn("everyday"))
            pairs = Pairs(ratios)
            yield Result(
                f"3.{python.minor} everyday mix: speed after the sampler has gone",
                f"{pairs} ± {pairs.error:.3f}×",
                "≥ 0.99×",
                pairs.ratio >= 0.99,
            )
