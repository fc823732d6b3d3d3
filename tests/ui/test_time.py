"""Going through the time of a watch: keys, mouse, words, and that nothing jumps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from textual.events import MouseMove
from textual.widgets import Input

from memdash.model.memstats import MemStats
from memdash.model.missing import Missing
from memdash.model.snapshot import Snapshot
from memdash.recording.moment import Moment
from memdash.recording.reader import Recording
from memdash.session import Watches
from memdash.session.past import Past
from memdash.session.replay import replays
from memdash.ui.app import MemdashApp
from memdash.ui.panes.heap import HeapPane
from memdash.ui.screens.dashboard import Dashboard
from memdash.ui.screens.note import NoteScreen
from memdash.ui.travel import stops
from memdash.ui.widgets.time_bar import TimeBar
from memdash.units import byte_size, duration
from tests.fakes import NOON_S
from tests.recorded import MONO_S, record, watched, with_clock_set
from tests.sessions import FakeSession
from tests.ui.conftest import Shown, awaited

SECONDS = 400


@pytest.fixture(scope="module")
def seen() -> Sequence[Snapshot]:
    return watched(SECONDS, ends=True)[:SECONDS]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, seen: Sequence[Snapshot]) -> Path:
    path = tmp_path_factory.mktemp("recorded") / "run.mdr"
    record(path, seen, marks=[(100, "deploy")])
    return path


@pytest.fixture
def file(tmp_path: Path, recorded: Path) -> Path:
    """A copy of one's own."""
    path = tmp_path / "run.mdr"
    path.write_bytes(recorded.read_bytes())
    return path


class Traveller(Shown):
    """A dashboard through whose time somebody goes."""

    async def press(self, *keys: str) -> None:
        """Until the last moment that was asked for stands on the screen."""
        await super().press(*keys)
        await self.come()

    async def come(self) -> None:
        await self.pilot.pause()
        await awaited(self.pilot, self.is_at_rest)
        await self.pilot.pause()

    def is_at_rest(self) -> bool:
        return not self.dashboard._is_looking and all(worker.is_finished for worker in self.app.workers)

    @property
    def second(self) -> float:
        """Of the moment that is shown."""
        return self.dashboard.moment.at.mono_s - MONO_S

    @property
    def chart(self) -> HeapPane:
        return self.dashboard.query_one(HeapPane)


Travel = Callable[..., AbstractAsyncContextManager[Traveller]]


@pytest.fixture
def replay(file: Path) -> Travel:
    @asynccontextmanager
    async def replaying(width: int = 160, height: int = 45, at_s: float | None = None) -> AsyncIterator[Traveller]:
        past = Past(Recording.open(file), is_of_file=True)
        watches = replays(past)
        session = watches.open(past.run.target)
        dashboard = Dashboard(session, watches, at_s=at_s)
        async with MemdashApp(lambda: dashboard).run_test(size=(width, height)) as pilot:
            traveller = Traveller(pilot, FakeSession(session.snapshot()), [0.0])
            await traveller.come()
            yield traveller
        watches.close()

    return replaying


@pytest.fixture
def past(file: Path) -> Iterator[Past]:
    past = Past(Recording.open(file))
    yield past
    past.close()


@pytest.fixture
def live(past: Past, seen: Sequence[Snapshot]) -> Travel:
    """A watch that goes on, over what has been recorded of it."""

    @asynccontextmanager
    async def watching(width: int = 160, height: int = 45) -> AsyncIterator[Traveller]:
        session = FakeSession(seen[-2])
        session.recorded = past
        dashboard = Dashboard(session, Watches(lambda _: session), wall_s=lambda: NOON_S + SECONDS)
        async with MemdashApp(lambda: dashboard).run_test(size=(width, height)) as pilot:
            traveller = Traveller(pilot, session, [0.0])
            await traveller.come()
            yield traveller

    return watching


async def test_a_replay_opens_at_its_newest_moment(replay: Travel) -> None:
    async with replay() as there:
        assert there.second == SECONDS - 1
        assert there.lines[0].startswith(" ▶ replay 12:14:20 · 6m39s of 6m39s")
        assert "stale" not in there.lines[0]
        assert there.lines[1].startswith(" 12:07:41 ")
        assert there.lines[1].endswith("█ 12:14:20 ← → , .")
        assert "force GC" not in there.lines[-1]
        assert "pause" not in there.lines[-1]


async def test_all_panes_move_together(replay: Travel, seen: Sequence[Snapshot]) -> None:
    async with replay(at_s=MONO_S + 125) as there:
        assert there.second == 125
        then = seen[125]
        text = "\n".join(there.lines)
        assert "replay 12:09:46 · 2m05s of 6m39s" in text
        assert "Threads 13" in text
        heap = next(line for line in there.lines if "HeapAlloc" in line)
        memstats = then.sample.memstats
        assert isinstance(memstats, MemStats)
        assert isinstance(memstats.HeapAlloc, int)
        assert byte_size(memstats.HeapAlloc) in heap


