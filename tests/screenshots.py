"""Write ``screenshots/`` from runs of the demo's servers: ``python -m tests.screenshots [seconds]``.

They are those of ``memdash demo``, watched through their pid like any other; the screens are those that a person would
see after ``seconds`` (180 unless told).
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

import memdash.commands
from memdash.commands.prepared import Prepared, prepared
from memdash.commands.toolchain import build, find_toolchain
from memdash.config import USUAL_SOURCES, SourcePath
from memdash.model.missing import Maybe
from memdash.probes.cpython.sampler.sampling import Sampling
from memdash.probes.registry import sampling_with
from memdash.process.identity import identify
from memdash.session import Live, Session, Watches
from memdash.session.past import Past
from memdash.ui.app import MemdashApp
from memdash.ui.screens.dashboard import Dashboard

_STARTED_AFTER_S = 1.0
"""A Python needs a moment until its interpreter stands."""

_OUT = Path(__file__).parent.parent / "screenshots"
_SERVER = Path(memdash.commands.__file__).parent / "shop"
_Screens = Sequence[tuple[str, tuple[int, int], tuple[str, ...]]]
"""(file, size, keys pressed first)."""

_GO: _Screens = (
    ("dashboard", (160, 45), ("plus",)),
    ("dashboard-120x40", (120, 40), ("plus",)),
    ("dashboard-80x24", (80, 24), ("plus",)),
    ("site", (120, 40), ("enter",)),
    ("list", (120, 40), ("l",)),
    ("goroutine", (120, 40), ("5", "enter")),
    ("diff", (120, 32), ("d",)),
    ("tree", (120, 32), ("t",)),
    ("flame", (120, 32), ("f", "down", "down")),
    ("flame-changes", (120, 32), ("f", "c", "down", "down", "down")),
    ("residence", (120, 40), ("M",)),
    ("rewound", (120, 40), ("plus", *(4 * ("shift+left",)))),
    ("help", (100, 32), ("question_mark",)),
)
_PYTHON: _Screens = (
    ("python", (160, 45), ("plus",)),
    ("python-120x40", (120, 40), ("plus",)),
    ("python-80x24", (80, 24), ("plus",)),
    ("python-flame", (120, 24), ("f", "down", "down")),
    ("force-gc", (120, 32), ("ctrl+g",)),
)
_OBJECTS: _Screens = (("python-objects", (120, 40), ("plus",)),)
"""The same service without samples: its sites are not known, and its objects are shown instead."""


class _Shared:
    """A session that outlives the screens drawn of it."""

    def __init__(self, session: Live) -> None:
        self._session = session
        self.start = session.start
        self.snapshot = session.snapshot
        self.subscribe = session.subscribe
        self.mark = session.mark
        self.mark_baseline = session.mark_baseline
        self.clear_baseline = session.clear_baseline
        self.acknowledge = session.acknowledge
        self.mute = session.mute
        self.note = session.note
        self.act = session.act
        self.is_doing = session.is_doing
        self.require_markable = session.require_markable

    @property
    def past(self) -> Maybe[Past]:
        """What the session has recorded."""
        return self._session.past

    def close(self) -> None:
        """Leave it open."""


async def _draw(session: Session, size: tuple[int, int], keys: Sequence[str], sources: SourcePath) -> str:
    app = MemdashApp(lambda: Dashboard(session, Watches(lambda _: session), sources=sources))
    async with app.run_test(size=size) as pilot:
        await _settled(pilot)
        for key in keys:
            await pilot.press(key)
            await app.workers.wait_for_complete()  # views of the profile are made beside the screen
        await _settled(pilot)
        return app.export_screenshot(title="memdash")


async def _settled(pilot: Pilot[Any]) -> None:
    """Two paints: the dashboard follows its session at most twice a second."""
    await pilot.pause(1.2)


async def _draw_all(session: Session, screens: _Screens, seconds: float, sources: SourcePath) -> None:
    await asyncio.sleep(seconds)
    for name, size, keys in screens:
        (_OUT / f"{name}.svg").write_text(await _draw(session, size, keys, sources) + "\n", encoding="utf-8")
        _say(f"{name}.svg")


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")


def _watch(
    command: Sequence[str | Path],
    given: Prepared,
    screens: _Screens,
    seconds: float,
    sources: SourcePath = USUAL_SOURCES,
) -> None:
    """Start, watch, draw, end."""
    environment = {**os.environ, **given.environment}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        time.sleep(_STARTED_AFTER_S)
        session = Live(identify(process.pid), entries=given.entries, keeps_past=True)
        try:
            session.start()
            asyncio.run(_draw_all(_Shared(session), screens, seconds, sources))
        finally:
            session.close()
            process.kill()


def main() -> None:
    """Draw a Go server and a Python service."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 180.0
    _OUT.mkdir(exist_ok=True)
    python = [sys.executable, "-m", "memdash.commands.pyshop"]
    with prepared(agent=True) as given:
        sampled = replace(given, entries=sampling_with(given.entries, Sampling()))
        _watch(python, sampled, _PYTHON, seconds)
    _watch(python, Prepared(), _OBJECTS, min(seconds, 60.0))
    toolchain = find_toolchain()
    server = build(toolchain, _SERVER, "shop-server", _say)
    sources = SourcePath((str(_SERVER.parent), str(toolchain.root / "src")))  # its paths are trimmed
    _watch([server], Prepared(), _GO, seconds, sources)


if __name__ == "__main__":
    main()
