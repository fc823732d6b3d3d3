"""A series of a program's memory with a label: what a verdict is tried on, tick by tick, as a watch would see it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

from memdash.model.capability import Capability, Source
from memdash.model.metric import METRICS_BY_KEY
from memdash.model.missing import Maybe, Missing
from memdash.model.sample import Instant, Origin, Sample
from memdash.sampling.history import History, HistoryView

__all__ = ["CHOSEN_ON", "HELD_OUT", "HOURS", "KEYS", "LIVE", "Label", "Recording", "load", "recordings", "save"]

LIVE = "heap.live_bytes"
KEYS = (
    LIVE, "NumGC", "gc.full_collections", "TotalAlloc", "tasks.total", "system.rss_bytes", "system.swap_bytes",
    "malloc.in_use_bytes",
    "system.cpu_percent"
)  # fmt: skip
_BEGAN = Instant(1_769_861_261.0, 10_000.0)
_NOTHING = Missing("not recorded")
CHOSEN_ON = Path(__file__).parent / "series"
"""What the thresholds of the verdict were chosen on."""

HELD_OUT = Path(__file__).parent / "held_out"
"""What they were not: the rates of error that are told come from these."""

HOURS = Path(__file__).parent / "hours"
"""An hour each of healthy servers that did their work meanwhile, as they are: no shapes, and not ten times as fast."""


class Label(Enum):
    """What a series shows; the value is how it is called in tables."""

    STEADY = "steady"
    SAWTOOTH = "sawtooth"
    WARM_UP = "warm-up cache"
    BOUNDED = "bounded cache"
    BATCH = "periodic batch"
    FRAGMENTATION = "fragmentation"
    BURSTY = "bursty load"
    PHASES = "restart of phases"
    SLOW_LEAK = "slow leak"
    FAST_LEAK = "fast leak"
    TASK_LEAK = "leak of tasks"
    BURSTY_LEAK = "leak under bursty load"

    @property
    def leaks(self) -> bool:
        """Whether a verdict must find it, and none of the others."""
        return self in (Label.SLOW_LEAK, Label.FAST_LEAK, Label.TASK_LEAK, Label.BURSTY_LEAK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """``columns`` holds a value for each of ``times_s``, by metric; None is a gap. Times are from the first sample.

    ``leaks_from_s`` is when the leak began. ``factor`` says how many times as fast as it pretends the program ran,
    ``age_s`` how old it was at the first sample, where that matters.
    """

    name: str
    label: Label
    runtime: str
    times_s: Sequence[float]
    columns: Mapping[str, Sequence[float | None]]
    leaks_from_s: float = 0.0
    factor: float = 1.0
    age_s: float | None = None

    def watched(self) -> Iterator[tuple[float, HistoryView]]:
        """What a watch remembers after each sample."""
        row: dict[str, float | None] = {}

        def reader(key: str) -> Callable[[Sample], Maybe[float]]:
            def read(_: Sample) -> Maybe[float]:
                value = row.get(key)
                return _NOTHING if value is None else value

            return read

        metrics = [replace(METRICS_BY_KEY[key], read=reader(key)) for key in KEYS]
        history = History(1.0, metrics)
        origins = {capability: Origin(Source.MEMORY, _BEGAN) for capability in Capability}
        empty = Sample.empty(_BEGAN, _NOTHING)
        for index, time_s in enumerate(self.times_s):
            row.update({key: column[index] for key, column in self.columns.items()})
            at = Instant(_BEGAN.wall_s + time_s, _BEGAN.mono_s + time_s)
            history.append(replace(empty, at=at, origins=origins))
            yield time_s, history.view()


def save(recording: Recording, folder: Path) -> Path:
    """Write it as gzipped JSON, the same bytes for the same series."""
    document: dict[str, Any] = {
        "name": recording.name,
        "label": recording.label.name,
        "runtime": recording.runtime,
        "factor": recording.factor,
        "leaks_from_s": recording.leaks_from_s,
        "age_s": recording.age_s,
        "times_s": [round(time_s, 2) for time_s in recording.times_s],
        "columns": {key: list(column) for key, column in recording.columns.items()},
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{recording.name}.json.gz"
    path.write_bytes(gzip.compress(json.dumps(document, separators=(",", ":")).encode(), 9, mtime=0))
    return path


def load(path: Path) -> Recording:
    """Read what ``save`` wrote."""
    document = json.loads(gzip.decompress(path.read_bytes()))
    return Recording(**{**document, "label": Label[document["label"]]})


def recordings(folder: Path) -> Iterator[Recording]:
    """All that are kept there, by name."""
    for path in sorted(folder.glob("*.json.gz")):
        yield load(path)
