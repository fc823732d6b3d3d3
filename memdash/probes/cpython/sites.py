"""Allocation sites of a Python that traces: a profile of what tracemalloc holds, with its places named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from dataclasses import replace
from itertools import islice

from memdash.model.missing import Missing
from memdash.model.profile import Profile, Site, Usage
from memdash.model.target import Target
from memdash.probes.cpython.interpreter import Interpreter
from memdash.probes.cpython.library import IMPORTS, OURS, is_library
from memdash.probes.cpython.sources import Sources
from memdash.probes.cpython.tracebacks import Place
from memdash.probes.cpython.traces import Look, TraceReader
from memdash.probes.cpython.tracing import Tracing
from memdash.units import byte_size

__all__ = ["SiteReader"]

_NAMED_SITES = 300
"""So many of the largest sites have their files read; a program's own files are all read, up to as many."""

_MOST_CHANGED = 3
_NO_ALLOC = Missing("tracemalloc forgets what has been freed: what was ever asked for is not known")


class SiteReader:
    """Reads profiles one after the other."""

    def __init__(self, target: Target, interpreter: Interpreter, tracing: Tracing) -> None:
        self._sources = Sources(target)
        self._traces = TraceReader(interpreter, tracing)
        self.pending = ""
        self.caveats: tuple[str, ...] = ()

    @property
    def divisions(self) -> int:
        """How often the traces had to be read from the first part on; the first time counts."""
        return self._traces.divisions

    def read(self) -> Generator[None, None, Profile]:
        """Read once; yields every few milliseconds. ``caveats`` then says what is to be known of the profile.

        ``pending`` says what is left when not all has been read, and is empty when the profile is whole. Raises
        LayoutRefused, BadRead, AccessDenied, TargetExited.
        """
        look = yield from self._traces.look()
        look, own_bytes = _without_ours(look)
        yield from self._name(look)
        frame = self._sources.frame
        sites = tuple(
            [
                Site(tuple([frame(place) for place in stack]), Usage(held_bytes, blocks, 0, 0))
                for stack, (held_bytes, blocks) in look.held.items()
            ]
        )
        whole = look.parts_read == look.parts
        self.pending = "" if whole else f"{look.parts_read} of {look.parts} parts of the traces have been read"
        self.caveats = tuple(self._caveats(look, whole, own_bytes))
        return Profile(
            sites, 1, published=True, no_alloc=_NO_ALLOC, peak_bytes=look.totals.peak_bytes, estimated=not whole
        )

    def _name(self, look: Look) -> Generator[None]:
        """Have the files read that are worth it."""
        by_leaf: Counter[str] = Counter()
        largest: Counter[tuple[str, int]] = Counter()
        for stack, (held_bytes, _) in look.held.items():
            if stack:
                largest[stack[0]] += held_bytes
            for place in stack:
                by_leaf[place.file] += held_bytes
        own = islice((file for file, _ in by_leaf.most_common() if not is_library(file)), _NAMED_SITES)
        files = dict.fromkeys(own)
        files |= dict.fromkeys(file for (file, _), _ in largest.most_common(_NAMED_SITES))
        yield from self._sources.learn(files)
        self._sources.forget_unused(by_leaf)

    def _caveats(self, look: Look, whole: bool, own_bytes: int) -> Generator[str]:
        if not whole:
            yield f"estimated from {look.parts_read} of {look.parts} parts of the traces"
        elif look.parts > 1:
            yield f"read in {look.parts} parts"
        if own_bytes:
            yield f"without the {byte_size(own_bytes)} of memdash's own agent"
        if changed := self._sources.changed:
            more = f" and {len(changed) - _MOST_CHANGED} more" if len(changed) > _MOST_CHANGED else ""
            verb = "has" if len(changed) == 1 else "have"
            names = ", ".join(changed[:_MOST_CHANGED])
            yield f"{names}{more} {verb} changed since the program started: functions not named"


def _without_ours(look: Look) -> tuple[Look, int]:
    """A look without what memdash's agent itself has asked for, or imported, and how many bytes that is."""
    ours = {stack for stack in look.held if _is_ours(stack)}
    own_bytes = sum(look.held[stack][0] for stack in ours)
    return replace(look, held={stack: held for stack, held in look.held.items() if stack not in ours}), own_bytes


def _is_ours(stack: tuple[Place, ...]) -> bool:
    """Not when the agent is further out: a collection that it asks for runs finalizers of the program."""
    return next((place.file for place in stack if not place.file.startswith(IMPORTS)), "") == OURS
