"""The lens that all views of a profile are looked at through, and the keys that change it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from textual.screen import Screen

from memdash.pprof.filters import Filters
from memdash.tables.sites import Measure
from memdash.ui.screens.profile.study import Lens, Study

__all__ = ["Looking"]


class Looking(Screen[None]):
    """What a view has of it. Subclasses say how it is shown otherwise."""

    def __init__(self, study: Study) -> None:
        super().__init__()
        self.study = study

    def rebuild(self) -> None:
        """Show the profile through the lens as it now is."""
        raise NotImplementedError

    def action_in_use(self) -> None:
        """Between inuse and alloc."""
        self._switch(lambda measure: measure.other_time)

    def action_objects(self) -> None:
        """Between bytes and objects."""
        self._switch(lambda measure: measure.other_unit)

    def _switch(self, other: Callable[[Measure], Measure]) -> None:
        kinds = self.study.sample_types
        if not kinds:
            return
        wanted = next((other(measure).label for measure in Measure if measure.label == self.study.sample_type), "")
        if wanted not in kinds:
            self.notify(f"this profile has no {wanted or 'other values'}", severity="warning", markup=False)
            return
        self.look_through(replace(self.study.lens, sample_type=wanted))

    def look_through(self, lens: Lens) -> None:
        """Show the profile otherwise."""
        self.study.lens = lens
        self.rebuild()

    def action_compare(self) -> None:
        """Between the profile as it is and what has changed in it."""
        if not self.study.moment.has_baseline:
            self.notify("there is no baseline to compare with", severity="warning", markup=False)
            return
        self.look_through(replace(self.study.lens, is_differential=not self.study.lens.is_differential))

    def action_shares(self) -> None:
        """Between shares of what the baseline held and of all that changed."""
        lens = self.study.lens
        if not lens.is_differential:
            self.notify("shares are of all that is held; c shows the difference first", markup=False)
            return
        self.look_through(replace(lens, is_relative_to_base=not lens.is_relative_to_base))

    def action_whole(self) -> None:
        """Between what is worth showing and all that there is."""
        self.look_through(replace(self.study.lens, is_whole=not self.study.lens.is_whole))

    def action_filters(self) -> None:
        """Choose what of the profile is shown, in all views."""
        from memdash.ui.screens.profile.filters import FiltersScreen

        self.app.push_screen(FiltersScreen(self.study.lens.filters), self._filter_by)

    def _filter_by(self, filters: Filters | None) -> None:
        if filters is not None:
            self.look_through(replace(self.study.lens, filters=filters))
