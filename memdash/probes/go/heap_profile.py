"""The heap profile that Go's own profiler keeps: what runtime.MemProfile returns, scaled up as pprof does.

A record counts in four places: ``active`` is complete as of the last finished cycle, ``future[cycle % 3]`` is about to
be added to it, the other two gather for the cycles to come. Source: runtime/mprof.go (memRecord, memProfileInternal),
runtime/pprof/protomem.go (scaleHeapSample).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from memdash.errors import BadRead, LayoutRefused
from memdash.model.profile import Frame, Profile, Site, Usage, leaf_at
from memdash.probes.go.buckets import Bucket, BucketTable
from memdash.probes.go.program import Program
from memdash.probes.go.symbols import Symbolizer

__all__ = ["HeapProfileReader", "sampling_factor", "usage_of"]

_MOST_TRIES = 5
_FUTURES = 3
_BATCH_RECORDS = 1024
"""As many as one system call takes; a new record makes only the last batch be prepared anew."""
_USAGES_HELD = 1 << 14
"""Sampled counts are small and objects of few sizes, so thousands of sites share a few hundred usages."""
_COMPARED_RECORDS = 32
"""Most sites rest most of the time, so records are compared by the dozen before they are looked at one by one."""


def sampling_factor(object_bytes: int, rate: int) -> float:
    """How many objects of this size one sample stands for, when one in ``rate`` bytes is sampled on average."""
    if not object_bytes:
        return 0.0
    if rate <= 1:
        return 1.0
    unsampled = math.exp(-object_bytes / rate)
    return 1 / (1 - unsampled) if unsampled < 1 else rate / object_bytes  # rounded to 1 at a rate of exabytes


@lru_cache(maxsize=_USAGES_HELD)
def usage_of(allocs: int, frees: int, object_bytes: int, rate: int) -> Usage:
    """Scale a record up, cutting off fractions as pprof does; one read in the middle of a change holds at least 0."""
    factor = sampling_factor(object_bytes, rate)
    held = max(allocs - frees, 0)
    return Usage(
        int(held * object_bytes * factor), int(held * factor), int(allocs * object_bytes * factor), int(allocs * factor)
    )


class _View(NamedTuple):
    """What of a record counts: ``active`` and these futures; and the sampling rate."""

    futures: tuple[int, ...]
    rate: int


class HeapProfileReader:
    """Reads the profile again and again; only what has changed since is worked out anew.

    10 000 stacks at rest take 5 ms, and some 20 ms when all of them have changed; the first time 0.15 s.
    """

    def __init__(self, program: Program, *, live: bool = False) -> None:
        """``live`` adds what the runtime does not publish yet: newest allocations, but frees only as sweeping goes on.

        Raises LayoutRefused, and what reading memory raises.
        """
        self._memory = program.memory
        self._live = live
        self._cycle_address = program.addresses["mProfCycle"]
        self._rate_address = program.addresses["MemProfileRate"]
        self._buckets = BucketTable(program)
        self._symbolizer = Symbolizer(program)
        self._pcs: dict[int, int] = {}
        self._format = _RecordFormat(program)
        self._batches: list[_Batch] = []
        self._has_active = False
        self._profile = Profile((), 0, published=not live)

    def read(self) -> Profile:
        """The profile now; the same object as before when nothing has changed. Raises BadRead and the like."""
        self._add([self._named(bucket) for bucket in self._buckets.read_new()])
        view = _View(self._fetch(), max(self._memory.i64(self._rate_address), 0))
        changes = [batch.update(view) for batch in self._batches]
        if any(changes) or view.rate != self._profile.sample_rate_bytes:
            sites = tuple(chain.from_iterable(batch.sites for batch in self._batches))
            self._profile = Profile(sites, view.rate, published=not self._live)
        return self._profile

    def _add(self, new: list[_Named]) -> None:
        """Fill the last batch up, then start others."""
        while new:
            if not self._batches or len(self._batches[-1].buckets) == _BATCH_RECORDS:
                self._batches.append(_Batch(self._format, ()))
            held = self._batches[-1].buckets
            room = _BATCH_RECORDS - len(held)
            self._batches[-1] = _Batch(self._format, (*held, *new[:room]))
            new = new[room:]

    def _named(self, bucket: Bucket) -> _Named:
        """Name a bucket's stack. Equal addresses become one int: millions of them stand on 50 000 stacks."""
        share, symbolizer = self._pcs, self._symbolizer
        pcs = tuple([share.setdefault(pc, pc) for pc in bucket.pcs])
        stack = tuple([symbolizer[pc] for pc in pcs])
        return _Named(bucket.record_address, bucket.object_bytes, stack, pcs, leaf_at(stack))

    def _fetch(self) -> tuple[int, ...]:
        """Read all records within one cycle, and say which futures count."""
        for _ in range(_MOST_TRIES):
            before = self._memory.u32(self._cycle_address)
            for batch in self._batches:
                batch.fetch()
            if self._memory.u32(self._cycle_address) == before:
                break
        else:
            raise BadRead("the profiler went on to another cycle in each of several looks")
        # Once it has been added to active, and the flag in bit 0 set, this future is empty: adding it does no harm.
        current = (before >> 1) % _FUTURES
        if self._live or not self._is_active(current):
            return tuple(range(_FUTURES))
        return (current,)

    def _is_active(self, current: int) -> bool:
        """Whether a cycle has ever finished; before, the runtime publishes all there is."""
        if not self._has_active:
            self._has_active = any(batch.has_active(current) for batch in self._batches)
        return self._has_active


