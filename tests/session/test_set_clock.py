"""A watch whose wall clock was set is told from its recording at the samples at which things were."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from memdash.model.snapshot import Snapshot
from memdash.recording.reader import Recording
from memdash.session.past import Past
from memdash.session.replay import retold
from tests.recorded import MONO_S, record, watched, with_clock_set

HOUR_S = 3600.0
ALERTS = {"before": range(20, 60), "across": range(90, 150), "after": range(130, 170), "on": range(185, 400)}
SETS = [{110: -HOUR_S}, {110: HOUR_S}, {60: -HOUR_S, 140: 2 * HOUR_S, 160: -90.0}]


def known(shown: Snapshot) -> list[tuple[str, float, bool]]:
    """What stands in the alert log, and whether it holds."""
    return [(each.rule, each.at_s, each.ended_at_s is None) for each in shown.findings]


def news(shown: Snapshot) -> list[tuple[str, str]]:
    return [(each.kind.value, each.finding.rule) for each in shown.transitions]


@pytest.mark.parametrize("sets", SETS)
def test_each_alert_is_told_at_its_sample(tmp_path: Path, sets: Mapping[int, float]) -> None:
    seen = with_clock_set(watched(200), sets, ALERTS)
    record(tmp_path / "run.mdr", seen)
    past = Past(Recording.open(tmp_path / "run.mdr"), is_of_file=True)
    for live, then in zip(seen, retold(past), strict=True):
        assert (then.at, news(then), known(then)) == (live.at, news(live), known(live))
    for second in (19, 20, 60, 109, 110, 130, 150, 199):
        then = past.at(MONO_S + second)
        assert known(then) == known(seen[second])
        assert [each.lasted_s for each in then.findings] == [each.lasted_s for each in seen[second].findings]
    past.close()


def test_however_often_the_clock_is_set(tmp_path: Path) -> None:
    chance = random.Random(7)
    sets = {chance.randrange(130): chance.choice((-5.0, -100.0, -HOUR_S, 5.0, 200.0, HOUR_S)) for _ in range(9)}
    begins = [chance.randrange(120) for _ in range(8)]
    alerts = {f"alert {begin} {place}": range(begin, begin + 19) for place, begin in enumerate(begins)}
    seen = with_clock_set(watched(130), sets, alerts)
    record(tmp_path / "run.mdr", seen)
    past = Past(Recording.open(tmp_path / "run.mdr"), is_of_file=True)
    assert [(news(then), known(then)) for then in retold(past)] == [(news(live), known(live)) for live in seen]
    past.close()
