"""The local processes, to choose one from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input
from textual.worker import get_current_worker

from memdash.tables.processes import is_wanted, processes_table
from memdash.ui.widgets.table import TableView
from memdash.ui.widgets.words import Part, WordLine
from memdash.units import count

if TYPE_CHECKING:
    from memdash.probes.survey import Surveyed

__all__ = ["Picker"]

_SHOW_EVERY = 40
"""Processes after which the list is shown while it still grows."""


class Picker(Screen[None]):
    """A table that fills while processes are looked at; typing filters, enter ends the app with the chosen target.

    ``candidates`` is called in a thread, at the start and again when asked to look anew.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", show=False),
        Binding("down", "step(1)", show=False, priority=True),
        Binding("up", "step(-1)", show=False, priority=True),
        Binding("pagedown", "page(1)", show=False, priority=True),
        Binding("pageup", "page(-1)", show=False, priority=True),
        Binding("f5,ctrl+r", "look", show=False),
    ]
    AUTO_FOCUS = "#wanted"

    @dataclass
    class Found(Message):
        """Processes found so far, tree by tree, largest first."""

        processes: tuple[Surveyed, ...]
        done: bool

        def can_replace(self, message: Message) -> bool:
            """Stand in for an older list still waiting."""
            return isinstance(message, Picker.Found)

    def __init__(self, candidates: Callable[[], Iterable[Surveyed]]) -> None:
        super().__init__()
        self._candidates = candidates
        self._found: tuple[Surveyed, ...] = ()
        self._done = False
        self._rows = TableView(id="processes")
        self._rows.keeps_cursor = True
        self._head = WordLine(id="head")
        self._wanted = Input(placeholder="type to filter by name, pid, runtime or argument", id="wanted", compact=True)

    def compose(self) -> ComposeResult:
        """What to do, the filter, the table."""
        self._wanted.cursor_blink = False
        self._rows.entitle("Choose a process to watch", "↑ ↓ move · enter watch · f5 look again · ctrl+q quit")
        yield self._head
        yield self._wanted
        yield self._rows

    def on_mount(self) -> None:
        """Look for processes."""
        self.action_look()

    @work(thread=True, exclusive=True, group="look")
    def action_look(self) -> None:
        """List the processes anew, in a thread; what is found shows while the search goes on."""
        worker = get_current_worker()
        found: list[Surveyed] = []
        for candidate in self._candidates():
            if worker.is_cancelled:
                return
            found.append(candidate)
            if len(found) % _SHOW_EVERY == 0:
                self.post_message(self.Found(tuple(found), done=False))
        self.post_message(self.Found(tuple(found), done=True))

    @on(Found)
    def _take(self, found: Picker.Found) -> None:
        self._found, self._done = found.processes, found.done
        self._show()

    @on(Input.Changed)
    def _show(self) -> None:
        """Show those that are wanted."""
        table = processes_table(p for p in self._found if is_wanted(p, self._wanted.value))
        words = f"no process has {self._wanted.value!r} in its name, pid, runtime or arguments; esc shows all"
        self._rows.show_table(replace(table, empty=words if self._done else "looking at processes"))
        number = (
            f"{count(len(table.rows))} of {count(len(self._found))} processes{'' if self._done else ', still looking'}"
        )
        self._head.say(
            [Part(" memdash", "strong"), Part("  the memory of one process, live", "faint")], [Part(number, "faint")]
        )

    @on(Input.Submitted)
    def _choose(self) -> None:
        self._rows.action_choose()

    @on(TableView.Chosen)
    def _chosen(self, chosen: TableView.Chosen) -> None:
        self.app.exit(next(p.target for p in self._found if str(p.target.pid) == chosen.row.key))

    def action_clear(self) -> None:
        """Show all again. It never quits."""
        self._wanted.value = ""

    def action_step(self, by: int) -> None:
        """Move by rows."""
        self._rows.step(by)

    def action_page(self, by: int) -> None:
        """Move by screenfuls."""
        self._rows.action_page(by)
