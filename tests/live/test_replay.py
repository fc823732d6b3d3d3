"""A real program is recorded, replayed, and shows what it was."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from memdash.model.missing import Missing
from memdash.model.snapshot import Snapshot
from memdash.process.identity import identify
from memdash.recording.reader import Recording
from memdash.recording.recorder import Recorder
from memdash.recording.writer import Writer
from memdash.session import Live
from memdash.session.past import Past
from memdash.session.replay import replays
from memdash.ui.app import MemdashApp
from memdash.ui.screens.dashboard import Dashboard
from tests.waiting import until

pytestmark = pytest.mark.matrix

PROGRAM = """
import sys, time
held = []
print("there", flush=True)
while True:
    held.append([{} for _ in range(2000)])
    time.sleep(0.05)
"""


@pytest.fixture
def pid() -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
        process.kill()


def watched(session: Live, moments: int) -> list[Snapshot]:
    """What the session publishes, one of each tick, until there are so many."""
    seen: dict[float, Snapshot] = {}

    def hear(snapshot: Snapshot) -> None:
        if not isinstance(snapshot.sample.memstats, Missing):
            seen[snapshot.at.mono_s] = snapshot

    session.subscribe(hear)
    session.start()
    until(lambda: len(seen) > moments, f"moment {moments}")
    return list(seen.values())[:moments]


async def test_a_program_is_replayed_as_it_was(pid: int, tmp_path: Path) -> None:
    path = tmp_path / "run.mdr"
    session, writer = Live(identify(pid), interval_s=0.1), Writer(path)
    recorder = Recorder(session, writer)
    recorder.start()
    seen = watched(session, 20)
    session.close()
    recorder.close()
    writer.close()

    past = Past(Recording.open(path), is_of_file=True)
    for then in seen[::6]:
        found = past.at(then.at.mono_s + 1e-5)
        assert found.sample.memstats == then.sample.memstats
        assert found.sample.system == then.sample.system
        assert found.target == then.target
    watches = replays(past)
    dashboard = Dashboard(watches.open(past.run.target), watches)
    async with MemdashApp(lambda: dashboard).run_test(size=(120, 40)) as pilot:
        await pilot.press("home")
        await dashboard.app.workers.wait_for_complete()
        await pilot.pause()
        assert dashboard.moment.at == past.run.since
        await pilot.press("end")
        assert dashboard.moment.at == past.run.until
    watches.close()


def test_a_watch_is_gone_back_through_while_it_goes_on(pid: int) -> None:
    session = Live(identify(pid), interval_s=0.1, keeps_past=True)
    try:
        seen = watched(session, 40)
        past = until(lambda: reaching(session, seen[-1].at.mono_s), "the recording of it")
        then = next(snapshot for snapshot in seen if snapshot.at.mono_s > past.since.mono_s)
        found = past.at(then.at.mono_s + 1e-5)
        assert found.sample.memstats == then.sample.memstats
        assert not found.is_replayed
        session.mark("here", found)
        session.mark_baseline(found)
        assert session.snapshot().baseline.at == found.at
        until(lambda: any(finding.is_mark for finding in past.findings), "the mark")
    finally:
        session.close()


def reaching(session: Live, mono_s: float) -> Past | None:
    """Its past, once that reaches so far."""
    past = session.past
    return past if not isinstance(past, Missing) and past.run.until.mono_s >= mono_s else None
