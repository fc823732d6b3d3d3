"""Made-up series of every kind that a verdict must tell apart, each from a seed: a heap, its collector and its load."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.corpus.recording import LIVE, Label, Recording

__all__ = ["Program", "synthetic"]

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
    comes when ``gogc`` percent more than what lived have been allocated. ``noise`` is the spread of what is in flight,
    and ``settled_s`` when a leak can first be told from what else grows.
    """

    base_bytes: float
    held: Shape = _nothing
    load: Shape = _always
    tasks: Shape = _nothing
    flight_bytes: float = 2 * MIB
    alloc_per_s: float = 20 * MIB
    gogc: float = 1.0
    noise: float = 0.3
    leak: Shape = field(default=_nothing)
    settled_s: float = 0.0

    def run(self, name: str, label: Label, seconds: int, seed: int, every_s: float = 1.0) -> Recording:
        """Watch it for so long."""
        chance = random.Random(seed)
        start_s = chance.random() * 50
        live = self.base_bytes + self.held(start_s)
        heap, allocated, cycles, wander = live, 0.0, 10, 0.0
        rss = heap
        times: list[float] = []
        columns: dict[str, list[float | None]] = {
            key: [] for key in (LIVE, "NumGC", "TotalAlloc", "system.rss_bytes", "tasks.total")
        }
        steps = max(round(4 * every_s), 4)
        leaked = 0.0
        for tick in range(int(seconds / every_s)):
            for step in range(steps):
                now_s = start_s + (tick + step / steps) * every_s
                load = self.load(now_s) * max(chance.gauss(1, 0.1), 0.05)
                wander = 0.98 * wander + 0.2 * chance.gauss(0, 1)
                new = self.alloc_per_s * load * every_s / steps
                allocated, heap = allocated + new, heap + new
                leaked += self.leak(now_s) * every_s / steps
                if heap > live * (1 + self.gogc) + 4 * MIB:
                    cycles += 1
                    spread = math.exp(self.noise * (0.7 * chance.gauss(0, 1) + 0.3 * wander))
                    live = self.base_bytes + self.held(now_s) + leaked + self.flight_bytes * load * spread
                    heap = live
                rss = max(rss * 0.9999, heap + 8 * MIB)
            times.append(tick * every_s)
            tasks = 20 + 40 * load + self.tasks(now_s)
            row = (live, cycles, allocated, rss, tasks)
            for column, value in zip(columns.values(), row, strict=True):
                column.append(float(round(value)))
        return Recording(
            name=name,
            label=label,
            runtime="go",
            times_s=times,
            columns=columns,
            leaks_from_s=max(self.settled_s - start_s, 0.0),
        )


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
    return lambda t: high if (t * 1.0) % period_s < period_s * 0.4 else low


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


def _programs(seed: int) -> Iterator[tuple[str, Label, Program]]:
    """One of each kind; the seed moves its sizes, periods and rates."""
    c = random.Random(seed)
    u = c.uniform
    base = math.exp(u(math.log(8), math.log(800))) * MIB
    usual = {"flight_bytes": base * u(0.002, 0.05), "alloc_per_s": base * math.exp(u(-3, 0.7)), "noise": u(0.05, 0.5)}

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


def synthetic(seeds: range, seconds: int = 900) -> Iterator[Recording]:
    """Every kind for each seed."""
    for seed in seeds:
        for name, label, program in _programs(seed):
            yield program.run(f"{name} {seed}", label, seconds, seed)
