"""The regions of the dashboard, one file each.

Lives here: ``memstats``, ``heap``, ``gc``, ``sites``, ``tasks`` and ``alerts``; what all of them are, ``pane``, and
those whose rows are sorted, ``sorted``. ``ranking`` is what the sites pane can show, as ``site_ranking`` or as
``object_ranking``.

To add a pane:

1. Write ``panes/<name>.py`` with a ``Pane``. Most are a table: subclass ``TablePane``, give it a ``key``, a ``title``
   and the ``capability`` it lives on, and let ``build`` return a ``Table`` that a module in ``memdash.tables`` makes
   from the snapshot. When there is nothing to show, ``Table.empty`` says why and what helps.
2. Name it in ``PANES``. The order is that of the screen, of ``tab`` and of the keys 1 to 9. On small screens those that
   are ``tabbed``, and named in ``TABS``, share the lower half. ``memdash.tcss`` gives it room; else it gets a cell.

A pane that a target may have nothing for says so by ``wants_room``: the dashboard then has the class ``-no-<key>``, for
the style sheet to give its room to others, and its tab and number go to the next. One whose rows are sorted is a
``SortedPane``.

Panes know what to show, not when: the dashboard calls ``show`` at most twice a second, and only for what is in view.
"""

from __future__ import annotations

from memdash.ui.panes.alerts import AlertsPane
from memdash.ui.panes.gc import GcPane
from memdash.ui.panes.heap import HeapPane
from memdash.ui.panes.memstats import AllMemStatsPane, MemStatsPane
from memdash.ui.panes.pane import Pane
from memdash.ui.panes.sites import SitesPane
from memdash.ui.panes.tasks import TasksPane

__all__ = ["PANES", "TABS"]

PANES: tuple[type[Pane], ...] = (MemStatsPane, HeapPane, GcPane, SitesPane, TasksPane, AlertsPane)
TABS: tuple[type[Pane], ...] = (SitesPane, TasksPane, GcPane, AlertsPane, AllMemStatsPane)
"""Those that are ``tabbed``, in the order of their tabs."""
