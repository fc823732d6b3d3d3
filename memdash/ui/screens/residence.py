"""Where RSS comes from, step by step, and the largest mappings below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from memdash.model.missing import Missing
from memdash.model.snapshot import Snapshot
from memdash.tables.residence import TITLE, age_words, mapping_words, mappings_table, residence_table, step_paragraphs
from memdash.ui.screens.detail import TextScreen
from memdash.ui.widgets.table import TableView
from memdash.ui.widgets.words import Part, TextView
from memdash.units import byte_size

__all__ = ["ResidenceScreen"]

_LOOK_EVERY_S = 1.0
_FRAME_LINES = 2
_WORD_LINES, _FEW_WORD_LINES = 4, 3
_LARGE = 32
_LEAST_BELOW = 6
"""Lines that the mappings need to stand below the steps; on a smaller screen the two take turns."""


class ResidenceScreen(Screen[None]):
    """Follows the moment that ``moment`` returns; tab goes to the mappings and back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,M", "dismiss", show=False),
        Binding("tab,shift+tab,l,h", "other", show=False),
    ]
    AUTO_FOCUS = "#steps"

    def __init__(self, moment: Callable[[], Snapshot]) -> None:
        super().__init__()
        self._moment = moment
        self._shown = moment()
        self._steps = TableView(id="steps", header=False)
        self._words = TextView(id="words")
        self._words.can_focus = False
        self._mappings = TableView(id="mappings")

    def compose(self) -> ComposeResult:
        """The steps, what there is to say of the one under the cursor, the mappings."""
        yield self._steps
        yield self._words
        yield self._mappings

    def on_mount(self) -> None:
        """Follow along."""
        self.set_interval(_LOOK_EVERY_S, self._look)
        self._look()

    def on_resize(self, event: events.Resize) -> None:
        """Arrange anew what stands below what."""
        del event
        self._arrange()
        self.call_after_refresh(self._look)

    def _arrange(self) -> None:
        lines, words = len(self._steps.table.rows) + _FRAME_LINES, self._word_lines
        self._steps.styles.height = max(min(lines, self.size.height - words), _FRAME_LINES + 1)
        self._words.styles.height = words
        self.set_class(self.size.height - lines - words < _LEAST_BELOW, "-turns")

    @property
    def _word_lines(self) -> int:
        return _WORD_LINES if self.size.height >= _LARGE else _FEW_WORD_LINES

    def action_other(self) -> None:
        """Go from the steps to the mappings, or back."""
        to_mappings = self.focused is self._steps
        self.set_class(to_mappings, "-mappings")
        (self._mappings if to_mappings else self._steps).focus()
        self.call_after_refresh(self._look)

    def _look(self) -> None:
        self._shown = snapshot = self._moment()
        residence = snapshot.residence
        self._steps.show_table(residence_table(snapshot))
        self._mappings.show_table(mappings_table(snapshot))
        self._arrange()
        rss = "" if isinstance(residence, Missing) else f" · {byte_size(residence.rss_bytes)}"
        remarks = filter(None, (age_words(snapshot), "tab mappings", "esc back"))
        self._steps.entitle(f"{TITLE}{rss}", " · ".join(remarks))
        self._mappings.entitle(self._mappings.table.title, "tab steps · esc back")
        self._explain()

    @on(TableView.Chosen, "#mappings")
    def _open(self, chosen: TableView.Chosen) -> None:
        self.app.push_screen(TextScreen("Mapping", mapping_words(self._shown, chosen.row.key)))

    @on(TableView.Moved, "#steps")
    def _explain(self) -> None:
        row = self._steps.row
        what, lowers = step_paragraphs(self._shown, row.key) if row is not None else ("", "")
        width = max(self.size.width - 4, 20)
        lines: list[Sequence[Part]] = [[Part(line)] for line in wrap(what, width)]
        lines += [[Part(line, "faint")] for line in wrap(lowers, width)]
        self._words.show_lines(lines[: self._word_lines])
