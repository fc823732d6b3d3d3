"""Log and serve tell of a recording whose wall clock was set each alert at its sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from memdash.exports.prometheus.exposition import Exposition, Shown
from memdash.model.snapshot import Snapshot
from tests.commands.test_retelling import lines, log_of
from tests.recorded import record, watched, with_clock_set

Run = Callable[..., tuple[int, str, str]]
ALERTS = {"before": range(20, 60), "after": range(130, 160), "on": range(185, 400)}


def alerts_of(shown: Snapshot) -> list[str]:
    """What a scrape of then was told of alerts, with its time."""
    told, _ = Exposition([Shown(shown.target.name, shown)].copy).write("application/openmetrics-text; version=1.0.0")
    return [f"{line} {shown.at.wall_s}" for line in told.decode().splitlines() if line.startswith("memdash_alert{")]


@pytest.mark.parametrize("set_s", [-3600.0, 3600.0])
def test_a_log_is_that_of_the_watch(run: Run, tmp_path: Path, set_s: float) -> None:
    seen = with_clock_set(watched(200), {100: set_s}, ALERTS)
    record(tmp_path / "run.mdr", seen)
    code, out, err = run("log", tmp_path / "run.mdr")
    assert (code, err) == (0, "")
    told = [
        [(line["event"], line["timestamp"], line.get("what")) for line in log] for log in (lines(out), log_of(seen))
    ]
    assert told[0][:-1] == told[1][:-1]
    assert [what for event, _, what in told[0] if event == "finding"] == [
        "opened",
        "ended",
        "opened",
        "ended",
        "opened",
    ]


def test_prometheus_is_told_of_alerts_as_it_would_have_been(run: Run, tmp_path: Path) -> None:
    """But of the minute in which the clock showed what it had shown before."""
    seen: Sequence[Snapshot] = with_clock_set(watched(200), {100: -60.0}, ALERTS)
    record(tmp_path / "run.mdr", seen)
    code, out, err = run("serve", tmp_path / "run.mdr", "-i", "1s")
    assert (code, err) == (0, "memdash: 60 moments are left out: the clock had been set back to before others\n")
    expected = [line for shown in (*seen[:100], *seen[160:]) for line in alerts_of(shown)]
    assert sorted(line for line in out.splitlines() if line.startswith("memdash_alert{")) == sorted(expected)
