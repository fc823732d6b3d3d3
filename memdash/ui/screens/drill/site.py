"""All about an allocation site."""

from __future__ import annotations

from typing import ClassVar

from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.profile import Frame, Profile
from memdash.model.snapshot import SiteGroup, Snapshot
from memdash.tables.row_site import held_by_line
from memdash.tables.since import since_words
from memdash.tables.table import DASH
from memdash.ui.screens.drill.course import course_of
from memdash.ui.screens.drill.figures import Figure
from memdash.ui.screens.drill.screen import DrillScreen
from memdash.ui.screens.drill.section import Look, Section
from memdash.ui.screens.drill.stacks import caller_lines, stacks_lines, stacks_of
from memdash.ui.watched import Watched
from memdash.ui.widgets.words import Part
from memdash.units import Unit, byte_size, count, ratio, signed

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
            # site.leaf in short: there may be 50 000 of them
            own = [site for site in profile.sites if site.stack and site.stack[site.leaf_at] == frame]
            found = stacks_of(own)
            callers, stacks, calls = caller_lines(own, width), stacks_lines(found, frame, width), len(found)
        return Look(
            kind="Allocation site",
            heading=((frame.function, "strong"), (frame.where(), "faint"))
            if frame.function
            else ((frame.where(), "strong"),),
            figures=() if group is None else _figures(group, snapshot, groups),
            course=course_of(snapshot, Capability.SITES, frame, Unit.BYTES),
            sections=(
                Section("Callers", callers, "what is held through each"),
                Section("Stacks", stacks, f"{count(calls)} in all"),
            ),
            gone="this site is no longer in the profile" if group is None else "",
            frame=frame,
            held=held_by_line(snapshot, frame.file),
            held_title="inuse",
        )


def _figures(group: SiteGroup, snapshot: Snapshot, groups: tuple[SiteGroup, ...]) -> tuple[Figure, ...]:
    usage, change = group.usage, group.change
    total = sum(other.usage.inuse_bytes for other in groups) or 1
    since = since_words(snapshot, Capability.SITES)
    look = "grows" if change.inuse_bytes > 0 else "shrinks" if change.inuse_bytes < 0 else "faint"
    held = Figure(
        "holds now",
        byte_size(usage.inuse_bytes),
        count(usage.inuse_objects),
        f"objects, {ratio(usage.inuse_bytes / total)} of all sites",
        look="strong",
    )
    changed = Figure(
        "change", signed(change.inuse_bytes, Unit.BYTES), signed(change.inuse_objects, Unit.COUNT), since, look=look
    )
    each = Figure("each", byte_size(usage.inuse_bytes / usage.inuse_objects)) if usage.inuse_objects else None
    return (held, changed, *([each] if each else []), *_asked(group, snapshot, since))


def _asked(group: SiteGroup, snapshot: Snapshot, since: str) -> tuple[Figure, ...]:
    usage, change, profile = group.usage, group.change, snapshot.sample.sites
    if isinstance(profile, Profile) and profile.no_alloc is not None:
        return (Figure("allocated", DASH, "", profile.no_alloc.why),)
    size, objects = signed(change.alloc_bytes, Unit.BYTES), signed(change.alloc_objects, Unit.COUNT)
    return (
        Figure("allocated", byte_size(usage.alloc_bytes), count(usage.alloc_objects), "objects"),
        Figure("", size, objects, since, look="faint"),
    )
