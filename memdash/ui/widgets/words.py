"""Lines of words: one that never scrolls, and a text that does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual import events
from textual.binding import BindingType
from textual.strip import Strip

from memdash.ui.command import ROWS
from memdash.ui.commands import EDGES, bindings
from memdash.ui.widgets.paint import Line, Painted

__all__ = ["Part", "TextView", "WordLine"]


class Part(NamedTuple):
    """A run of words in one look of the palette."""

    text: str
    look: str = "plain"


def _written(line: Line, parts: Sequence[Part], room: int) -> Line:
    for part in parts:
        line.words(part.text, part.look, room=room - line.width)
    return line


class WordLine(Painted):
    """Parts from the left, parts at the right end; what does not fit is cut from the left ones."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's own parameter name
        super().__init__(id=id)
        self._left: Sequence[Part] = ()
        self._right: Sequence[Part] = ()

    def say(self, left: Sequence[Part], right: Sequence[Part] = ()) -> None:
        """Show these parts; paints only if they differ from what stands there."""
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The only line."""
        del y
        width = self.inner.width
        tail = _written(self.line(), self._right, width)
        line = _written(self.line(), self._left, width - tail.width)
        line.space(width - tail.width - line.width)
        line.extend(tail)
        return line.strip(width)


class TextView(Painted, can_focus=True):
    """A text of lines that scrolls by keys and wheel."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(ROWS), *EDGES]

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's own parameter name
        super().__init__(id=id)
        self._lines: Sequence[Sequence[Part]] = ()
        self._top = 0

    def show_lines(self, lines: Sequence[Sequence[Part]], *, stay: bool = False) -> None:
        """Show ``lines``; from the top if there were others before, unless it is to ``stay`` where it is."""
        if lines != self._lines:
            self._lines = lines
            self._top = min(self._top, max(len(lines) - self.inner.height, 0)) if stay else 0
            self.refresh()

    def scroll_by(self, lines: int) -> None:
        """Move the text up by ``lines``, within its ends."""
        top = max(min(self._top + lines, len(self._lines) - self.inner.height), 0)
        if top != self._top:
            self._top = top
            self.refresh()

    def action_step(self, by: int) -> None:
        """Scroll by lines."""
        self.scroll_by(by)

    def action_page(self, by: int) -> None:
        """Scroll by screenfuls."""
        self.scroll_by(by * max(self.inner.height - 1, 1))

    def action_edge(self, end: int) -> None:
        """Scroll to the start (0) or the end (1)."""
        self.scroll_by(len(self._lines) if end else -len(self._lines))

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll_by(3)

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll_by(-3)

    def render_line(self, y: int) -> Strip:
        """One line of the text."""
        line, width = self.line(), self.inner.width
        if self._top + y < len(self._lines):
            _written(line, self._lines[self._top + y], width)
        return line.strip(width)
