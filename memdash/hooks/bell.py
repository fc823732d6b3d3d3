"""The terminal's bell, and a word on its desktop."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from memdash.hooks.alert import Alert
from memdash.hooks.notification import BELL, notification

__all__ = ["Bell"]

_QUIET_S = 1.0
"""What comes within so long of a ring is not rung for: many alerts at once are one ring."""


class Bell:
    """Sends the terminal whatever ``rings`` or ``notifies`` through ``send``, once a second at most."""

    name = "bell"

    def __init__(
        self,
        send: Callable[[str], object],
        environment: Mapping[str, str],
        *,
        rings: bool,
        notifies: bool,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._environment = environment
        self._rings = rings
        self._notifies = notifies
        self._now_s = now_s
        self._quiet_until_s = 0.0

    def tell(self, alert: Alert) -> None:
        """Ring, unless that was done just now."""
        now_s = self._now_s()
        if now_s < self._quiet_until_s:
            return
        self._quiet_until_s = now_s + _QUIET_S
        desktop = notification(alert.words, self._environment) if self._notifies else ""
        self._send(BELL * self._rings + desktop)

    def cancel(self) -> None:
        """A ring is over as soon as it was begun."""
