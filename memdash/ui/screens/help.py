"""Every figure, key and state in words."""

from __future__ import annotations

from itertools import groupby
from textwrap import wrap
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input

from memdash.model.metric import METRICS, Kind
from memdash.ui.commands import COMMANDS
from memdash.ui.widgets.words import Part, TextView

__all__ = ["HelpScreen", "words_of_pane"]

_NAME_CELLS = 18
_STATES = (
    ("attaching", "the target is being looked into; nothing is shown before it is sure"),
    ("live", "the newest sample is on the screen"),
    ("paused", "a person froze the view; collection goes on, and nothing is lost"),
    ("rewound", "a moment of the past is shown, everywhere at once, while the watch goes on; end leads back"),
    ("replay", "a recording is shown, and nothing can be done to its target any more"),
    ("stale", "no sample has come for a while: reading takes longer than it should, as on a busy machine"),
    ("late", "one source fails or lags, its figures are greyed and say how old they are; the rest is live"),
    ("ended", "the target is gone; how is said in words, and everything stays to be looked through"),
    ("replaced", "the pid now runs another program; the view never changes over on its own"),
    (
        "cannot be read",
        "the kernel refuses, or there is nothing known to read; the reason and a way out stand beside it",
    ),
    ("–", "a figure that could not be had; enter on its row says why"),
)
_PANES = (
    ("cost", "CPU time that memdash itself took in the last seconds; 100 % is one core"),
    ("rate", "collections per minute, over the last minute; an arrow says which way a figure of the collector goes"),
    ("alloc rate", "what is allocated a second, over the last ten"),
    ("gc-at", "with --gc-at: at which share of the memory limit memdash forces a collection, and what is in use now"),
    ("last", "how long ago the last collection finished"),
    ("next target", "the heap size at which the next collection should finish: NextGC"),
    ("to next GC", "how far the heap has come from what was live to the next target"),
    ("pause total", "time the world was stopped for collections, in all"),
    ("last cycle", "how long the last collection took, and how much of that it marked beside the program"),
    ("GC CPU", "share of the program's CPU time that collections took since it started, and of late"),
    ("GOGC · limit", "GOGC, by how many percent the live heap may grow until a collection, and GOMEMLIMIT"),
    ("gen", "a generation of CPython's collector: how often it ran, and the count that starts it at its threshold"),
    ("phase", "what the collector does now"),
    ("pauses", "stop-the-world times of the last collections, the newest at the right"),
    ("live heap", "the last minute of what collections found reachable"),
    ("inuse, alloc", "what a site holds now, or ever asked for, estimated from the runtime's samples; i and o switch"),
    ("%", "share of all sites together"),
    ("objects", "how many objects a site holds now, or ever asked for; or how many of a type there are"),
    ("type", "of live objects, counted from outside where a program has no allocation sites; small objects only"),
    ("beside them", "small blocks of memory that are no objects: tables of dicts, arrays of lists, buffers"),
    ("trend", "what a site held in the newest sixty readings"),
    ("flat, cum", "of a function: what it holds itself, and with all it calls"),
    ("flat%, cum%", "their shares, as go tool pprof has them, of all that is held, was at the baseline, or changed"),
    ("sum%", "the shares of this row and of all above it together"),
    ("held, own", "in the tree of calls: what is held through this call, and what of it by the function itself"),
    ("course", "what the largest rows held since the attach: the longer the watch the coarser, but no peak is lost"),
    ("callers", "who called where a site's memory was asked for, and what is held through each of them"),
    ("function, where", "the line of the program that asked for the memory; of a task, where in the program it stands"),
    ("state", "what a task does: runs, waits in a system call, holds Python's global lock (GIL) or wants it"),
    ("waiting", "for how long a task has at least not run; of several, the one that has waited longest"),
)
_MARKS = (
    ("width of a box", "in the flame graph: what it holds with all it calls; compared, the larger of now and then"),
    ("▲ ▼ =", "in the flame graph: grew, shrank, is as it was; the more of all that is, the stronger the colour"),
    ("┊", "in the flame graph: boxes narrower than a cell; enter gives them the full width, or a look inside"),
    ("◆", "in the flame graph: a frame that contains what is looked for"),
    ("▲ CRIT", "a critical finding"),
    ("● WARN", "a warning"),
    ("for, was", "of an alert: how long it has held, or held, in all; worst is how bad it was meanwhile"),
    ("seen, muted", "of an alert: a person has seen it (a), or its rule does not count (x, z)"),
    ("· INFO", "something that happened"),
    ("✓ OK", "something that turned out well"),
    ("┊", "a collection ended here"),
    ("◆", "on the axis of the chart, and in the line of time: a moment that somebody has marked"),
    ("█ ━", "in the line of time: the moment on the screen, and what the chart shows"),
    ("▸ ▾", "a branch that is closed, or open"),
    ("new, gone", "of a function: it held nothing at the baseline, or holds nothing now"),
    ("Δ/s", "change per second over the last ten seconds"),
    ("Δ bytes, objects", "change of a type's objects since the attach, or since the moment marked with b"),
    ("Δ baseline", "change since the attach, or since the moment marked with b"),
    ("Δ ▲", "of tasks: so many more than then; 0 while whatever began them has as many as then, wherever they stand"),
)


