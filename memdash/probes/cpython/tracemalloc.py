"""Allocation sites while the program traces its allocations with tracemalloc, and only then.

It is read from outside like all else: nothing is switched on or off, asked, stopped or locked in the target.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from memdash.model.capability import Source
from memdash.model.profile import Profile
from memdash.model.sample import Reading
from memdash.model.target import Target
from memdash.probes.cpython.interpreter import Interpreter
from memdash.probes.cpython.tracing import Tracing
from memdash.probes.slices import Done, Slices
from memdash.process.environment import environment
from memdash.units import clock_time

if TYPE_CHECKING:
    from memdash.probes.cpython.sites import SiteReader

__all__ = ["TracedSites"]

_FIRST_SLICES_S, _SLICE_S, _ANEW_S = (0.018, 1.2), 0.018, 1.2
_PENDING = "the traces of allocations are being read"
_VARIABLE = "PYTHONTRACEMALLOC"
_OPTION = re.compile(r"(?:-X)?tracemalloc(?:=\d+)?")


class TracedSites:
    """Read in slices of 18 ms of CPU time; 60 ms in all for 50 000 traces.

    The second slice is a large one: the sites of most programs are there a second after the attach, and are not looked
    for while the first frame is being drawn. So is the one in which the traces have to be read from the first part on,
    since their table was moved to be twice as large: that is seldom, and what is shown until then misses what is new.
    """

    def __init__(
        self,
        target: Target,
        interpreter: Interpreter,
        tracing: Tracing,
        cpu_s: Callable[[], float] = time.thread_time,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._target = target
        self._interpreter = interpreter
        self._tracing = tracing
        self._now_s = now_s
        self._reader: SiteReader | None = None
        self._slices = Slices[None, None](_FIRST_SLICES_S, _SLICE_S, cpu_s)
        self._newest: tuple[Profile, ...] = ()
        self._has_whole = False
        self._was_off = False
        self._since = ""

    def read(self) -> Reading | None:
        """Read for a while; the last slice of a round returns a profile. None while nothing is traced.

        Before there is a whole one, one of a part of the traces is as good as can be had, and is not waited with; later
        the last whole one stands until there is another. Raises ProbeError, TargetError.
        """
        if not self._tracing.depth():
            self._reader, self._was_off, self._has_whole = None, True, False
            self._slices.begin_anew()
            return None
        if self._reader is None:
            from memdash.probes.cpython.sites import SiteReader  # 10 ms, wanted only while the program traces

            self._reader = SiteReader(self._target, self._interpreter, self._tracing)
            self._since = self._begun()
        reader = self._reader
        is_done = isinstance(self._slices.go_on(lambda: self._rounds(reader)), Done)
        newest, self._newest = self._newest, ()
        caveats = (self._since, *reader.caveats) if newest else ()
        return Reading(Source.MEMORY, newest, caveats, "" if is_done else reader.pending or _PENDING)

    def _rounds(self, reader: SiteReader) -> Generator[None]:
        """Read until a profile is whole."""
        while True:
            profile = yield from self._read(reader)
            self._has_whole = self._has_whole or not profile.estimated
            self._newest = () if profile.estimated and self._has_whole else (profile,)
            if not profile.estimated:
                return

    def _read(self, reader: SiteReader) -> Generator[None, None, Profile]:
        """Read one part; the slice becomes a large one when that turns out to be the first of all once more."""
        work, divisions = reader.read(), reader.divisions
        while True:
            try:
                next(work)
            except StopIteration as end:
                profile: Profile = end.value
                return profile
            if self._has_whole and reader.divisions > divisions:
                self._slices.extend(_ANEW_S)
            divisions = reader.divisions
            yield

    def _begun(self) -> str:
        """Since when allocations are traced, as far as is known: what was there before is not in the profile."""
        if self._was_off:
            return f"allocated since {clock_time(self._now_s())}"
        options = self._target.argv[1:]
        asked = any(_OPTION.fullmatch(option) for option in options)
        if asked or environment(self._target.pid).get(_VARIABLE, "0") != "0":
            return "allocated since the program started"
        return "allocated since tracing began"
