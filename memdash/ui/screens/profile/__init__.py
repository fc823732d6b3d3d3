"""The views of a profile, each a screen over all: what pprof shows, live.

Lives here: ``study`` (the profile that all views of one visit share, and how it is looked at), ``looking`` (the keys
for that), ``screen`` (what every view is), ``rows`` (what views that are tables share), ``filters`` (where focus,
ignore, hide and show are typed), and the views themselves: ``top`` (also what changed), ``tree``, ``peek``, ``list``,
``flame``.

To add a view:

1. Write a ``ProfileScreen`` in a module here: ``build`` makes the view, on a thread, from a function of
   ``memdash.pprof``; ``present`` shows it.
2. Name it in ``VIEWS``, and give it a key: a ``Command`` of ``ui.commands`` for the dashboard, and one for the scope
   PROFILE, with ``profile('name')``. From any view the others are one key away.

Nothing here is imported before a view is first opened.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from memdash.config import USUAL_SOURCES, SourcePath
from memdash.model.profile import Frame
from memdash.model.snapshot import Snapshot

if TYPE_CHECKING:
    from memdash.ui.screens.profile.screen import ProfileScreen
    from memdash.ui.screens.profile.study import Moment, Study

__all__ = ["VIEWS", "moment_of", "view_of", "visit"]

VIEWS = {
    "top": "top.TopScreen",
    "tree": "tree.TreeScreen",
    "peek": "peek.PeekScreen",
    "list": "list.ListScreen",
    "flame": "flame.FlameScreen",
}
"""By the name of the view: its module here and its class."""


def visit(
    name: str,
    moment: Callable[[], Snapshot],
    *,
    is_differential: bool = False,
    subject: Frame | None = None,
    sources: SourcePath = USUAL_SOURCES,
) -> ProfileScreen[Any]:
    """The screen of a view, over what ``moment`` returns now, and again whenever the newest profile is wanted.

    ``subject`` is the function that it is about, or opens at; ``sources`` say where its source may be.
    """
    from memdash.ui.header import standing
    from memdash.ui.screens.profile.study import Lens, Study

    def stands() -> str:
        snapshot = moment()
        stand = standing(snapshot, now_s=snapshot.at.wall_s, frozen=False)
        return "" if stand.is_live else stand.word

    lens = Lens(is_differential=is_differential or moment().baseline.marked)
    study = Study(
        lambda: moment_of(moment()),
        lens,
        subject=subject,
        sources=sources,
        standing=stands,
        is_over=lambda: moment().ending is not None,
    )
    return view_of(name, study)


def moment_of(snapshot: Snapshot) -> Moment:
    """The profile of one moment, not yet taken, and that of its baseline."""
    from memdash.session.profiles import (
        facts_of,
        is_first_reading,
        profile_before,
        profile_name,
        profile_of,
        profiled,
        read_at,
    )
    from memdash.tables.since import since_words
    from memdash.ui.screens.profile.study import Moment
    from memdash.units import clock_time

    target = snapshot.target
    return Moment(
        lambda: profile_of(snapshot),
        lambda: profile_before(snapshot),
        title=f"{target.name} {target.pid}" if target.is_local else target.name,
        at=f"at {clock_time(read_at(snapshot).wall_s)}",
        since=since_words(snapshot, profiled(snapshot)) or "since the attach",
        is_first=is_first_reading(snapshot),
        file_name=profile_name(snapshot),
        made_of=facts_of(snapshot),
    )


def view_of(name: str, study: Study) -> ProfileScreen[Any]:
    """The screen of a view, over ``study``."""
    module, _, kind = VIEWS[name].partition(".")
    made: ProfileScreen[Any] = getattr(import_module(f"{__name__}.{module}"), kind)(study)
    return made
