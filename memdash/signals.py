"""Signals as exceptions, so that the terminal is restored and what we started is ended on the way out."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

__all__ = ["ENDING", "Signalled", "signals_raised"]

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The signals that ask a program to end."""


class Signalled(SystemExit):
    """A signal asked us to end; as a SystemExit it passes through what handles errors."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.number = number


def _raise(number: int, _frame: FrameType | None) -> NoReturn:
    raise Signalled(number)


@contextmanager
def signals_raised(numbers: Sequence[int] = ENDING) -> Iterator[None]:
    """Within it these signals raise Signalled in the main thread."""
    before = {number: signal.signal(number, _raise) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
