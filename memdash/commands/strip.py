"""A watch in a few lines of the terminal, written anew each second; the last ones stay, and so do alerts above them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import ceil
from typing import TextIO

from memdash.commands.output import is_terminal
from memdash.commands.watching import ending_code, watched
from memdash.errors import UsageError
from memdash.exports.brief import cells, cut, few_lines
from memdash.model.finding import Finding
from memdash.model.snapshot import Snapshot
from memdash.plain import plain
from memdash.session import Session
from memdash.units import clock_time

__all__ = ["Strip", "terminal_of_ours", "watch_in_lines"]

_TO_THE_END = "\x1b[J"
_FALLBACK = os.terminal_size((80, 24))


def terminal_of_ours() -> TextIO:
    """Standard output, where it is a terminal. Raises UsageError."""
    if not is_terminal(sys.stdout):
        raise UsageError(
            "--inline needs a terminal, and stdout is none", "memdash log PID writes a line a sample, --once one screen"
        )
    return sys.stdout


def watch_in_lines(session: Session, out: TextIO) -> int:
    """Watch until the target ends, or somebody presses ctrl+c. Raises TargetError when it cannot be read."""
    strip = Strip(session, out)
    with _continued(strip):
        signalled = watched([session], None, strip.draw)
        strip.draw()
    return ending_code([session.snapshot()], None, signalled, "")


@contextmanager
def _continued(strip: Strip) -> Iterator[None]:
    """Within it the strip begins anew whenever memdash was stopped: by then a shell has written below it."""
    before = signal.signal(signal.SIGCONT, lambda *_: strip.leave())
    try:
        yield
    finally:
        signal.signal(signal.SIGCONT, before)


class Strip:
    """Draws what is known of a session over what it has drawn before. Alerts are written once, and stay.

    In the background it draws nothing: the terminal is the shell's.
    """

    def __init__(self, session: Session, out: TextIO) -> None:
        self._session = session
        self._out = out
        self._drawn: list[str] = []
        self._told: dict[str, float] = {}

    def leave(self) -> None:
        """Let what is drawn stay where it is; the next goes below whatever stands there by then."""
        self._drawn = []

    def draw(self) -> None:
        """Draw it anew."""
        if self._is_behind():
            self.leave()
            return
        width = self._width()
        snapshot = self._session.snapshot()
        new = [cut(line, width) for line in self._new(snapshot)]
        above = sum(ceil(cells(line) / width) or 1 for line in self._drawn)  # narrower now, a line may have wrapped
        back = f"\x1b[{above}A\r" if above else "\r"
        self._drawn = few_lines(snapshot, width)
        self._out.write(back + _TO_THE_END + "".join(f"{line}\n" for line in (*new, *self._drawn)))
        self._out.flush()

    def _is_behind(self) -> bool:
        try:
            return os.tcgetpgrp(self._out.fileno()) != os.getpgrp()
        except OSError:  # it is not the terminal that we were started from
            return False

    def _width(self) -> int:
        try:
            size = os.get_terminal_size(self._out.fileno())
        except OSError:
            size = _FALLBACK
        return max((size.columns or _FALLBACK.columns) - 1, 1)  # in the last cell some terminals wrap already

    def _new(self, snapshot: Snapshot) -> Iterable[str]:
        """Words for the alerts that were not there when it was drawn before, oldest first."""
        for finding in reversed(snapshot.alerts):
            if self._told.get(finding.rule) != finding.at_s:
                self._told[finding.rule] = finding.at_s
                yield plain(_words(finding))


def _words(finding: Finding) -> str:
    return f"{clock_time(finding.at_s)} {finding.severity.glyph} {finding.severity.word} {finding.summary}"