async def test_a_step_is_one_cell_of_the_chart(replay: Travel) -> None:
    async with replay() as there:
        cell_s = there.chart.cell_s
        await there.press("left")
        assert SECONDS - 1 - cell_s - 1 <= there.second <= SECONDS - 1 - cell_s + 1
        await there.press("right")
        assert there.second == SECONDS - 1
        assert not there.dashboard.is_away
        await there.press("plus", "left")
        assert there.second == SECONDS - 2


async def test_a_key_that_is_held_leads_where_its_last_press_does(replay: Travel) -> None:
    async with replay() as there:
        await there.press("plus")
        for _ in range(25):
            await there.pilot.press("left")
        await there.come()
        assert there.second == SECONDS - 26


async def test_nothing_jumps_while_time_goes_by(replay: Travel) -> None:
    async with replay(at_s=MONO_S + 300) as there:
        regions = [pane.region for pane in there.dashboard.query("#body > *")]
        name_at = there.lines[0].index("shop-server")
        for keys in (["left"], ["shift+left"], ["left", "left"], ["home"], ["comma"], ["full_stop"]):
            await there.press(*keys)
            assert there.lines[0].index("shop-server") == name_at
            assert [pane.region for pane in there.dashboard.query("#body > *")] == regions


async def test_ends_of_time(replay: Travel) -> None:
    async with replay() as there:
        await there.press("home")
        assert there.second == 0
        await there.press("left")
        assert there.second == 0
        await there.press("end")
        assert there.second == SECONDS - 1
        assert not there.dashboard.is_away


async def test_alerts_and_marks_are_stops(replay: Travel, seen: Sequence[Snapshot]) -> None:
    async with replay(at_s=MONO_S + 1) as there:
        await there.press("full_stop")
        assert there.second == 100
        assert any("deploy" in line for line in there.lines)
        await there.press("comma")
        assert there.second == 100
        alerts = [stop.at_s - MONO_S for stop in stops(seen[-1].findings)]
        assert alerts
        await there.press("full_stop")
        assert there.second == alerts[0]
        await there.press("end")
        assert {"●", "▲"} & set(there.lines[1]), "an alert, grave or not"
        assert "◆" in there.lines[1]


async def test_stops_are_where_they_were_though_the_clock_was_set(file: Path, replay: Travel) -> None:
    file.unlink()
    record(file, with_clock_set(watched(130), {70: -3600.0}, {"a": range(60, 110), "b": range(90, 400)}))
    async with replay(at_s=MONO_S + 1) as there:
        for key, seconds in (("full_stop", [60, 90, 90]), ("comma", [60, 60]), ("home", [0])):
            for second in seconds:
                await there.press(key)
                assert there.second == second
        assert sum(line.count("●") for line in there.lines[1:3]) == 2


async def test_the_chart_stays_and_its_cursor_moves(replay: Travel) -> None:
    async with replay(at_s=MONO_S + 330) as there:
        end_s = there.dashboard._end_s
        places = []
        for _ in range(3):
            await there.press("left")
            rows = [line for line in there.lines if "│" in line][4]
            places.append(rows)
        assert there.dashboard._end_s == end_s
        assert len(set(places)) == 3
        assert "12:1" in "\n".join(there.lines)
        assert "now" not in "\n".join(there.lines[3:20])


