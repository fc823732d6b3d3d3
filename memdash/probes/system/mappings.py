"""Every mapping of a process with its resident pages, in groups."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator

from memdash.errors import BadRead, TargetExited
from memdash.model.capability import Capability, Source
from memdash.model.missing import Maybe, Missing
from memdash.model.residence import Mappings
from memdash.model.sample import Reading
from memdash.model.target import Target
from memdash.probes.slices import Done, Slices, counted_over
from memdash.probes.system.mapping_groups import Grouping
from memdash.process.fields import bytes_of
from memdash.process.kept import KeptFile
from memdash.process.smaps import Mapping, read_mappings, require_readable
from memdash.process.stacks import stack_pointers
from memdash.units import count

__all__ = ["MappingsProbe"]

_CADENCE_S = 10.0
_SLICE_S = 0.015
_LONG_S = 1.0
_MOST_MAPPINGS = 100_000
_MOST_THREADS = 4096
_AT_ONCE = 64
"""Between two looks at the clock."""


class MappingsProbe:
    """Reads them in slices of 15 ms of CPU time: 2 ms for 100 mappings, and what the kernel takes to walk the pages.

    Opening raises AccessDenied, TargetExited, UnsupportedRuntime.
    """

    name = "system.mappings"
    capabilities = frozenset({Capability.MAPPINGS})
    cadence_s = _CADENCE_S

    def __init__(
        self,
        target: Target,
        read: Callable[[int], Iterator[Mapping]] = read_mappings,
        cpu_s: Callable[[], float] = time.thread_time,
    ) -> None:
        self._target = target
        self._read = read
        self._status = KeptFile(f"/proc/{target.pid}/status")
        self._stacks: dict[int, int] = {}
        self._slices = Slices[int, Reading]((), _SLICE_S, cpu_s)
        try:
            require_readable(target.pid)
        except BaseException:
            self.close()
            raise

    def read(self) -> Reading:
        """Count for a while; the last slice of a round returns the Mappings. Raises BadRead, TargetExited."""
        counted = self._slices.go_on(self._round)
        if isinstance(counted, Done):
            reading: Reading = counted.result
            return reading
        return Reading(Source.PROC, (), pending=f"mappings are being counted: {count(counted)} so far")

    def _round(self) -> Generator[int, None, Reading]:
        """Yields now and then how many mappings have been counted."""
        yield from self._find_stacks()
        grouping = Grouping(self._target.exe, sorted(self._stacks.values()))
        for mapping in self._read(self._target.pid):
            grouping.add(mapping)
            if grouping.total % _AT_ONCE == 0:
                yield grouping.total
            if grouping.total >= _MOST_MAPPINGS:
                break
        if not grouping.total:
            raise BadRead("the process has no memory any more")
        mappings = Mappings(grouping.groups(), self._rss_bytes(), grouping.total)
        return Reading(Source.PROC, (mappings,), tuple(_caveats(self._slices.took_s, grouping.total)))

    def _find_stacks(self) -> Iterator[int]:
        """A thread that runs just now has its stack where it was when it was last seen blocked."""
        found: dict[int, int] = {}
        for number, (tid, seen) in enumerate(stack_pointers(self._target.pid)):
            pointer = self._stacks.get(tid) if seen is None else seen
            if pointer is not None:
                found[tid] = pointer
            if number % _AT_ONCE == _AT_ONCE - 1:
                yield 0
            if number >= _MOST_THREADS:
                break
        self._stacks = found

    def _rss_bytes(self) -> Maybe[int]:
        try:
            return bytes_of(self._status.read(), b"VmRSS")
        except (ProcessLookupError, FileNotFoundError):
            raise TargetExited(f"process {self._target.pid} has ended") from None
        except (OSError, KeyError, ValueError):
            return Missing("the kernel does not tell the RSS")

    def close(self) -> None:
        """Close the files; may be called twice."""
        self._slices.begin_anew()
        self._status.close()


def _caveats(took_s: float, total: int) -> Iterator[str]:
    yield from counted_over(took_s, _LONG_S)
    if total >= _MOST_MAPPINGS:
        yield f"only the first {count(_MOST_MAPPINGS)} mappings were counted"
