"""The first frame: the target's figures in plain text, on screen before Textual has been imported.

Attaching takes 10 ms, importing Textual 200 ms. Until the dashboard draws itself, its header and its MemStats stand
where they will be, without frames, colours or keys.
"""

from __future__ import annotations

import os
import sys
import threading

from memdash.model.snapshot import Snapshot, State
from memdash.plain import plain
from memdash.session import Session
from memdash.tables.headline import headline
from memdash.tables.memstats import memstats_table
from memdash.tables.table import Tone

__all__ = ["Opening"]

_PATIENCE_S = 0.15
"""How long to wait for a first sample before Textual is imported anyway."""

_SMALLEST = os.terminal_size((50, 10))
_ROWS_AT_MOST = 16
_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l\x1b[2J", "\x1b[?25h\x1b[?1049l"


class Opening:
    """A context around importing and running the dashboard, which draws over it.

    When that fails the terminal is as it was before; when it succeeds, restoring it is Textual's business. It writes to
    stderr, as Textual does.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._ready = threading.Event()
        self._shown = False
        session.subscribe(self._hear)

    def _hear(self, snapshot: Snapshot) -> None:
        if snapshot.state is not State.ATTACHING:
            self._ready.set()

    def __enter__(self) -> None:
        size = os.get_terminal_size(sys.stderr.fileno())
        if size.columns < _SMALLEST.columns or size.lines < _SMALLEST.lines or not self._ready.wait(_PATIENCE_S):
            return
        snapshot = self._session.snapshot()
        if snapshot.state is State.LIVE:
            sys.stderr.write(_ENTER + frame(snapshot, size))
            sys.stderr.flush()
            self._shown = True

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and self._shown:
            sys.stderr.write(_LEAVE)
            sys.stderr.flush()


def frame(snapshot: Snapshot, size: os.terminal_size) -> str:
    """Header and MemStats as text with the cursor movements that put them in place."""
    head = headline(snapshot)
    told = " · ".join(part for part in (head.runtime, head.source, head.uptime) if part)
    lines = [f"\x1b[1;2H{plain(f'{head.word}  {head.name}  {head.pid}  {told}')[: size.columns - 2]}"]
    rows = memstats_table(snapshot).rows[: min(_ROWS_AT_MOST, size.lines - 5)]
    for number, row in enumerate(rows, start=4):
        name, value = row.cells[:2]
        weight = "\x1b[1m" if value.tone is Tone.STRONG else ""
        lines.append(f"\x1b[{number};3H{plain(name.text):<14} {weight}{plain(value.text):>10}\x1b[m")
    return "".join(lines)
