"""Write ``screenshots/`` from a run of the demo server: ``python -m tests.screenshots [seconds]``.

The server is the one of ``memdash demo``, built stripped and watched through its pid like any other; its screens are
those that a person would see after ``seconds`` (180 unless told).
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

import memdash.commands
from memdash.commands.toolchain import build, find_toolchain
from memdash.process.identity import identify
from memdash.session import Live, Session, Watches
from memdash.ui.app import MemdashApp
from memdash.ui.screens.dashboard import Dashboard

_OUT = Path(__file__).parent.parent / "screenshots"
_SERVER = Path(memdash.commands.__file__).parent / "shop"
_SCREENS: tuple[tuple[str, tuple[int, int], tuple[str, ...]], ...] = (
    ("dashboard", (160, 45), ("plus",)),
    ("dashboard-120x40", (120, 40), ("plus",)),
    ("dashboard-80x24", (80, 24), ("plus",)),
    ("site", (120, 32), ("enter",)),
    ("help", (100, 32), ("question_mark",)),
)
"""(file, size, keys pressed first)."""


class _Shared:
    """A session that outlives the screens drawn of it."""

    def __init__(self, session: Live) -> None:
        self._session = session
        self.start = session.start
        self.snapshot = session.snapshot
        self.subscribe = session.subscribe
        self.mark_baseline = session.mark_baseline
        self.clear_baseline = session.clear_baseline
        self.act = session.act

    def close(self) -> None:
        """Leave it open."""


async def _draw(session: Session, size: tuple[int, int], keys: Sequence[str]) -> str:
    app = MemdashApp(lambda: Dashboard(session, Watches(lambda _: session)))
    async with app.run_test(size=size) as pilot:
        await _settled(pilot)
        for key in keys:
            await pilot.press(key)
        await _settled(pilot)
        return app.export_screenshot(title="memdash")


async def _settled(pilot: Pilot[Any]) -> None:
    """Two paints: the dashboard follows its session at most twice a second."""
    await pilot.pause(1.2)


async def _draw_all(session: Session, seconds: float, say: Callable[[str], None]) -> None:
    await asyncio.sleep(seconds)
    _OUT.mkdir(exist_ok=True)
    for name, size, keys in _SCREENS:
        (_OUT / f"{name}.svg").write_text(await _draw(session, size, keys) + "\n", encoding="utf-8")
        say(f"{name}.svg")


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")


def main() -> None:
    """Build, start, watch, draw, end."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 180.0
    server = build(find_toolchain(), _SERVER, "shop-server", _say)
    with subprocess.Popen([server], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        session = Live(identify(process.pid))
        try:
            session.start()
            asyncio.run(_draw_all(_Shared(session), seconds, _say))
        finally:
            session.close()
            process.kill()


if __name__ == "__main__":
    main()
