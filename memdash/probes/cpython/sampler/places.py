"""The names of the places that the sampler met, asked for once each: the target answers 2000 in some 12 ms."""

from __future__ import annotations

from collections.abc import Generator

from memdash.model.profile import Frame
from memdash.model.target import Target
from memdash.probes.cpython.agent.link import AgentLink
from memdash.probes.cpython.agent.told import places
from memdash.probes.cpython.library import is_library
from memdash.probes.cpython.sources import Sources

__all__ = ["Places"]

_PATIENCE_S = 0.05
_MOST_AT_ONCE = 2000
_FIRST_WITH_NAMES = 11
"""From here on a code object knows its qualified name; before, the source files tell it."""


class Places:
    """Frames by number of the place. Belongs to the thread that reads."""

    def __init__(self, target: Target, link: AgentLink, minor: int) -> None:
        self._sources = Sources(target)
        self._link = link
        self._has_names = minor >= _FIRST_WITH_NAMES
        self._share: dict[Frame, Frame] = {}
        self.frames: list[Frame] = []

    def forget(self) -> None:
        """Another sampling has begun, with places of its own."""
        self.frames = []
        self._share = {}

    def learn(self, number: int, begun_ns: int) -> Generator[None]:
        """Name as many as there are by now, in steps of milliseconds. Raises TimedOut, ProbeError."""
        while len(self.frames) < number:
            asked = {"after": len(self.frames), "most": _MOST_AT_ONCE, "start": begun_ns}
            told = self._link.ask("places", _PATIENCE_S, places, **asked)
            if not told:
                return
            if not self._has_names:
                own = {frame.file for frame in told if not is_library(frame.file)}
                yield from self._sources.learn(sorted(own))
            for frame in map(self._sources.called, told):
                self.frames.append(self._share.setdefault(frame, frame))
            yield
