"""The profile that the views of one visit share, and how it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from memdash.config import USUAL_SOURCES, SourcePath
from memdash.model.profile import Frame
from memdash.pprof.document import Document, ValueType
from memdash.pprof.filters import Filters
from memdash.pprof.listing import listing_view
from memdash.pprof.merge import minus
from memdash.pprof.source import SourceFinder
from memdash.pprof.taken import TakenProfile
from memdash.pprof.view import Options, View

__all__ = ["Lens", "Study"]


@dataclass(frozen=True, slots=True)
class Lens:
    """How a profile is looked at: which of its values (empty: its default), what of it, and against the baseline."""

    sample_type: str = ""
    filters: Filters = field(default_factory=Filters)
    is_differential: bool = False

    @property
    def options(self) -> Options:
        """The same as the views of ``pprof`` take it."""
        return Options(sample_type=self.sample_type, filters=self.filters)


class Study:
    """Takes a profile, and that of the baseline, when they are first needed, and makes views of them.

    Each view is made once a lens. Used by one thread at a time: all of it takes long. ``subject`` is the function that
    the visit is about, for views of one function: as far as it is known, None for the heaviest.
    """

    def __init__(
        self,
        take: Callable[[], TakenProfile],
        take_before: Callable[[], TakenProfile] | None = None,
        *,
        lens: Lens = Lens(),
        title: str = "",
        sources: SourcePath = USUAL_SOURCES,
        subject: Frame | None = None,
    ) -> None:
        """``take_before`` is None where there is no baseline. Both may raise MemdashError whenever they are called."""
        self.lens = lens
        self.title = title
        self.subject = subject
        self._sources = sources
        self._finder: SourceFinder | None = None
        self._take = take
        self._take_before = take_before
        self._taken: TakenProfile | None = None
        self._before: TakenProfile | None = None
        self._views: dict[object, View] = {}

    @property
    def has_baseline(self) -> bool:
        """Whether there is anything to compare with."""
        return self._take_before is not None

    @property
    def taken(self) -> TakenProfile:
        """The profile. Raises what taking it raises."""
        if self._taken is None:
            self._taken = self._take()
        return self._taken

    @property
    def before(self) -> TakenProfile | None:
        """That of the baseline; None where there is none. Raises what taking it raises."""
        if self._before is None and self._take_before is not None:
            self._before = self._take_before()
        return self._before

    @property
    def finder(self) -> SourceFinder:
        """Source files of the profile. Raises what taking it raises."""
        if self._finder is None:
            self._finder = SourceFinder.of(self._sources, self.taken.files)
        return self._finder

    def renew(self) -> None:
        """Take the newest profile from now on."""
        self._taken = self._finder = None
        self._views.clear()

    @property
    def sample_types(self) -> tuple[ValueType, ...]:
        """What values it has. Raises what taking it raises."""
        return self.taken.document.sample_types

    def view(self) -> View:
        """The profile through the lens; the difference to the baseline through a differential one.

        Raises UsageError when there is nothing of that kind in it, and what taking it raises.
        """
        return self._kept("view", self._view)

    def view_of_lines(self) -> View:
        """The same line by line, as listings want it."""
        return self._kept("lines", lambda: listing_view(self._difference() or self.taken.document, self.lens.options))

    def view_before(self) -> View | None:
        """The baseline's profile through the same lens; None where there is none or the lens is not differential."""
        before = self.before if self.lens.is_differential else None
        return None if before is None else self._kept("before", lambda: View(before.document, self.lens.options))

    def view_now(self) -> View:
        """The profile itself, through a differential lens too."""
        return self._kept("now", lambda: View(self.taken.document, self.lens.options))

    def _view(self) -> View:
        difference = self._difference()
        return self.view_now() if difference is None else View(difference, self.lens.options)

    def _difference(self) -> Document | None:
        before = self.before if self.lens.is_differential else None
        return None if before is None else minus(self.taken.document, before.document, relative_to_base=True)

    def _kept(self, name: str, make: Callable[[], View]) -> View:
        key = (name, self.lens)
        if key not in self._views:
            self._views[key] = make()
        return self._views[key]
