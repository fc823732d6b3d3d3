"""A leak found on the screen, held against its baseline and saved is what go tool pprof says it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.widgets import Input

from memdash.model.missing import Missing
from memdash.model.snapshot import Snapshot, State
from memdash.process.identity import identify
from memdash.session import Live, Watches
from memdash.ui.app import MemdashApp
from memdash.ui.screens.dashboard import Dashboard
from tests.live.conftest import StartGo
from tests.live.gopprof import WORK, go_pprof, rows
from tests.live.pythons import Python, readable
from tests.live.target import LiveTarget
from tests.sessions import FakeSession
from tests.ui.conftest import Shown, awaited

pytestmark = pytest.mark.live


@asynccontextmanager
async def watched(target: LiveTarget) -> AsyncIterator[tuple[Live, Shown]]:
    """The dashboard on a target, once it knows what holds the heap."""
    session = Live(identify(target.pid), interval_s=0.2)
    session.start()
    try:
        app = MemdashApp(lambda: Dashboard(session, Watches(lambda _: session)))
        async with app.run_test(size=(100, 30)) as pilot:
            shown = Shown(pilot, FakeSession(session.snapshot()), [0.0])
            await awaited(shown.pilot, lambda: knows_what_holds(shown.dashboard.moment))
            yield session, shown
    finally:
        session.close()


def knows_what_holds(moment: Snapshot) -> bool:
    """Sites, or objects where there are none."""
    return not isinstance(moment.sample.sites, Missing) or not isinstance(moment.sample.objects, Missing)


async def save(shown: Shown, path: Path) -> None:
    """With ctrl+s."""
    await shown.press("ctrl+s")
    shown.app.screen.query_one(Input).value = str(path)
    await shown.press("enter")
    await awaited(shown.pilot, path.exists)
    await shown.built()


def held(snapshot: Snapshot) -> int:
    return 0 if isinstance(snapshot.groups, Missing) else sum(group.usage.inuse_bytes for group in snapshot.groups)


async def test_a_leak_is_held_against_its_baseline_and_saved(start_go: StartGo, tmp_path: Path) -> None:
    target = start_go("stripped", "pprof")
    for command in WORK:
        target.command(command)
    then, now, after = (tmp_path / f"{name}.pb.gz" for name in ("then", "now", "after"))
    async with watched(target) as (session, shown):
        await awaited(shown.pilot, lambda: held(shown.dashboard.moment))
        await shown.press("b")
        await awaited(shown.pilot, lambda: shown.dashboard.moment.baseline.marked)
        await save(shown, then)
        before = held(session.snapshot())
        for command in ("alloc 400", "gc", "gc"):
            target.command(command)
        await awaited(shown.pilot, lambda: held(shown.dashboard.moment) > before)
        await shown.press("space", "d")
        await shown.built()
        table = shown.app.screen.rows.table  # type: ignore[attr-defined]  # the view of what has changed
        await save(shown, now)
        printed = [line for line in go_pprof("-top", f"-diff_base={then}", now).splitlines() if "%" in line][2:]
        assert [row.cells[-1].text for row in table.rows] == [line.split(maxsplit=5)[-1].strip() for line in printed]
        assert [row.cells[1].text for row in table.rows] == [line.split()[1] for line in printed]
        await shown.press("escape", "space")
        target.kill()
        await awaited(shown.pilot, lambda: shown.dashboard.moment.state is State.ENDED)
        await save(shown, after)
        assert figures(go_pprof("-top", after)) == figures(go_pprof("-top", now))


def figures(printed: str) -> list[str]:
    """Without what is known of a process only while it lives."""
    return [line for line in rows(printed) if not line.startswith("Build ID: ")]


@pytest.mark.matrix
@pytest.mark.parametrize("python", readable((8, 14)))
@pytest.mark.parametrize("traced", [False, True], ids=["objects", "sites"])
async def test_what_a_python_holds_is_saved(python: Python, traced: bool, tmp_path: Path) -> None:
    program = Path(__file__).parent / f"programs/python/{'leaking' if traced else 'objects'}.py"
    with LiveTarget([python.executable, program], {"PYTHONTRACEMALLOC": "5" if traced else "0"}) as target:
        async with watched(target) as (_, shown):
            await save(shown, tmp_path / "heap.pb.gz")
    assert "inuse_space" in go_pprof("-top", tmp_path / "heap.pb.gz")
