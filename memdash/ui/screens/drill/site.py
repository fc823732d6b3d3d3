"""All about an allocation site."""

from __future__ import annotations

from typing import ClassVar

from memdash.analysis.sites import sites_at
from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.profile import Frame
from memdash.model.snapshot import Snapshot
from memdash.tables.row_course import course_of
from memdash.tables.row_site import held_by_line, site_callers, site_figures, site_stacks
from memdash.ui.screens.drill.screen import DrillScreen
from memdash.ui.screens.drill.section import Look, Section
from memdash.ui.screens.drill.stacks import caller_lines, stacks_lines
from memdash.ui.watched import Watched
from memdash.ui.widgets.words import Part
from memdash.units import Unit, count

__all__ = ["SiteScreen"]


class SiteScreen(DrillScreen):
    """What it holds, how that changed, who calls it, and all its stacks."""

    titles: ClassVar[tuple[str, ...]] = ("Callers", "Stacks")

    def __init__(self, watched: Watched, frame: Frame) -> None:
        super().__init__(watched)
        self._frame = frame

    def rows(self, snapshot: Snapshot) -> object:
        """The sites."""
        return snapshot.groups

    def look(self, snapshot: Snapshot, width: int) -> Look:
        """The site as it stands."""
        frame, profile = self._frame, snapshot.sample.sites
        groups = () if isinstance(snapshot.groups, Missing) else snapshot.groups
        group = next((group for group in groups if group.frame == frame), None)
        if isinstance(profile, Missing):
            callers = stacks = [[Part(profile.why, "faint")]]
            calls = 0
        else:
            own = sites_at(profile, frame)
            found = site_stacks(own)
            callers, stacks = caller_lines(site_callers(own), width), stacks_lines(found, frame, width)
            calls = found.total
        return Look(
            kind="Allocation site",
            heading=((frame.function, "strong"), (frame.where(), "faint"))
            if frame.function
            else ((frame.where(), "strong"),),
            figures=() if group is None else site_figures(group, snapshot),
            course=course_of(snapshot, Capability.SITES, frame, Unit.BYTES),
            sections=(
                Section(callers, "what is held through each"),
                Section(stacks, f"{count(calls)} in all"),
            ),
            gone="this site is no longer in the profile" if group is None else "",
            frame=frame,
            held=held_by_line(snapshot, frame.file),
            held_title="inuse",
        )
