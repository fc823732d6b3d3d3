"""All about one figure of the memory or of the collector."""

from __future__ import annotations

from textwrap import wrap
from typing import ClassVar

from memdash.model.metric import METRICS_BY_KEY
from memdash.model.snapshot import Snapshot
from memdash.tables.row_metric import metric_course, metric_figures, metric_paragraphs
from memdash.ui.screens.drill.screen import DrillScreen
from memdash.ui.screens.drill.section import Look, Section
from memdash.ui.watched import Watched
from memdash.ui.widgets.words import Part

__all__ = ["MetricScreen"]


class MetricScreen(DrillScreen):
    """What it is now, its extremes, its course, and what it means."""

    titles: ClassVar[tuple[str, ...]] = ("What it is",)
    has_source = False

    def __init__(self, watched: Watched, key: str) -> None:
        super().__init__(watched)
        self._key = key

    def rows(self, snapshot: Snapshot) -> object:
        """The sample: each brings another value."""
        return snapshot.sample

    def look(self, snapshot: Snapshot, width: int) -> Look:
        """The figure as it stands."""
        texts = metric_paragraphs(self._key, snapshot)
        lines = [line for text in texts for line in wrap(text, max(width, 20))]
        return Look(
            kind="One figure",
            heading=((METRICS_BY_KEY[self._key].label, "strong"),),
            figures=metric_figures(self._key, snapshot),
            course=metric_course(self._key, snapshot),
            sections=(Section([[Part(line)] for line in lines]),),
        )
