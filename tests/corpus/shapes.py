"""Programs of every kind that a verdict must tell apart, as shapes over time, each from a seed."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.corpus.recording import Label

__all__ = ["KIB", "MIB", "Program", "Shape", "programs"]

KIB, MIB = 1 << 10, 1 << 20

Shape = Callable[[float], float]


def _nothing(_: float) -> float:
    return 0.0


def _always(_: float) -> float:
    return 1.0


@dataclass(frozen=True, kw_only=True)
class Program:
    """``held`` is what it keeps beyond ``base``, ``load`` how busy it is; both over time in seconds.

    Each request of the load is ``flight_bytes`` in flight; so much is allocated a second at full load; a collection
    comes when as much as lived has been allocated again. ``noise`` is the spread of what is in flight, and
    ``settled_s`` when a leak can first be told from what else grows. ``unrest`` is work for what a runtime is bad at:
    reference cycles in CPython, blocks of mixed sizes in C.
    """

    base_bytes: float
    held: Shape = _nothing
    load: Shape = _always
    tasks: Shape = _nothing
    flight_bytes: float = 2 * MIB
    alloc_per_s: float = 20 * MIB
    noise: float = 0.3
    leak: Shape = _nothing
    unrest: Shape = _nothing
    settled_s: float = 0.0


def _saturating(bytes_: float, tau_s: float) -> Shape:
    return lambda t: bytes_ * (1 - math.exp(-t / tau_s))


def _filling(bytes_: float, seconds: float) -> Shape:
    return lambda t: bytes_ * min(t / seconds, 1)


def _batches(bytes_: float, period_s: float, duty: float) -> Shape:
    def held(t: float) -> float:
        phase = (t % period_s) / period_s
        return bytes_ * min(phase / duty, 1) if phase < duty else 0.0

    return held


def _bursts(period_s: float, low: float, high: float) -> Shape:
    return lambda t: high if t % period_s < period_s * 0.4 else low


def _diurnal(period_s: float) -> Shape:
    return lambda t: 1 + 0.7 * math.sin(2 * math.pi * t / period_s)


def _stairs(bytes_: float, *at_s: float) -> Shape:
    return lambda t: bytes_ * sum(t >= begin_s for begin_s in at_s)


def _rate(bytes_per_min: float) -> Shape:
    return lambda _: bytes_per_min / 60


def _sum(*shapes: Shape) -> Shape:
    return lambda t: sum(shape(t) for shape in shapes)


def _lru_churn(bytes_: float, seed: int) -> Shape:
    chance = random.Random(seed)
    phases = [(chance.uniform(20, 200), chance.uniform(0, 6.3), chance.uniform(0.2, 1)) for _ in range(4)]
    return lambda t: bytes_ * (1 + 0.03 * sum(a * math.sin(2 * math.pi * t / p + f) for p, f, a in phases))


def programs(seed: int, mib: tuple[float, float], busy: tuple[float, float]) -> Iterator[tuple[str, Label, Program]]:
    """One of each kind; the seed moves its sizes, periods and rates.

    What it keeps at least lies between two sizes in MiB, and what it allocates each second in two shares of that.
    """
    u = random.Random(seed).uniform
    base = math.exp(u(*map(math.log, mib))) * MIB
    usual = {
        "flight_bytes": base * u(0.002, 0.05),
        "alloc_per_s": base * math.exp(u(*map(math.log, busy))),
        "noise": u(0.05, 0.5),
    }

    def program(**changes: object) -> Program:
        return Program(**{"base_bytes": base, **usual, **changes})  # type: ignore[arg-type]

    yield "steady", Label.STEADY, program()
    yield "noisy", Label.STEADY, program(flight_bytes=base * u(0.1, 0.4), noise=0.5)
    yield "quiet", Label.STEADY, program(flight_bytes=base * 0.0005, alloc_per_s=base * u(0.01, 0.05), noise=0.1)
    yield "lru", Label.STEADY, program(held=_lru_churn(base * u(0.2, 1), seed))
    yield "sawtooth", Label.SAWTOOTH, program(held=_batches(base * u(0.3, 2), u(15, 60), 0.95))
    yield "long sawtooth", Label.SAWTOOTH, program(held=_batches(base * u(0.3, 2), u(60, 200), 0.98))
    yield "warm-up", Label.WARM_UP, program(held=_saturating(base * u(0.3, 3), u(20, 120)))
    yield "slow warm-up", Label.WARM_UP, program(held=_saturating(base * u(0.3, 1), u(120, 240)))
    yield "bounded", Label.BOUNDED, program(held=_filling(base * u(0.2, 2), u(30, 200)))
    yield "batch", Label.BATCH, program(held=_batches(base * u(0.2, 1), u(20, 60), u(0.2, 0.6)))
    yield "rare batch", Label.BATCH, program(held=_batches(base * u(0.2, 1), u(60, 300), u(0.1, 0.4)))
    yield "bursts", Label.BURSTY, program(load=_bursts(u(10, 120), 0.1, 2), flight_bytes=base * u(0.05, 0.3))
    yield "tides", Label.BURSTY, program(load=_diurnal(u(300, 1800)), flight_bytes=base * u(0.05, 0.3))
    at_s = u(50, 200)
    yield "phases", Label.PHASES, program(held=_stairs(base * u(0.1, 0.5), at_s, at_s + u(100, 300)))
    yield "restart", Label.PHASES, program(held=lambda t: _saturating(base * 0.5, 30)(t % 250))

    yield (
        "unrest",
        Label.FRAGMENTATION,
        program(unrest=_rate(60 * u(20, 60)), held=_batches(base * u(0.1, 0.5), u(30, 120), 0.5)),
    )

    slow = max(base * u(0.001, 0.003), 50 * KIB)
    yield "slow leak", Label.SLOW_LEAK, program(leak=_rate(slow), flight_bytes=base * u(0.0005, 0.003))
    yield (
        "slow leak, calm",
        Label.SLOW_LEAK,
        program(leak=_rate(slow), flight_bytes=base * 0.001, alloc_per_s=base * u(0.02, 0.1)),
    )
    yield "leak", Label.FAST_LEAK, program(leak=_rate(base * u(0.01, 0.05)))
    yield "fast leak", Label.FAST_LEAK, program(leak=_rate(base * u(0.1, 1)))
    rate = base * u(0.02, 0.1)
    yield "tasks leak", Label.TASK_LEAK, program(leak=_rate(rate), tasks=lambda t: 40 * t / 60)
    yield (
        "bursty leak",
        Label.BURSTY_LEAK,
        program(leak=_rate(base * u(0.02, 0.1)), load=_bursts(u(10, 60), 0.2, 2), flight_bytes=base * u(0.02, 0.1)),
    )
    yield (
        "batch and leak",
        Label.BURSTY_LEAK,
        program(leak=_rate(base * u(0.02, 0.1)), held=_batches(base * u(0.2, 0.6), u(15, 40), 0.4)),
    )
    period_s = u(20, 50)
    yield (
        "leak in steps",
        Label.SLOW_LEAK,
        program(leak=lambda t: base * 0.02 / 5 if t % period_s < 5 else 0, flight_bytes=base * 0.003),
    )
    tau_s = u(20, 60)
    yield (
        "leak after warm-up",
        Label.SLOW_LEAK,
        program(
            leak=_rate(base * u(0.005, 0.02)),
            held=_saturating(base, tau_s),
            settled_s=5 * tau_s,
            flight_bytes=base * 0.005,
        ),
    )