class _Named(NamedTuple):
    """A bucket, and what its addresses mean."""

    record_address: int
    object_bytes: int
    stack: tuple[Frame, ...]
    pcs: tuple[int, ...]
    leaf_at: int


class _RecordFormat:
    """memRecord, of which only the counts are looked at: bytes are always count times object size."""

    def __init__(self, program: Program) -> None:
        self.memory = program.memory
        self.size = program.size("memRecord")
        cycle_bytes = program.size("memRecordCycle")
        places = [program.offset("memRecord", "active")]
        places += [program.offset("memRecord", "future") + i * cycle_bytes for i in range(_FUTURES)]
        if program.offset("memRecordCycle", "allocs") != 0 or program.offset("memRecordCycle", "frees") != 8:
            raise LayoutRefused("runtime.memRecordCycle does not begin with its counts")
        if places != [i * cycle_bytes for i in range(1 + _FUTURES)] or self.size != len(places) * cycle_bytes:
            raise LayoutRefused("runtime.memRecord is not four cycles in a row")
        self.counts = struct.Struct("<" + f"2Q{cycle_bytes - 16}x" * len(places))
        """allocs and frees, of ``active`` and of the three futures."""


class _Batch:
    """Up to 1024 buckets, read by one system call, and the sites made of them."""

    def __init__(self, record: _RecordFormat, buckets: tuple[_Named, ...]) -> None:
        self.buckets = buckets
        self._record = record
        self._plan = record.memory.plan([(bucket.record_address, record.size) for bucket in buckets])
        self._content = b""
        self._shown = b""
        self._view = _View((), 0)
        self._all: list[Site | None] = [None] * len(buckets)
        self._in_transit: set[int] = set()
        self.sites: tuple[Site, ...] = ()

    def fetch(self) -> None:
        """Read the records."""
        self._content = bytes(self._plan.read()[: self._plan.offsets[-1]])

    def has_active(self, current: int) -> bool:
        """Whether any record counts an allocation as active, or will once this future has been added."""
        at = 2 + 2 * current
        return any(counts[0] or counts[at] for counts in self._record.counts.iter_unpack(self._content))

    def update(self, view: _View) -> bool:
        """Make sites of what was read; False when they are what they were."""
        changed = set(self._changed(view))
        if not changed:
            return False
        rate = view.rate
        first, second, third = (future in view.futures for future in range(_FUTURES))
        content, size, unpack = self._content, self._record.size, self._record.counts.unpack_from
        for i in changed:  # 2 µs each, and all 50 000 sites may have changed
            a, f, a0, f0, a1, f1, a2, f2 = unpack(content, i * size)
            if a0 or f0 or a1 or f1 or a2 or f2:
                self._in_transit.add(i)
                a, f = a + first * a0 + second * a1 + third * a2, f + first * f0 + second * f1 + third * f2
            else:
                self._in_transit.discard(i)
            _, object_bytes, stack, pcs, leaf = self.buckets[i]
            self._all[i] = Site(stack, usage_of(a, f, object_bytes, rate), pcs, leaf) if a else None
        self._shown, self._view = content, view
        self.sites = tuple([site for site in self._all if site])
        return True

    def _changed(self, view: _View) -> Iterator[int]:
        """Numbers of the records whose site may be another than before."""
        if view.rate != self._view.rate or not self._shown:
            yield from range(len(self.buckets))
            return
        if view.futures != self._view.futures:
            yield from self._in_transit
        new, old, size = self._content, self._shown, self._record.size
        if new == old:
            return
        step = _COMPARED_RECORDS * size
        for start in range(0, len(new), step):
            if new[start : start + step] != old[start : start + step]:
                for at in range(start, min(start + step, len(new)), size):
                    if new[at : at + size] != old[at : at + size]:
                        yield at // size
