"""A watch of days that takes minutes: a fake clock, and the real code that remembers, judges, records and tells."""

from __future__ import annotations

import random
from dataclasses import replace

from memdash.analysis.rules import default_rules, parse_rule
from memdash.commands.logbook import Logbook
from memdash.exports.lines import JsonLines
from memdash.exports.prometheus.exposition import Exposition, Shown
from memdash.model.capability import Capability, Source
from memdash.model.finding import Finding
from memdash.model.profile import Frame, Profile, Site, Usage
from memdash.model.sample import Instant, Origin, Sample
from memdash.model.snapshot import Snapshot
from memdash.model.tasks import Tasks
from memdash.recording.moment import Moment
from memdash.recording.writer import Writer
from memdash.session.memory import Memory
from memdash.units import MIB
from tests.fakes import NOON_S, a_gc, a_goroutine, a_sample, a_snapshot, a_system, memstats

__all__ = ["DAY_S", "LongWatch"]

DAY_S = 86_400
_SITES, _TASKS, _NEW = 60, 20, 20
_READ_EVERY_S = 60
_HIGH_S, _PERIOD_S = 60, 180
"""So long an alert holds, and so often one begins: 480 a day, and the log keeps 500."""
_ASKS_EVERY = 10
_OPEN = "application/openmetrics-text; version=1.0.0"


class _Nowhere:
    """Takes what is written, and keeps nothing."""

    def write(self, line: bytes) -> None:
        del line


class LongWatch:
    """Of a busy server with a sample every ``step_s``: sites and goroutines come and go, and alerts with them.

    What a dashboard that records, a log and an exporter would hold of it is held here; close it when done.
    """

    def __init__(self, step_s: int) -> None:
        self._step_s = step_s
        self._chance = random.Random(5)
        rules = (*default_rules(), parse_rule("HeapAlloc > 500MiB", "high"))
        self._memory = Memory(float(step_s), rules)
        self._shown = replace(a_snapshot(1), findings=(), verdict=None, interval_s=float(step_s))
        self._writer = Writer()
        self._run = self._writer.begin(self._shown.target, Instant(NOON_S, 36_000.0), float(step_s))
        self._logbook = Logbook(JsonLines(), _Nowhere(), lambda _: None)
        self._exposition = Exposition(lambda: [Shown(self._shown.target.name, self._shown)])
        self._second = 0
        self._profile, self._tasks = Profile((), 524_288, True), Tasks(())
        self._read_at = Instant(NOON_S, 36_000.0)

    def go_on(self, seconds: int) -> Snapshot:
        """So much longer; the newest moment."""
        for _ in range(seconds // self._step_s):
            before = {id(finding) for finding in self._shown.findings}
            self._shown = self._memory.add(self._shown, self._sample())
            changed = [each for each in reversed(self._shown.findings) if id(each) not in before]
            self._tell(changed)
            self._second += self._step_s
        return self._shown

    @property
    def recorded_bytes(self) -> int:
        """What the recording takes."""
        return self._writer.used_bytes

    def close(self) -> None:
        """Let go of the recording."""
        self._writer.close()

    def _tell(self, changed: list[Finding]) -> None:
        self._writer.write(self._run, [Moment.of(self._shown)], changed)
        for entry in self._logbook.entries(0, self._shown):
            self._logbook.write(entry)
        if self._second % (_ASKS_EVERY * self._step_s) == 0:
            self._exposition.write(_OPEN)

    def _sample(self) -> Sample:
        second, chance = self._second, self._chance
        at = Instant(NOON_S + second, 36_000.0 + second)
        if second % _READ_EVERY_S < self._step_s:
            self._read_at = at
            self._profile, self._tasks = self._sites(second // _READ_EVERY_S), self._goroutines(second // _READ_EVERY_S)
        is_high = second % _PERIOD_S < _HIGH_S
        heap = (600 if is_high else 400) * MIB + chance.randrange(40 * MIB)
        sample = a_sample(
            at,
            memstats(heap, TotalAlloc=second * 9 * MIB, NumGC=4000 + second // 10),
            a_gc(count=4000 + second // 10, live_after_gc_bytes=300 * MIB + chance.randrange(9 * MIB)),
            a_system(rss_bytes=heap + 150 * MIB),
            self._profile,
            self._tasks,
        )
        origins = dict(sample.origins)
        origins |= {each: Origin(Source.MEMORY, self._read_at) for each in (Capability.SITES, Capability.TASKS)}
        return replace(sample, origins=origins)

    def _sites(self, reading: int) -> Profile:
        """At each reading some have gone, and others that nobody has seen before have come."""
        return Profile(
            tuple(
                Site((_frame(number),), Usage(size, size // 100, 9 * size, size // 10), (0x400000 + number,), 0)
                for number in range(_NEW * reading, _NEW * reading + _SITES)
                for size in (self._chance.randrange(1, 4 * MIB),)
            ),
            524_288,
            True,
        )

    def _goroutines(self, reading: int) -> Tasks:
        return Tasks(
            tuple(
                a_goroutine(self._chance.randrange(1, 50), (_frame(number),))
                for number in range(_NEW * reading, _NEW * reading + _TASKS)
            )
        )


def _frame(number: int) -> Frame:
    return Frame(f"github.com/shop/p{number % 97}.(*Handler).Serve{number}", f"/src/shop/p{number % 97}.go", number)
