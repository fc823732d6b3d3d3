"""The newest sizes of the rows of a table, for their sparklines: bounded in rows and in length."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

__all__ = ["Trends"]

Key = TypeVar("Key", bound=Hashable)


class Trends(Generic[Key]):
    """Follows the keys that were ever among the ``most`` largest lately; the others have no trend."""

    def __init__(self, most: int = 200, length: int = 60) -> None:
        self._most = most
        self._length = length
        self._trends: dict[Key, deque[int]] = {}

    def add(self, sizes: Mapping[Key, int]) -> None:
        """Remember one reading; a followed key that vanished counts as 0 and is dropped once all of it is 0."""
        for key, trend in list(self._trends.items()):
            trend.append(sizes.get(key, 0))
            if not any(trend):
                del self._trends[key]
        largest = sorted(sizes, key=lambda key: sizes[key], reverse=True)
        for key in largest[: self._most]:
            if key not in self._trends:
                self._trends[key] = deque([sizes[key]], maxlen=self._length)
        if len(self._trends) > 2 * self._most:
            smallest = sorted(self._trends, key=lambda key: self._trends[key][-1])
            for key in smallest[: len(self._trends) - self._most]:
                del self._trends[key]

    def of(self, key: Key) -> tuple[int, ...]:
        """Its size at the newest readings, oldest first; empty when it is not followed."""
        return tuple(self._trends.get(key, ()))
