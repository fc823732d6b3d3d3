"""Signals as exceptions, so that the terminal is restored and what we started is ended on the way out."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

__all__ = ["Signalled", "signals_raised"]


class Signalled(SystemExit):
    """A signal asked us to end. As a SystemExit it leaves an event loop at once and needs no other handler."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.number = number


def _raise(number: int, _frame: FrameType | None) -> NoReturn:
    raise Signalled(number)


@contextmanager
def signals_raised() -> Iterator[None]:
    """Within it SIGINT, SIGTERM and SIGHUP raise Signalled in the main thread.

    SIGINT too: an event loop would turn its KeyboardInterrupt into a cancelled task, and a dashboard into a quiet end.
    """
    before = {number: signal.signal(number, _raise) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
