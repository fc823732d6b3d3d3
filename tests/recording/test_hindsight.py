"""What there had been by a moment of a run whose wall clock went as it liked."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from memdash.model.sample import Instant
from memdash.recording.hindsight import SetBacks
from memdash.recording.moment import Moment
from memdash.recording.writer import Writer
from tests.fakes import FakeClock

Watched = Callable[..., list[Moment]]


def test_the_latest_time_is_known_however_often_the_clock_was_set(
    writer: Writer, run: int, watched: Watched, clock: FakeClock
) -> None:
    chance, seen, set_backs = random.Random(3), list[Instant](), SetBacks(writer.database, run)
    for _ in range(40):
        rest = 60 - int(clock.now().mono_s) % 60  # what is put together ends there
        moments = watched(chance.choice((rest, chance.randrange(1, 40), chance.randrange(1, 10))))
        writer.write(run, moments)
        seen += [moment.at for moment in moments]
        for at in (*chance.choices(seen, k=8), moments[0].at, moments[-1].at):
            latest_s = max(each.wall_s for each in seen if each.mono_s <= at.mono_s)
            assert set_backs.latest_s(at) == pytest.approx(latest_s, abs=1e-3)
        clock.wall_s += chance.choice((0, 0, 0, 5, 200, 3600, -5, -100, -3600))
