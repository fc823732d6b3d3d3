"""Work beside the screen: what becomes of it is told, and what goes wrong ends nothing else."""

from __future__ import annotations

import gc
from collections.abc import Callable
from threading import Event
from typing import Any
from weakref import ref

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen

from memdash.errors import Defect, MemdashError
from memdash.ui.beside import beside
from tests.ui.conftest import until


class Told:
    """What was done, and what failed."""

    def __init__(self, pilot: Pilot[None]) -> None:
        self.pilot = pilot
        self.done: list[str] = []
        self.failed: list[MemdashError] = []

    def begin(self, work: Callable[[], str], done: Callable[[str], None] | None = None) -> None:
        beside(self.pilot.app.screen, work, done or self.done.append, self.failed.append, group="some")

    async def end(self) -> None:
        await self.pilot.app.workers.wait_for_complete()
        await self.pilot.pause()


async def test_a_defect_in_the_work_or_in_showing_it_is_told_and_the_app_goes_on() -> None:
    def show(_: str) -> None:
        raise KeyError("shown")

    async with App[None]().run_test() as pilot:
        told = Told(pilot)
        told.begin(lambda: str(1 // 0))
        await told.end()
        told.begin(lambda: "fine", show)
        await told.end()
        told.begin(lambda: "fine")
        await told.end()
        assert [(type(error), error.what) for error in told.failed] == [
            (Defect, "a defect of memdash: ZeroDivisionError: integer division or modulo by zero"),
            (Defect, "a defect of memdash: KeyError: 'shown'"),
        ]
        assert told.done == ["fine"]


async def test_nobody_hears_of_what_was_overtaken() -> None:
    go_on = Event()
    async with App[None]().run_test() as pilot:
        told = Told(pilot)
        told.begin(lambda: f"late {go_on.wait(30)}")
        told.begin(lambda: "first")
        await until(pilot, lambda: told.done)
        go_on.set()
        await told.end()
        assert (told.done, told.failed) == (["first"], [])


async def test_nobody_hears_of_what_is_overtaken_at_the_last_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, handing_over = Event(), Event(), Event()
    handed_over: list[object] = []

    def work() -> str:
        begun.set()
        return f"late {go_on.wait(30)}"

    async with App[None]().run_test() as pilot:
        hand_over = pilot.app.call_from_thread

        def announced(*given: Any) -> None:
            handing_over.set()
            handed_over.append(hand_over(*given))

        monkeypatch.setattr(pilot.app, "call_from_thread", announced)
        told = Told(pilot)
        told.begin(work)
        await until(pilot, begun.is_set)
        go_on.set()
        assert handing_over.wait(30)  # the screen's thread stands still meanwhile: what is handed over has to wait
        told.begin(lambda: "first")
        await until(pilot, lambda: len(handed_over) == 2)
        assert (told.done, told.failed) == (["first"], [])


async def test_a_screen_that_was_left_is_not_kept_by_the_thread_that_worked_for_it() -> None:
    async with App[None]().run_test() as pilot:
        await pilot.app.push_screen(Screen[None]())
        told = Told(pilot)
        told.begin(lambda: "done")
        await told.end()
        assert told.done == ["done"]
        left = ref(pilot.app.screen)
        await pilot.app.pop_screen()
        for _ in range(100):  # Textual lets go of it a few turns later
            await pilot.pause()
            gc.collect()
            if left() is None:
                break
        assert left() is None
