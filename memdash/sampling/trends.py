"""The newest sizes of each allocation site, for its sparkline: bounded in sites and in length."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from memdash.model.profile import Frame, Usage

__all__ = ["SiteTrends"]


class SiteTrends:
    """Follows the sites that were ever among the largest ``sites`` lately; the others have no trend."""

    def __init__(self, sites: int = 200, length: int = 60) -> None:
        self._sites = sites
        self._length = length
        self._trends: dict[Frame, deque[int]] = {}

    def add(self, usage_by_frame: Mapping[Frame, Usage]) -> None:
        """Remember one reading; a followed site that vanished counts as 0 and is dropped once all of it is 0."""
        for frame, trend in list(self._trends.items()):
            trend.append(usage_by_frame[frame].inuse_bytes if frame in usage_by_frame else 0)
            if not any(trend):
                del self._trends[frame]
        largest = sorted(usage_by_frame, key=lambda frame: usage_by_frame[frame].inuse_bytes, reverse=True)
        for frame in largest[: self._sites]:
            if frame not in self._trends:
                self._trends[frame] = deque([usage_by_frame[frame].inuse_bytes], maxlen=self._length)
        if len(self._trends) > 2 * self._sites:
            smallest = sorted(self._trends, key=lambda frame: self._trends[frame][-1])
            for frame in smallest[: len(self._trends) - self._sites]:
                del self._trends[frame]

    def of(self, frame: Frame) -> tuple[int, ...]:
        """inuse_bytes of the site at the newest readings, oldest first; empty when it is not followed."""
        return tuple(self._trends.get(frame, ()))
