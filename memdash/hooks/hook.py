"""What every hook is."""

from __future__ import annotations

from typing import Protocol

from memdash.hooks.alert import Alert

__all__ = ["Hook"]


class Hook(Protocol):
    """One way to tell somebody of alerts; ``tell`` belongs to one thread, ``cancel`` to any."""

    @property
    def name(self) -> str:
        """What it is called in the log: ``hook page.sh``."""

    def tell(self, alert: Alert) -> None:
        """Tell, within bounds of time and memory. Raises HookError when that did not work."""

    def cancel(self) -> None:
        """Have what is under way fail soon, and all that comes later."""
