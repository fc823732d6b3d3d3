"""What has been read or made lately, for whoever asks again soon."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["Kept"]

_ROOM_BYTES = 16 << 20

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Kept(Generic[Key, Value]):
    """At most ``most`` of them: the one that was not asked for for longest goes first. Used by one thread at a time.

    What ``size`` makes of all but the newest is no more than ``room``: a few may be as large as many usually are.
    """

    def __init__(self, most: int, size: Callable[[Value], int] = lambda _: 0, room: int = _ROOM_BYTES) -> None:
        self._most = most
        self._size = size
        self._room = room
        self._kept: OrderedDict[Key, Value] = OrderedDict()

    def __contains__(self, key: Key) -> bool:
        return key in self._kept

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """What is kept under ``key``, or else what ``make`` returns; where it raises nothing is kept."""
        if key not in self._kept:
            self._kept[key] = made = make()
            self._room -= self._size(made)
            while len(self._kept) > self._most or (self._room < 0 and len(self._kept) > 1):
                _, gone = self._kept.popitem(last=False)
                self._room += self._size(gone)
        self._kept.move_to_end(key)
        return self._kept[key]
