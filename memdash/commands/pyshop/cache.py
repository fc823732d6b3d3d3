"""Pages used last, up to a bound: memory that grows and then stays."""

from __future__ import annotations

from collections import OrderedDict


class Cache:
    """At most ``size`` pages; the one not used for longest goes first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._pages: OrderedDict[str, bytes] = OrderedDict()

    def get(self, path: str) -> bytes | None:
        """The page, if it is still there."""
        page = self._pages.get(path)
        if page is not None:
            self._pages.move_to_end(path)
        return page

    def put(self, path: str, page: bytes) -> None:
        """Keep a page."""
        self._pages[path] = page
        if len(self._pages) > self._size:
            self._pages.popitem(last=False)
