"""Series of a recording: from its buckets, and from the moments of the minute that is not over yet."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from functools import partial
from itertools import pairwise

from memdash.errors import Corrupt
from memdash.model.metric import METRICS_BY_KEY
from memdash.model.series import TIERS, Series
from memdash.recording.alike import Alike
from memdash.recording.codec import decoded, decoded_plain
from memdash.recording.database import Database
from memdash.recording.kept import Kept
from memdash.recording.shapes import UNREADABLE
from memdash.recording.tables import micros
from memdash.recording.tiers import STEPS_S, Buckets, bucketed

__all__ = ["Tracks", "interval"]

_KEPT = 96
_LONGEST_S = 86_400.0
"""Nobody takes a sample less often than once a day."""


def interval(value: object) -> float:
    """The seconds between two samples, as they stand in a table; one where that is damaged."""
    return float(value) if isinstance(value, (int, float)) and 0 < value <= _LONGEST_S else 1.0


class Tracks:
    """The metrics of one run. Used by one thread at a time, which need not be the one that reads moments."""

    def __init__(self, database: Database, run: int) -> None:
        self._database = database
        self._alike = Alike(database)
        self._run = run
        self._blocks = Kept[tuple[int, int, int], Buckets](_KEPT, lambda block: block.size)
        self._damaged: dict[tuple[int, int, int], str] = {}
        ((interval_s, keys),) = database.rows("SELECT interval_s, metrics FROM run WHERE number = ?", run)
        self._interval_s = interval(interval_s)
        self._keys: tuple[str, ...] = decoded(tuple[str, ...], keys)

    def series(self, key: str, since_s: float, until_s: float) -> Series:
        """The buckets of ``key`` that began between two moments of the monotonic clock. Raises RecordingError."""
        try:
            return self._series(key, since_s, until_s)
        except UNREADABLE as error:
            raise Corrupt(f"a series of this recording is damaged: {error}") from None

    def _series(self, key: str, since_s: float, until_s: float) -> Series:
        since_s = max(since_s, self._began_s(key, until_s))
        step_s = self._step(since_s, until_s)
        times_s: list[float] = []
        seen_s: list[float] = []
        low: list[float] = []
        high: list[float] = []
        last: list[float] = []
        still_open = self._open(step_s)  # first, because meanwhile they may be put together
        for part in [*self._parts(step_s, since_s, until_s), still_open]:
            from_s = max(since_s, math.nextafter(times_s[-1], math.inf)) if times_s else since_s
            first, after = bisect_left(part.times_s, from_s), bisect_right(part.times_s, until_s)
            if first >= after:
                continue
            times_s += part.times_s[first:after]
            seen_s += part.seen_s[first:after]
            for whole, cells in zip((low, high, last), part.metric(key), strict=True):
                whole.extend(cells[first:after])
        return Series(times_s, seen_s, low, high, last, max(float(step_s), self._interval_s))

    def _began_s(self, key: str, until_s: float) -> float:
        """Since when its capability has been read from the source that it was read from at ``until_s``."""
        rows = self._database.rows(
            "SELECT mono, source FROM source WHERE run = ? AND capability = ? AND mono <= ? ORDER BY mono",
            self._run,
            METRICS_BY_KEY[key].capability.value,
            micros(until_s),
        )
        changes = [mono for (_, before), (mono, now) in pairwise(rows) if now != before]
        return changes[-1] / 1e6 if changes else 0.0

    def _step(self, since_s: float, until_s: float) -> int:
        """The finest step for such a span of which enough is left."""
        span_s = until_s - since_s
        usual = next((int(step_s) for step_s, kept in TIERS if span_s <= step_s * kept), STEPS_S[-1])
        coarser = STEPS_S[STEPS_S.index(usual) :]
        begins = dict(self._database.rows("SELECT step, min(mono) FROM series WHERE run = ? GROUP BY step", self._run))
        wanted = max(micros(since_s), min((begins[step] for step in coarser if step in begins), default=0))
        return next((step for step in coarser if step in begins and begins[step] <= wanted), coarser[0])

    def _parts(self, step_s: int, since_s: float, until_s: float) -> list[Buckets]:
        rows = self._database.rows(
            "SELECT mono, last_mono FROM series WHERE run = ? AND step = ? AND last_mono >= ? AND mono <= ?"
            " ORDER BY mono",
            self._run,
            step_s,
            micros(since_s),
            micros(until_s),
        )
        # The end of one tells it from what it was before an hour was joined.
        return [self._kept_block(step_s, mono, last_mono) for mono, last_mono in rows]

    def _kept_block(self, step_s: int, mono: int, last_mono: int) -> Buckets:
        """One that is damaged is not looked at again for each metric: to find that out may take half a second."""
        key = step_s, mono, last_mono
        if key in self._damaged:
            raise Corrupt(self._damaged[key])
        try:
            return self._blocks.get(key, partial(self._block, step_s, mono))
        except Corrupt as error:
            self._damaged[key] = error.what
            raise

    def _block(self, step_s: int, mono: int) -> Buckets:
        """That which begins there; nothing when it has just had to make room."""
        rows = self._database.rows(
            "SELECT alike, data FROM series WHERE run = ? AND step = ? AND mono = ?", self._run, step_s, mono
        )
        if not rows:
            return Buckets((), (), {})
        alike, data = rows[0]
        return Buckets.of(decoded_plain(data, self._alike.of(alike)), self._keys)

    def _open(self, step_s: int) -> Buckets:
        """Those of the minutes that have not been put together."""
        rows = self._database.rows("SELECT mono, metrics FROM moment WHERE run = ? ORDER BY mono", self._run)
        return bucketed(step_s, self._keys, ((mono / 1e6, decoded_plain(values)) for mono, values in rows))
