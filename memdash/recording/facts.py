"""The facts of many rows on their way into a recording: which are due, and as bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.sample import Fact, Instant
from memdash.recording.codec import Base, Dated, TooLargeError, as_base, encoded_fact
from memdash.recording.database import Database
from memdash.recording.moment import APART, Moment
from memdash.recording.tables import HOUR, micros

__all__ = ["Due", "Facts", "Piece"]

_EVERY_S = 60.0
_FIRST_S = 5.0
"""A profile that has just begun is next to empty: the first minute would look as if nothing had been held in it."""

_WRITTEN_ALONG = 0
"""In the place of a number of a base that has none yet; those of the table begin at 1."""


class Due(NamedTuple):
    """A reading that is to be written, and the moment in which it first stood."""

    capability: Capability
    at: Instant
    dated: Dated

    @property
    def hour(self) -> int:
        """That of the monotonic clock."""
        return micros(self.at.mono_s) // HOUR


class Piece(NamedTuple):
    """One as bytes, and the number of its base; None where it is written in full."""

    due: Due
    base: int | None
    data: bytes


@dataclass
class Facts:
    """Where those of one run stand. Copied before each transaction, so that one that fails leaves no trace.

    The first of a kind in an hour is written in full, and is the base of those that follow.
    """

    seen: dict[Capability, Fact] = field(default_factory=dict)
    waiting: dict[Capability, Due] = field(default_factory=dict)
    first_s: dict[Capability, float] = field(default_factory=dict)
    written_s: dict[Capability, float] = field(default_factory=dict)
    bases: dict[Capability, tuple[int, int]] = field(default_factory=dict)

    def __copy__(self) -> Facts:
        return replace(
            self,
            seen=dict(self.seen),
            waiting=dict(self.waiting),
            first_s=dict(self.first_s),
            written_s=dict(self.written_s),
            bases=dict(self.bases),
        )

    def due(self, moments: Iterable[Moment], *, keep: bool) -> list[Due]:
        """Of each kind at most one a minute, first after 5, 10, 20 and 40 s; with ``keep`` the newest of each too."""
        found = []
        for moment in moments:
            for capability in APART:
                self._look(capability, moment)
                if capability in self.waiting and self._is_due(capability, moment.at.mono_s):
                    found.append(self._taken(capability))
        return found + [self._taken(capability) for capability in list(self.waiting) if keep]

    def _is_due(self, capability: Capability, now_s: float) -> bool:
        written_s = self.written_s.get(capability)
        if written_s is None:
            return True
        pause_s = max(_FIRST_S, written_s - self.first_s[capability])
        return now_s >= written_s + min(pause_s, _EVERY_S)

    def _look(self, capability: Capability, moment: Moment) -> None:
        fact, origin = getattr(moment.sample, capability.value), moment.sample.origins.get(capability)
        if not isinstance(fact, Missing) and origin is not None and fact is not self.seen.get(capability):
            self.seen[capability] = fact
            self.waiting[capability] = Due(capability, moment.at, Dated(fact, origin))

    def _taken(self, capability: Capability) -> Due:
        due = self.waiting.pop(capability)
        self.written_s[capability] = due.at.mono_s
        self.first_s.setdefault(capability, due.at.mono_s)
        return due

    def encoded(self, found: Sequence[Due], database: Database) -> list[Piece]:
        """Outside of any transaction: a profile of many stacks takes a tenth of a second, and readers would wait.

        One that is too large to be read again is left out: the moments keep the one before, with its age.
        """
        along: dict[Capability, tuple[int, bytes]] = {}
        pieces = []
        for due in found:
            number, base = self._base(due, along, database)
            try:
                pieces.append(Piece(due, number, encoded_fact(due.dated, base)))
            except TooLargeError:
                continue
            if base is None:
                along[due.capability] = due.hour, pieces[-1].data
        return pieces

    def _base(
        self, due: Due, along: Mapping[Capability, tuple[int, bytes]], database: Database
    ) -> tuple[int | None, Base | None]:
        hour, data = along.get(due.capability, (-1, b""))
        if hour == due.hour:
            return _WRITTEN_ALONG, as_base(data)
        number, hour = self.bases.get(due.capability, (0, -1))
        if hour != due.hour:
            return None, None
        rows = database.rows("SELECT data FROM fact WHERE id = ?", number)
        return (number, as_base(rows[0][0])) if rows else (None, None)  # it may have had to make room

    def put(self, run: int, pieces: Sequence[Piece], database: Database) -> None:
        """Write them, within a transaction."""
        along: dict[Capability, int] = {}
        for (capability, at, dated), base, data in pieces:
            number, content = base, data
            if base == _WRITTEN_ALONG:
                number = along[capability]
            elif base is not None and not database.rows("SELECT 1 FROM fact WHERE id = ?", base):
                number, content = None, encoded_fact(dated, None)  # its base has had to make room meanwhile
            mono = micros(at.mono_s)
            written = database.run(
                "INSERT INTO fact (run, kind, mono, wall, base, data) VALUES (?, ?, ?, ?, ?, ?)",
                run,
                capability.value,
                mono,
                micros(at.wall_s),
                number,
                content,
            )
            if base is None:
                along[capability] = written
            if number is None:
                self.bases[capability] = written, mono // HOUR
