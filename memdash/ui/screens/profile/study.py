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

__all__ = ["Lens", "Moment", "Study"]

Made = TypeVar("Made")

_MOST_KEPT = 8
"""Views of 50 000 stacks take 20 MiB each."""


@dataclass(frozen=True, slots=True)
class Lens:
    """How a profile is looked at: which of its values (empty: its default), what of it, and against the baseline.

    Shares of a difference are of what the baseline held (pprof's ``-diff_base``), or of all that changed (``-base``);
    ``is_whole`` shows also what is too small for pprof.
    """

    sample_type: str = ""
    filters: Filters = field(default_factory=Filters)
    is_differential: bool = False
    is_relative_to_base: bool = True
    is_whole: bool = False
    granularity: Granularity = Granularity.FUNCTIONS

    @property
    def options(self) -> Options:
        """The same as the views of ``pprof`` take it."""
        options = Options(sample_type=self.sample_type, filters=self.filters, granularity=self.granularity)
        return replace(options, node_fraction=0, edge_fraction=0) if self.is_whole else options


@dataclass(frozen=True, slots=True)
class Moment:
    """What is studied: a profile, and that of the baseline where there is one. Taking either may raise MemdashError.

    ``title`` says of what it is and ``at`` when, ``since`` what it is compared with, ``is_first`` that it is that
    very reading; ``file_name`` is what it may be saved as.
    """

    take: Callable[[], TakenProfile]
    take_before: Callable[[], TakenProfile] | None = None
    title: str = ""
    at: str = ""
    since: str = ""
    is_first: bool = False
    file_name: str = "profile.pb.gz"

    @property
    def unchanged(self) -> str:
        """Why there is no change to be shown."""
        return (
            f"the profile has not been read again {self.since}"
            if self.is_first
            else f"nothing has changed {self.since}"
        )


class Study:
    """Takes a profile, and that of the baseline, when they are first needed, and makes views of them.

    All of that takes long: whoever does it holds ``lock``. Each view is made once a lens. ``frame`` is the one that a
    person last had under the cursor: another view opens there. ``subject`` is the same with its file and line, as far
    as they are known: what listings are about.
    """

    def __init__(
        self,
        look: Callable[[], Moment],
        lens: Lens = Lens(),
        *,
        subject: Place | None = None,
        sources: SourcePath = USUAL_SOURCES,
    ) -> None:
        """``look`` chooses the moment, now and whenever the newest is wanted."""
        self.lens = lens
        self.subject = subject
        self.frame = None if subject is None else Frame(name=readable(subject.function))
        self.lock = Lock()
        self._sources = sources
        self._finder: SourceFinder | None = None
        self._look = look
        self._taken: TakenProfile | None = None
        self._before: TakenProfile | None = None
        self._made: dict[tuple[str, Lens], Any] = {}
        self.moment = look()

    @property
    def has_baseline(self) -> bool:
        """Whether there is anything to compare with."""
        return self.moment.take_before is not None

    @property
    def taken(self) -> TakenProfile:
        """The profile. Raises what taking it raises."""
        if self._taken is None:
            self._taken = self.moment.take()
        return self._taken

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

    def renew(self) -> None:
        """Go over to the newest moment."""
        self.moment = self._look()
        self._taken = self._before = self._finder = None
        self._made.clear()

    def stand_on(self, frame: Frame) -> None:
        """Have the next view open there."""
        self.frame = frame
        self.subject = Place(frame.name, frame.file, frame.line)

    # At hand at any time

    @property
    def sample_types(self) -> tuple[str, ...]:
        """What kinds of values the profile has; none before it is taken."""
        return () if self._taken is None else tuple(held.kind for held in self._taken.document.sample_types)

    @property
    def sample_type(self) -> str:
        """The kind that is looked at; empty while it is not known."""
        if self.lens.sample_type or self._taken is None or not self._taken.document.sample_types:
            return self.lens.sample_type
        return self.sample_types[self._taken.document.index_of("")]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know about the profile."""
        return () if self._taken is None else self._taken.notes

    @property
    def unmatched(self) -> frozenset[str]:
        """The filters in force that match nothing in any view that was made through them."""
        views = [made for (_, lens), made in [*self._made.items()] if lens == self.lens and isinstance(made, View)]
        given = frozenset(self.lens.filters.given)
        return given.intersection(*(view.unmatched for view in views)) if views else frozenset()

    # Views

    def view(self) -> View:
        """The profile through the lens; the difference to the baseline through a differential one.

        Raises UsageError when there is nothing of that kind in it, and what taking it raises.
        """
        return self.kept("difference", self._difference_view) if self._compares else self.view_now()

    def view_of_lines(self) -> View:
        """The same line by line, as listings want it."""
        return self.kept("lines", self._listing_view)

    def view_before(self) -> View | None:
        """The baseline's profile through the same lens; None where there is none or the lens is not differential."""
        before = self.before if self._compares else None
        return None if before is None else self.kept("before", lambda lens: View(before.document, lens.options))

    def view_now(self) -> View:
        """The profile itself, through a differential lens too."""
        return self.kept("now", lambda lens: View(self._document, lens.options))

    def kept(self, name: str, make: Callable[[Lens], Made]) -> Made:
        """What ``make`` makes for the lens, made once: for what several views share, or one shows again."""
        lens = self.lens
        return self._once((name, lens), lambda: make(lens))

    def _once(self, key: tuple[str, Lens], make: Callable[[], Made]) -> Made:
        if key not in self._made:
            made = make()
            while len(self._made) >= _MOST_KEPT:
                del self._made[next(iter(self._made))]
            self._made[key] = made
        kept: Made = self._made[key]
        return kept

    @property
    def _document(self) -> Document:
        return self.taken.document

    @property
    def _compares(self) -> bool:
        return self.lens.is_differential and self.has_baseline

    def _difference_view(self, lens: Lens) -> View:
        return View(self._difference(lens), lens.options).condensed()

    def _listing_view(self, lens: Lens) -> View:
        return listing_view(self._difference(lens) if self._compares else self._document, lens.options)

    def _difference(self, lens: Lens) -> Document:
        """Made once for all lenses that have the same shares."""
        before = self.before
        if before is None:
            return self._document
        key = ("minus", Lens(is_relative_to_base=lens.is_relative_to_base))
        return self._once(
            key, lambda: minus(self._document, before.document, relative_to_base=lens.is_relative_to_base)
        )
