"""The views of a profile, each a screen over all: what pprof shows, live.

Lives here: ``study`` (the profile that all views of one visit share, and how it is looked at), ``screen`` (what every
view is), and the views themselves: ``top`` (also what changed), ``list``.

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
    from memdash.ui.screens.profile.study import Study

__all__ = ["VIEWS", "view_of", "visit"]

VIEWS = {"top": "top.TopScreen", "list": "list.ListScreen"}
"""By the name of the view: its module here and its class."""


def visit(
    name: str,
    moment: Callable[[], Snapshot],
    *,
    is_differential: bool = False,
    subject: Frame | None = None,
    sources: SourcePath = USUAL_SOURCES,
) -> ProfileScreen[Any]:
    """The screen of a view, over what ``moment`` returns when the profile is taken.

    ``subject`` is the function that it is about, for views of one.
    """
    from memdash.session.profiles import profile_before, profile_of
    from memdash.ui.screens.profile.study import Lens, Study

    lens = Lens(is_differential=is_differential or moment().baseline.marked)
    study = Study(
        lambda: profile_of(moment()),
        lambda: profile_before(moment()),
        lens=lens,
        sources=sources,
        subject=subject,
    )
    return view_of(name, study)


def view_of(name: str, study: Study) -> ProfileScreen[Any]:
    """The screen of a view, over ``study``."""
    module, _, kind = VIEWS[name].partition(".")
    made: ProfileScreen[Any] = getattr(import_module(f"{__name__}.{module}"), kind)(study)
    return made
