"""A watch that is past is told to Prometheus as it would have been, had it asked then."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from memdash.exports.prometheus import backfill as module
from memdash.exports.prometheus.backfill import Backfill
from memdash.exports.prometheus.exposition import Exposition, Shown
from memdash.model.finding import Finding, Severity
from memdash.model.sample import Instant
from memdash.model.snapshot import Snapshot, State
from memdash.model.target import Ending
from tests.fakes import NOON_S, a_snapshot
from tests.live.prometheus import taken_in

OPEN = "application/openmetrics-text; version=1.0.0"
ALERT = Finding(rule='he"ap\n', severity=Severity.WARNING, at_s=NOON_S, summary="grows")


def moments(number: int, apart_s: float = 15.0) -> list[Snapshot]:
    shown = a_snapshot(3)
    return [
        replace(
            shown, at=Instant(NOON_S + place * apart_s, 500.0 + place * apart_s), findings=(ALERT,) * (place % 3 > 0)
        )
        for place in range(number)
    ]


def told(shown: Sequence[Snapshot]) -> tuple[str, Backfill]:
    backfill, out = Backfill(io.BytesIO()), io.BytesIO()
    for snapshot in shown:
        backfill.add(snapshot)
    backfill.write(out)
    return out.getvalue().decode(), backfill


def families(text: str) -> list[Metric]:
    return list(text_string_to_metric_families(text))  # type: ignore[no-untyped-call]


def values(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("most", [20_000, 50])
def test_each_moment_is_what_a_scrape_of_then_was_told(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(module, "_WAITING_AT_MOST", most)
    shown = moments(7)
    text, backfill = told(shown)
    expected = []
    for snapshot in shown:
        scraped, _ = Exposition([Shown(snapshot.target.name, snapshot)].copy).write(OPEN)
        expected += [f"{line} {snapshot.at.wall_s}" for line in values(scraped.decode())]
    assert sorted(values(text)) == sorted(expected)
    assert families(text)  # it refuses what does not stand together, and time that goes back
    assert (backfill.moments, backfill.left_out) == (7, 0)


def test_a_metric_stands_together() -> None:
    names = [line.partition(" ")[0].partition("{")[0] for line in values(told(moments(5))[0])]
    begun = [name for name, before in zip(names, ["", *names], strict=False) if name != before]
    alone = [name for name in begun if not name.startswith(("go_gc_duration", "memdash_probe_cpu"))]
    assert len(alone) == len(set(alone))


def test_what_came_after_the_clock_was_set_back_is_counted() -> None:
    first, *others = moments(4)
    back = replace(others[1], at=Instant(NOON_S - 3600, others[1].at.mono_s))
    text, backfill = told([first, others[0], back, others[2]])
    assert (backfill.moments, backfill.left_out) == (3, 1)
    assert str(NOON_S - 3600) not in text


def test_the_end_of_the_target_comes_after_its_last_moment() -> None:
    *_, last = moments(2)
    ended = replace(last, state=State.ENDED, ending=Ending(at_s=last.at.wall_s, exit_code=0))
    (up, *_) = families(told([last, ended])[0])
    assert up.name == "memdash_up"
    assert [(sample.value, float(sample.timestamp or 0) - last.at.wall_s) for sample in up.samples] == [
        (1.0, 0.0),
        (0.0, pytest.approx(0.001, abs=1e-4)),
    ]


def test_of_no_moment_there_is_nothing() -> None:
    assert told([])[0] == "# EOF\n"


def test_promtool_takes_it(tmp_path: Path) -> None:
    (tmp_path / "run.om").write_text(told(moments(20))[0])
    taken_in(tmp_path / "run.om", tmp_path)
    (block,) = (tmp_path / "tsdb").glob("*/meta.json")
    meta = json.loads(block.read_text())
    assert (meta["minTime"], meta["maxTime"]) == (int(NOON_S * 1000), int((NOON_S + 19 * 15) * 1000) + 1)