async def test_the_mouse_points_at_moments(replay: Travel) -> None:
    async with replay() as there:
        chart = there.chart
        await there.pilot.click(chart, offset=(chart.size.width // 2, 5))
        await there.come()
        assert there.dashboard.is_away
        assert SECONDS - 300 < there.second < SECONDS - 60
        bar = there.dashboard.query_one(TimeBar)
        await there.pilot.click(bar, offset=(bar.size.width // 2, 0))
        await there.come()
        assert abs(there.second - SECONDS / 2) < 30
        await there.pilot.mouse_down(bar, offset=(bar.size.width // 2, 0))
        await there.pilot._post_mouse_events([MouseMove], bar, (12, 0), button=1)
        await there.pilot.mouse_up(bar, offset=(12, 0))
        await there.come()
        assert there.second < 20


async def test_nothing_is_done_to_what_is_past(replay: Travel) -> None:
    async with replay() as there:
        await there.press("ctrl+g")
        await there.pilot.pause()
        notes = [note.message for note in there.app._notifications]
        assert notes == ["This is a replay: nothing can be done to what was recorded"]
        await there.press("a")
        assert len(there.app._notifications) == 2


async def test_a_mark_is_kept_with_its_note(replay: Travel) -> None:
    async with replay(at_s=MONO_S + 250) as there:
        await there.pilot.press("m")
        assert isinstance(there.app.screen, NoteScreen)
        there.app.screen.query_one(Input).value = "cache [warm]"
        await there.press("enter")
        assert "cache [warm]" in "\n".join(there.lines)
        await there.press("end", "comma")
        while there.second > 250:
            await there.press("comma")
        assert there.second == 250


async def test_marks_and_baselines_wait_for_a_disk_beside_the_screen(
    replay: Travel, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, waited, real = Event(), list[bool](), Past.at

    def slow(past: Past, *args: Any, **how: Any) -> Snapshot:
        waited.append(answers.wait(30))
        return real(past, *args, **how)

    async with replay(at_s=MONO_S + 250) as there:
        monkeypatch.setattr(Past, "at", slow)
        for note in ("first", "second"):
            await there.pilot.press("m")
            assert isinstance(there.app.screen, NoteScreen)
            there.app.screen.query_one(Input).value = note
            await there.pilot.press("enter")
        await there.pilot.press("b")
        assert not waited
        answers.set()
        await there.come()
        assert all(waited)
        assert there.dashboard.moment.baseline.at.mono_s == MONO_S + 250
        assert {"first", "second"} <= {finding.summary for finding in there.dashboard.moment.findings}


async def test_changes_count_from_a_moment_that_is_shown(replay: Travel) -> None:
    async with replay(at_s=MONO_S + 130) as there:
        await there.press("b")
        await there.press("end")
        assert "Δ since baseline 12:09:" in "\n".join(there.lines)
        assert there.dashboard.moment.baseline.at.mono_s == MONO_S + 130
        await there.press("home")
        assert "Δ against baseline 12:09:" in "\n".join(there.lines)


async def test_a_live_watch_is_rewound_and_followed_again(live: Travel, seen: Sequence[Snapshot]) -> None:
    async with live() as there:
        assert there.lines[0].startswith(" ● live")
        assert not there.dashboard.query_one(TimeBar).display
        await there.press("shift+left")
        ago = SECONDS - 2 - there.second
        assert ago > 10
        assert there.lines[0].startswith(f" ◀ rewound {duration(ago)} · 12:")
        there.session.publish(seen[-1])
        await there.come()
        assert SECONDS - 2 - there.second == ago
        await there.press("end")
        assert there.second == SECONDS - 1
        assert there.lines[0].startswith(" ● live")


async def test_pause_and_rewind_are_one_thing(live: Travel) -> None:
    async with live() as there:
        await there.press("space")
        assert "paused" in there.lines[0]
        await there.press("left")
        assert "rewound" in there.lines[0]
        await there.press("space")
        assert there.lines[0].startswith(" ● live")


async def test_a_watch_without_a_past_says_so(live: Travel, past: Past) -> None:
    async with live() as there:
        there.session.recorded = Missing("nothing has been recorded yet", "it begins two seconds after the watch")
        await there.press("left")
        assert not there.dashboard.is_away
        notes = [note.message for note in there.app._notifications]
        assert notes == ["Nothing has been recorded yet. It begins two seconds after the watch"]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (60, 12), (40, 8)])
async def test_it_fits_every_terminal(replay: Travel, width: int, height: int) -> None:
    async with replay(width, height, at_s=MONO_S + 300) as there:
        await there.press("left")
        assert len(there.lines) == height
        assert max(map(len, there.lines)) <= width
        if width >= 60:
            assert "replay 12:12:" in there.lines[0]


async def test_a_look_at_another_watch_holds_up_no_step_through_this_one(
    live: Travel, past: Past, file: Path, seen: Sequence[Snapshot], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = Event()
    slow = Past(Recording.open(file))

    def answered(*_: object, **__: object) -> Snapshot:
        assert answers.wait(30)
        return seen[9]

    monkeypatch.setattr(slow, "at", answered)
    async with live() as there:
        there.session.recorded = slow
        await there.pilot.press("left")
        other = FakeSession(seen[-2])
        other.recorded = past
        there.dashboard.turn_to(other)
        await there.pilot.press("home")
        try:
            await awaited(there.pilot, lambda: there.second == 0)
        finally:
            answers.set()
        await there.come()
        assert there.second == 0
    slow.close()


async def test_the_way_to_an_alert_waits_for_no_look_on_the_screens_thread(
    replay: Travel, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, waited, real = Event(), list[bool](), Recording.moment_by

    def slow(recording: Recording, mono_s: float) -> Moment:
        waited.append(answers.wait(30))
        return real(recording, mono_s)

    async with replay(at_s=MONO_S + 200) as there:
        monkeypatch.setattr(Recording, "moment_by", slow)
        await there.pilot.press("left")
        await there.pilot.press("comma")
        await there.pilot.press("comma")
        assert not waited
        answers.set()
        await awaited(there.pilot, lambda: there.second == 100)