class HelpScreen(Screen[None]):
    """A text to scroll and to filter."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "leave", show=False),
        Binding("slash", "focus_filter", show=False),
    ]
    AUTO_FOCUS = "#text"

    def __init__(self) -> None:
        super().__init__()
        self._wanted = ""
        self._text = TextView(id="text")
        self._filter = Input(placeholder="/ to filter", id="filter", compact=True)

    def compose(self) -> ComposeResult:
        """The text, and the filter below."""
        self._filter.cursor_blink = False
        yield self._text
        yield self._filter

    def on_resize(self, event: events.Resize) -> None:
        """Wrap anew."""
        self._text.entitle("Help", "/ filter · j k scroll · esc back")
        self._write(event.size.width - 4)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Keep the entries that contain the text."""
        self._wanted = event.value
        self._write(self.size.width - 4)

    def on_input_submitted(self) -> None:
        """Back to the text."""
        self._text.focus()

    def action_focus_filter(self) -> None:
        """Type into the filter."""
        self._filter.focus()

    def action_leave(self) -> None:
        """Out of the filter first, then out of help."""
        if self._filter.has_focus:
            self._filter.value = ""
            self._text.focus()
        else:
            self.dismiss()

    def _write(self, width: int) -> None:
        self._text.show_lines(help_lines(self._wanted, width))


def _entries() -> list[tuple[str, str, str]]:
    """(section, name, words) of everything that help explains."""
    figures = [
        ("Figures", m.label, m.explanation + (" Only grows; see its change." if m.kind is Kind.COUNTER else ""))
        for m in METRICS
    ]
    groups = list(dict.fromkeys(c.group for c in COMMANDS))
    keys = [(f"Keys: {c.group}", c.shown, c.help) for c in sorted(COMMANDS, key=lambda c: groups.index(c.group))]
    panes = [("Figures of the panes", name, words) for name, words in _PANES]
    states = [("States", name, words) for name, words in _STATES]
    marks = [("Signs", name, words) for name, words in _MARKS]
    return [*keys, *panes, *figures, *marks, *states]


def words_of_pane(name: str) -> str:
    """What help says of a figure of a pane, all generations by one entry; empty where it has none."""
    return dict(_PANES).get("gen" if name.startswith("gen ") else name, "")


def help_lines(wanted: str, width: int) -> list[list[Part]]:
    """The help text in lines of at most ``width`` cells; with ``wanted``, only the entries that contain it."""
    needle = wanted.casefold()
    kept = [entry for entry in _entries() if needle in " ".join(entry).casefold()]
    lines: list[list[Part]] = []
    for section, entries in groupby(kept, key=lambda entry: entry[0]):
        lines += [[], [Part(section, "title")]] if lines else [[Part(section, "title")]]
        for _, name, words in entries:
            wrapped = wrap(words, max(width - _NAME_CELLS - 2, 20))
            lines.append([Part(f"  {name:<{_NAME_CELLS}}", "strong"), Part(wrapped[0])])
            lines += [[Part(" " * (_NAME_CELLS + 2) + more)] for more in wrapped[1:]]
    return lines or [[Part(f"nothing in help contains {wanted!r}", "faint")]]
