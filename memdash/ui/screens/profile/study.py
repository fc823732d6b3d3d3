"""The profile that the views of one visit share, and how it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any, TypeVar

from memdash.config import USUAL_SOURCES, SourcePath
from memdash.model.profile import Frame as Place
from memdash.pprof.document import Document
from memdash.pprof.filters import Filters
from memdash.pprof.listing import listing_view
from memdash.pprof.merge import minus
from memdash.pprof.names import readable
from memdash.pprof.source import SourceFinder
from memdash.pprof.taken import TakenProfile
from memdash.pprof.view import Frame, Granularity, Options, View

__all__ = ["Caption", "Lens", "Moment", "Sight", "Study"]

Made = TypeVar("Made")

_MOST_KEPT = 8
"""Views of 50 000 stacks take 20 MiB each."""


@dataclass(frozen=True, slots=True)
class Lens:
    """How a profile is looked at: which of its values (empty: its default), what of it, and against the baseline.

    Shares of a difference are of what the baseline held (pprof's ``-diff_base``), or of all that changed (``-base``);
    ``is_whole`` shows also what is too small. That is what holds less than ``node_fraction`` of all; None leaves the
    measure to the view.
    """

    sample_type: str = ""
    filters: Filters = field(default_factory=Filters)
    is_differential: bool = False
    is_relative_to_base: bool = True
    is_whole: bool = False
    granularity: Granularity = Granularity.FUNCTIONS
    node_fraction: float | None = None

    @property
    def options(self) -> Options:
        """The same as the views of ``pprof`` take it."""
        options = Options(sample_type=self.sample_type, filters=self.filters, granularity=self.granularity)
        if self.is_whole:
            return replace(options, node_fraction=0, edge_fraction=0)
        return options if self.node_fraction is None else replace(options, node_fraction=self.node_fraction)


@dataclass(frozen=True, slots=True)
class Moment:
    """What is studied: a profile, and that of the baseline where there is one. Taking either may raise MemdashError.

    ``title`` says of what it is and ``at`` when, ``since`` what it is compared with, ``is_first`` that it is that
    very reading; ``file_name`` is what it may be saved as. ``made_of`` are the facts behind both, where they are known:
    two moments of the same have one profile.
    """

    take: Callable[[], TakenProfile]
    take_before: Callable[[], TakenProfile] | None = None
    title: str = ""
    at: str = ""
    since: str = ""
    is_first: bool = False
    file_name: str = "profile.pb.gz"
    made_of: tuple[object, ...] = ()

    @property
    def unchanged(self) -> str:
        """Why there is no change to be shown."""
        what = "the profile has not been read again" if self.is_first else "nothing has changed"
        return f"{what} {self.since}"

    @property
    def has_baseline(self) -> bool:
        """Whether there is anything to compare with."""
        return self.take_before is not None

    def is_same(self, other: Moment) -> bool:
        """Whether both are known to have one profile."""
        pairs = zip(self.made_of, other.made_of, strict=False)
        return bool(self.made_of) and all(one is another for one, another in pairs)


@dataclass(frozen=True, slots=True)
class Caption:
    """What is to be said of what a view shows: through which lens, of which moment.

    ``sample_type`` is the kind of value, empty while it is not known; ``notes`` what a person should know about the
    profile; ``unmatched`` the filters in force that match nothing in any view that was made through them.
    """

    lens: Lens
    moment: Moment
    sample_type: str = ""
    notes: tuple[str, ...] = ()
    unmatched: frozenset[str] = frozenset()


class _Visit:
    """A moment, and what was taken and made of it. It never goes over to another: threads look at it at any time."""

    def __init__(self, moment: Moment, sources: SourcePath) -> None:
        self.moment = moment
        self.made: dict[tuple[str, Lens], Any] = {}
        self.at_hand: TakenProfile | None = None
        self._sources = sources
        self._finder: SourceFinder | None = None
        self._before: TakenProfile | None = None

    @property
    def taken(self) -> TakenProfile:
        """The profile. Raises what taking it raises."""
        if self.at_hand is None:
            self.at_hand = self.moment.take()
        return self.at_hand

    @property
    def before(self) -> TakenProfile | None:
        """That of the baseline; None where there is none. Raises what taking it raises."""
        if self._before is None and self.moment.take_before is not None:
            self._before = self.moment.take_before()
        return self._before

    @property
    def finder(self) -> SourceFinder:
        """Source files of the profile. Raises what taking it raises."""
        if self._finder is None:
            self._finder = SourceFinder.of(self._sources, self.taken.files)
        return self._finder

    def kind(self, lens: Lens) -> str:
        """The kind of value that is seen through ``lens``; empty while it is not known."""
        if lens.sample_type or self.at_hand is None or not (types := self.at_hand.document.sample_types):
            return lens.sample_type
        return types[self.at_hand.document.index_of("")].kind

    def once(self, key: tuple[str, Lens], make: Callable[[], Made]) -> Made:
        """What ``make`` makes, made once."""
        if key not in self.made:
            made = make()
            while len(self.made) >= _MOST_KEPT:
                del self.made[next(iter(self.made))]
            self.made[key] = made
        kept: Made = self.made[key]
        return kept


class Sight:
    """A profile through one lens: what a view is built from, while a person may already want another.

    All of it takes long: whoever asks holds the study's ``lock``. Each view is made once a lens. ``subject`` is what
    listings are about.
    """

    def __init__(self, visit: _Visit, lens: Lens, subject: Place | None) -> None:
        self.lens = lens
        self.subject = subject
        self._visit = visit

    @property
    def moment(self) -> Moment:
        """What is looked at."""
        return self._visit.moment

    @property
    def compares(self) -> bool:
        """Whether changes are seen."""
        return self.lens.is_differential and self.moment.has_baseline

    @property
    def taken(self) -> TakenProfile:
        """The profile. Raises what taking it raises."""
        return self._visit.taken

    @property
    def finder(self) -> SourceFinder:
        """Source files of the profile. Raises what taking it raises."""
        return self._visit.finder

    @property
    def caption(self) -> Caption:
        """What is to be said of it, as far as it is at hand: this takes nothing and never fails."""
        taken, lens = self._visit.at_hand, self.lens
        views = [made for (_, by), made in [*self._visit.made.items()] if by == lens and isinstance(made, View)]
        given = frozenset(lens.filters.given)
        return Caption(
            lens,
            self.moment,
            self._visit.kind(lens),
            () if taken is None else taken.notes,
            given.intersection(*(view.unmatched for view in views)) if views else frozenset(),
        )

    def view(self) -> View:
        """The profile through the lens; the difference to the baseline through a differential one.

        Raises UsageError when there is nothing of that kind in it, and what taking it raises.
        """
        return self.kept("difference", self._difference_view) if self.compares else self.view_now()

    def view_of_lines(self) -> View:
        """The same line by line, as listings want it."""
        return self.kept("lines", self._listing_view)

    def view_before(self) -> View | None:
        """The baseline's profile through the same lens; None where there is none or the lens is not differential."""
        before = self._visit.before if self.compares else None
        return None if before is None else self.kept("before", lambda: View(before.document, self.lens.options))

    def view_now(self) -> View:
        """The profile itself, through a differential lens too."""
        return self.kept("now", lambda: View(self.taken.document, self.lens.options))

    def kept(self, name: str, make: Callable[[], Made]) -> Made:
        """What ``make`` makes of it, made once: for what several views share, or one shows again."""
        return self._visit.once((name, self.lens), make)

    def _difference_view(self) -> View:
        return View(self._difference(), self.lens.options).condensed()

    def _listing_view(self) -> View:
        return listing_view(self._difference() if self.compares else self.taken.document, self.lens.options)

    def _difference(self) -> Document:
        """Made once for all lenses that have the same shares."""
        now, before = self.taken.document, self._visit.before
        if before is None:
            return now
        is_relative = self.lens.is_relative_to_base
        key = ("minus", Lens(is_relative_to_base=is_relative))
        return self._visit.once(key, lambda: minus(now, before.document, relative_to_base=is_relative))


class Study:
    """What the views of one visit share: the newest moment, and the ``lens`` that a person has chosen.

    Profiles are taken when they are first needed, by whoever holds ``lock``. ``frame`` is the one that a person last
    had under the cursor: another view opens there. ``subject`` is the same with its file and line, as far as they are
    known. Lens, frame and subject may change while a view is built: it is built from a ``sight``, which does not.
    """

    def __init__(
        self,
        look: Callable[[], Moment],
        lens: Lens = Lens(),
        *,
        subject: Place | None = None,
        sources: SourcePath = USUAL_SOURCES,
        standing: Callable[[], str] = lambda: "",
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        """``look`` chooses the moment, now and whenever the newest is wanted.

        ``standing`` says how its target is in a word, empty while it lives, and ``is_over`` whether it has ended.
        """
        self.lens = lens
        self.subject = subject
        self.frame = None if subject is None else Frame(name=readable(subject.function))
        self.lock = Lock()
        self._sources = sources
        self._look = look
        self._standing = standing
        self._is_over = is_over
        self._visit = _Visit(look(), sources)

    @property
    def moment(self) -> Moment:
        """The newest that was looked at."""
        return self._visit.moment

    @property
    def taken(self) -> TakenProfile:
        """Its profile; takes long, as all of a sight does. Raises what taking it raises."""
        return self._visit.taken

    @property
    def sample_types(self) -> tuple[str, ...]:
        """What kinds of values it has; none before it is taken."""
        taken = self._visit.at_hand
        return () if taken is None else tuple(held.kind for held in taken.document.sample_types)

    @property
    def sample_type(self) -> str:
        """The one that is wanted; empty while it is not known."""
        return self._visit.kind(self.lens)

    def sight(self, lens: Lens, subject: Place | None) -> Sight:
        """The newest moment through a lens."""
        return Sight(self._visit, lens, subject)

    @property
    def state(self) -> str:
        """How the target stands by now, in a word; empty while it lives, and where there is none."""
        return self._standing()

    @property
    def is_over(self) -> bool:
        """Whether there will never be a newer profile."""
        return self._is_over()

    @property
    def has_newer(self) -> bool:
        """Whether the newest moment may have another profile than the one that is looked at."""
        return not self.moment.is_same(self._look())

    def renew(self) -> None:
        """Go over to the newest moment, in one step: other threads look at the study meanwhile."""
        self._visit = _Visit(self._look(), self._sources)

    def stand_on(self, frame: Frame) -> None:
        """Have the next view open there."""
        self.frame = frame
        self.subject = Place(frame.name, frame.file, frame.line)
