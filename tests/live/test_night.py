"""A leak at night, found in the morning: recorded, rewound to, reported, and on a graph of Prometheus."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from memdash.analysis.rules import parse_rule
from memdash.cli import main
from memdash.model.finding import Finding
from memdash.model.missing import Missing, known
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
from memdash.units import MIB
from tests.live import prometheus
from tests.live.conftest import StartGo
from tests.live.target import LiveTarget
from tests.ui.conftest import Shown
from tests.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.matrix]

LIMIT = "HeapAlloc > 20MiB"


def recorded(target: LiveTarget, path: Path) -> Finding:
    """Record it from before its leak until that has been an alert for a while; the alert."""
    session, writer = Live(identify(target.pid), interval_s=0.1, rules=(parse_rule(LIMIT),)), Writer(path)
    recorder = Recorder(session, writer)
    recorder.start()
    session.start()

    def holds(least: int) -> bool:
        return any(group.usage.inuse_bytes >= least for group in known(session.snapshot().groups, ()))

    def since(moment: Snapshot, seconds: float) -> bool:
        return session.snapshot().at.mono_s - moment.at.mono_s >= seconds

    try:
        until(lambda: not isinstance(session.snapshot().groups, Missing), "the sites")
        until(partial(since, session.snapshot(), 1.0), "a quiet second")
        assert not session.snapshot().alerts
        for command in ("alloc 200", "gc", "gc"):
            target.command(*command.split())
        until(lambda: holds(12 * MIB), "the first of the leak")
        target.command("alloc", 200)
        alert = until(lambda: next(iter(session.snapshot().alerts), None), "the alert")
        until(partial(since, session.snapshot(), 2.0), "two seconds of it")
    finally:
        session.close()
        recorder.close()
        writer.close()
    return alert


async def test_it_is_found_by_going_back_and_told_to_others(start_go: StartGo, tmp_path: Path) -> None:
    path, page, metrics = tmp_path / "night.mdr", tmp_path / "night.html", tmp_path / "night.om"
    target = start_go("stripped", "pprof")
    target.command("rate", 1)
    alert = recorded(target, path)

    past = Past(Recording.open(path), is_of_file=True)
    watches = replays(past)
    session = watches.open(past.run.target)
    dashboard = Dashboard(session, watches)
    async with MemdashApp(lambda: dashboard).run_test(size=(160, 45)) as pilot:
        shown = Shown(pilot, session, [0.0])  # type: ignore[arg-type]  # what it fakes is not asked for
        await pilot.press("home")
        await dashboard.app.workers.wait_for_complete()
        await pilot.pause()
        assert not dashboard.moment.alerts
        await pilot.press("full_stop")
        await dashboard.app.workers.wait_for_complete()
        await pilot.pause()
        found = dashboard.moment
        assert found.at.wall_s == pytest.approx(alert.at_s, abs=0.5)
        assert [each.rule for each in found.alerts] == [alert.rule]
        (site, *_) = known(found.groups, ())
        assert site.usage.inuse_bytes >= 12 * MIB
        where = f"main.go:{known(site.frame.line, 0)}"
        assert where in shown.text
        assert "HeapAlloc" in next(line for line in shown.lines if "WARN" in line)
    watches.close()

    at = datetime.fromtimestamp(alert.at_s + 1, UTC).astimezone()
    assert main(["report", f"{path}@{at.isoformat()}", "--html", "-o", str(page)]) == 0
    text = page.read_text()
    assert where in text
    assert "over 20.0 MiB" in text

    if shutil.which("prometheus") is None:
        return
    assert main(["serve", str(path), "-i", "1s", "-o", str(metrics)]) == 0
    prometheus.taken_in(metrics, tmp_path)
    with prometheus.serving(tmp_path, {}) as api:
        heap = until(
            lambda: prometheus.traced(api, "go_memstats_heap_alloc_bytes", alert.at_s - 1, alert.at_s + 2, 1),
            "the night in Prometheus",
        )[str(target.pid)]
        assert heap[0][1] < 20 * MIB < heap[-1][1]
        alerts = prometheus.traced(api, "memdash_alert", alert.at_s - 2, alert.at_s + 2, 1)[str(target.pid)]
        assert alert.at_s - 1 <= alerts[0][0] <= alert.at_s + 2
