"""A fact that falls into rows (sites, types, tasks), followed from reading to reading: each row's changes and trend."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from memdash.model.capability import Source
from memdash.model.missing import NOT_READ_YET, Maybe, Missing
from memdash.model.sample import Instant, Origin
from memdash.sampling.courses import CourseKeeper, CourseView
from memdash.sampling.trends import Trends

__all__ = ["Followed"]

FactT = TypeVar("FactT")
Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Group = TypeVar("Group")


@dataclass(frozen=True, slots=True)
class _Baseline(Generic[FactT, Key, Value]):
    """A reading, when it was taken in, and what its rows had; ``begins`` says that it holds though it had none."""

    at: Instant
    fact: FactT | None
    values: dict[Key, Value]
    begins: bool = False

    @property
    def is_to_come(self) -> bool:
        """Whether the next reading is to take its place."""
        return not self.values and not self.begins


class Followed(Generic[FactT, Key, Value, Group]):
    """Remembers two baselines, that of the attach and the one a person marked, and the course of each row.

    ``by_key`` breaks a fact down, ``size`` says what of a row its trend shows, ``grouped`` makes the rows of a snapshot
    from the newest values, those of the baseline, and the trends. A baseline asked for before the first reading takes
    that one, else all that there is were a change. What is only ``estimated`` is shown, but has no part in a trend or
    a course, and is neither a baseline nor compared with one.
    """

    def __init__(
        self,
        by_key: Callable[[FactT], dict[Key, Value]],
        size: Callable[[Value], int],
        grouped: Callable[[Mapping[Key, Value], Mapping[Key, Value], Mapping[Key, tuple[int, ...]]], tuple[Group, ...]],
        estimated: Callable[[FactT], bool] = lambda _: False,
    ) -> None:
        self._by_key = by_key
        self._size = size
        self._grouped = grouped
        self._estimated = estimated
        self._is_estimate = False
        self._trends = Trends[Key]()
        self._courses = CourseKeeper()
        self._read_s = 0.0
        self._fact: FactT | None = None
        self._source: Source | None = None
        self._newest: dict[Key, Value] = {}
        self._at_attach: _Baseline[FactT, Key, Value] | None = None
        self._at_mark: _Baseline[FactT, Key, Value] | None = None
        self._groups: tuple[Group, ...] = ()
        self._made_of: tuple[object, object] = (None, None)

    def take(self, at: Instant, fact: Maybe[FactT], origin: Origin | None) -> None:
        """Take in what a sample has; the same reading as before changes nothing, but that it still holds.

        Another source tells of more or less than the one before: what it has then is no change.
        """
        if isinstance(fact, Missing):
            return
        read_at = at if origin is None else origin.at
        if fact is self._fact:
            self._follow(read_at)
            return
        self._fact = fact
        if origin is not None and origin.source is not self._source:
            self._source = origin.source
            self._courses = CourseKeeper()
            self._trends = Trends[Key]()
            self._at_attach = None
            self._at_mark = None if self._at_mark is None else _Baseline(at, None, {})
        self._newest = self._by_key(fact)
        self._is_estimate = self._estimated(fact)
        if self._is_estimate:
            return
        self._trends.add({key: self._size(value) for key, value in self._newest.items()})
        self._follow(read_at)
        if self._at_attach is None or self._at_attach.is_to_come:
            self._at_attach = self._baseline_of(at, fact)
        if self._at_mark is not None and self._at_mark.is_to_come:
            self._at_mark = self._baseline_of(at, fact)

    def begin(self, at: Instant, fact: FactT, origin: Origin) -> None:
        """Count changes from a reading of long ago, as long as it is of the source that is read now."""
        self._source = origin.source
        if not self._estimated(fact):
            self._at_attach = self._baseline_of(at, fact)

    def _baseline_of(self, at: Instant, fact: FactT) -> _Baseline[FactT, Key, Value]:
        values = self._newest if fact is self._fact else self._by_key(fact)
        return _Baseline(at, fact, values, begins=self._source is Source.AGENT)

    def recall(self, sizes: Mapping[Key, int]) -> None:
        """Put what the rows held at an earlier reading into their trends."""
        self._trends.add(sizes)

    def _follow(self, read_at: Instant) -> None:
        """Note what the rows held when they were read, once a reading."""
        if read_at.mono_s > self._read_s and not self._is_estimate:
            self._read_s = read_at.mono_s
            self._courses.add(read_at, {key: self._size(value) for key, value in self._newest.items()})

    @property
    def courses(self) -> CourseView:
        """What the rows held over the whole watch, as of the newest reading."""
        return self._courses.view()

    def mark(self, at: Instant) -> None:
        """Count changes from the newest reading on."""
        self.mark_at(at, NOT_READ_YET if self._fact is None else self._fact)

    def mark_at(self, at: Instant, fact: Maybe[FactT]) -> None:
        """Count changes from a reading of the past, or from the next one when that was none, or an estimate."""
        if isinstance(fact, Missing) or self._estimated(fact):
            self._at_mark = _Baseline(at, None, {})
        else:
            self._at_mark = self._baseline_of(at, fact)

    def clear(self) -> None:
        """Count changes from the first reading again."""
        self._at_mark = None

    @property
    def since(self) -> Instant | None:
        """When the readings that changes count from were taken in; None before there is any."""
        return None if self._baseline is None else self._baseline.at

    @property
    def before(self) -> FactT | None:
        """The reading that changes count from, in full; None before there is any."""
        return None if self._baseline is None else self._baseline.fact

    @property
    def _baseline(self) -> _Baseline[FactT, Key, Value] | None:
        return self._at_mark or self._at_attach

    def groups(self, fact: Maybe[FactT]) -> Maybe[tuple[Group, ...]]:
        """The rows of the newest reading; made once a reading and baseline, since most ticks bring no new one."""
        if isinstance(fact, Missing):
            return fact
        baseline = self._baseline
        if self._made_of[0] is not self._fact or self._made_of[1] is not baseline:
            trends = {key: self._trends.of(key) for key in self._newest}
            then = self._newest if self._is_estimate else baseline.values if baseline else {}
            self._groups = self._grouped(self._newest, then, trends)
            self._made_of = (self._fact, baseline)
        return self._groups
