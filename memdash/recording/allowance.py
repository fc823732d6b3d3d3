"""How much of a recording is looked through before somebody who waits for its first screen is answered."""

from __future__ import annotations

__all__ = ["Allowance", "SpentError"]

_ROWS, _BYTES = 150_000, 1 << 30
"""A day of a busy server has a tenth of them. They take a second each, and few bytes of a file can stand for many."""


class SpentError(Exception):
    """There is more."""


class Allowance:
    """So many rows, and so many bytes once they are decompressed; ``Allowance.endless()`` for who has time."""

    def __init__(self, rows: float = _ROWS, bytes_: float = _BYTES) -> None:
        self._rows = rows
        self._bytes = bytes_

    @classmethod
    def endless(cls) -> Allowance:
        """All there is."""
        return cls(float("inf"), float("inf"))

    def spend(self, size: int = 0) -> None:
        """A row more, of so many bytes. Raises SpentError."""
        self._rows -= 1
        self._bytes -= size
        if self._rows < 0 or self._bytes < 0:
            raise SpentError
