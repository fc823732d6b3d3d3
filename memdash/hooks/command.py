"""A command as a hook: it finds the alert as JSON on its standard input."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from memdash.hooks.alert import Alert
from memdash.hooks.child import run_child
from memdash.plain import excerpt

__all__ = ["CommandHook"]


class CommandHook:
    """Starts ``argv`` for each alert and gives it ``timeout_s`` seconds."""

    def __init__(self, argv: Sequence[str], timeout_s: float) -> None:
        self._argv = tuple(argv)
        self._timeout_s = timeout_s
        self._cancelled = threading.Event()
        self.name = f"hook {excerpt(Path(self._argv[0]).name)}"

    def tell(self, alert: Alert) -> None:
        """Run it. Raises HookError when it cannot be started, fails, or has not ended in time."""
        from memdash.exports.alert import alert_line  # 10 ms, wanted when there is an alert

        run_child(
            self._argv,
            alert_line(alert.target, alert.at, alert.transition, alert.words),
            self._timeout_s,
            self._cancelled,
        )

    def cancel(self) -> None:
        """End it if it runs, and start it no more."""
        self._cancelled.set()
