"""What the sampler has counted, as a profile: what each stack holds and has ever asked for, scaled up from the samples.

Each sample was weighted when it was taken, by the chance that a block of its size had; the same weight is taken off
when the block is freed. So nothing is left to be scaled here.
"""

from __future__ import annotations

import struct
from collections.abc import Generator, Iterable
from typing import NamedTuple

from memdash.errors import BadRead, TimedOut
from memdash.model.profile import Frame, Profile, Site, Usage
from memdash.model.target import Target
from memdash.probes.cpython.agent.link import AgentLink
from memdash.probes.cpython.interpreter import Interpreter
from memdash.probes.cpython.library import IMPORTS, OURS
from memdash.probes.cpython.sampler.places import Places
from memdash.probes.cpython.sampler.tables import Header, Tables

__all__ = ["Sampled", "SampledSites"]

_STACK = struct.Struct("<16xQQQQQQ")
_OBJECT = 256
"""Objects are counted in parts: a sample may stand for one and a half."""

_UNATTRIBUTED, _NO_ROOM, _OF_OTHERS = range(3)
_NAMELESS = {
    _UNATTRIBUTED: (Frame("(no Python code runs)", "", 0),),
    _NO_ROOM: (Frame("(more stacks than the sampler can hold)", "", 0),),
    _OF_OTHERS: (Frame("(sub-interpreters)", "", 0),),
}
_NOT_NAMED = (Frame("(code whose names the target has yet to tell)", "", 0),)
_STEP = 1000


class Sampled(NamedTuple):
    """A profile, what memdash's own agent holds, which is not in it, and what the tables said."""

    profile: Profile
    own_bytes: int
    header: Header


class SampledSites:
    """Reads profiles one after the other; a site that has not changed is the same object as before."""

    def __init__(self, target: Target, interpreter: Interpreter, link: AgentLink, header_at: int) -> None:
        self.tables = Tables(interpreter.memory, header_at)
        self._places = Places(target, link, interpreter.version.minor)
        self._begun_ns = 0
        self._stacks: list[tuple[Frame, ...]] = []
        self._is_ours: list[bool] = []
        self._sites: dict[int, tuple[bytes, Site]] = {}

    def read(self) -> Generator[None, None, Sampled]:
        """Read once; yields every few milliseconds. Raises BadRead when it does not sample, ProbeError, TargetError."""
        header = self.tables.look().header
        if header.started_ns != self._begun_ns:
            self._begun_ns = header.started_ns
            self._places.forget()
            self._stacks, self._is_ours, self._sites = [], [], {}
        rows = self.tables.counters(header)
        self._require_the_same(header)
        try:
            yield from self._places.learn(header.places, header.started_ns)
        except TimedOut:
            if not self._places.frames:
                raise
        self._name()
        yield
        own_bytes, found = 0, []
        for number in range(len(self._stacks)):
            site = self._site(number, bytes(rows[64 * number : 64 * number + 64]))
            if self._is_ours[number]:
                own_bytes += site.usage.inuse_bytes
            elif site.usage.alloc_objects or site.usage.alloc_bytes:
                found.append(site)
            if not number % _STEP:
                yield
        found += self._not_named(rows)
        return Sampled(Profile(tuple(found), header.rate_bytes, published=True), own_bytes, header)

    def _require_the_same(self, header: Header) -> None:
        """Who ends a sampling, which takes a moment, says so before the counters go. Raises BadRead."""
        now = self.tables.look().header
        if not now.enabled or now.started_ns != header.started_ns:
            raise BadRead("the sampler has been switched off while it was read")

    def _name(self) -> None:
        """Make frames of the stacks that are new, as far as their places have names."""
        frames = self._places.frames
        for number in range(len(self._stacks), len(self.tables.stacks)):
            places = self.tables.stacks[number]
            if any(place >= len(frames) for place in places):
                return
            stack = _NAMELESS.get(number) or tuple([frames[place] for place in places])
            self._stacks.append(stack)
            self._is_ours.append(_is_ours(stack))

    def _not_named(self, rows: memoryview) -> list[Site]:
        """One site for all stacks that are not: where code comes and goes, names may never be complete."""
        first = len(self._stacks)
        usages = [_usage(row) for row in _STACK.iter_unpack(rows[_STACK.size * first :])]
        return [Site(_NOT_NAMED, Usage(*map(sum, zip(*usages, strict=True))))] if usages else []

    def _site(self, number: int, row: bytes) -> Site:
        held = self._sites.get(number)
        if held is not None and held[0] == row:
            return held[1]
        site = Site(self._stacks[number], _usage(_STACK.unpack(row)))
        self._sites[number] = row, site
        return site


def _usage(counts: tuple[int, ...]) -> Usage:
    _, _, objects, size, objects_freed, size_freed = counts
    return Usage(
        max(size - size_freed, 0), round(max(objects - objects_freed, 0) / _OBJECT), size, round(objects / _OBJECT)
    )


def _is_ours(stack: Iterable[Frame]) -> bool:
    """Whether memdash's agent asked for it, or what it imported; and not code of the program that happens to run there.

    It imports files, too: from 3.14 on, _ctypes does so.
    """
    called = OURS
    for frame in stack:
        if frame.file == OURS:
            return called == OURS or called.startswith(IMPORTS)
        called = frame.file
    return False
