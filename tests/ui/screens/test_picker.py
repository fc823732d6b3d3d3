"""Choosing a process."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace

from memdash.model.capability import Capability
from memdash.model.target import Runtime, Target
from memdash.probes.probe import Fit, Refusal
from memdash.probes.survey import Surveyed
from memdash.ui.app import MemdashApp
from memdash.ui.screens.picker import Picker
from tests.fakes import a_target
from tests.ui.conftest import awaited, text_of

FIT = Fit(2, frozenset({Capability.MEMSTATS, Capability.GC, Capability.SITES}), Runtime.GO, "go1.27.3")


def a_process(pid: int, name: str, argv: tuple[str, ...] = (), *, go: bool = True) -> Surveyed:
    target = a_target(pid=pid, name=name, argv=argv or (f"/srv/{name}",))
    if not go:
        target = replace(target, runtime=Runtime.NATIVE, runtime_version="")
    return Surveyed(target, 100 << 20, 60.0, (("go", FIT if go else Refusal("not a Go program")),))


THREE = (
    a_process(10, "shop-server"),
    a_process(11, "postgres", go=False),
    a_process(12, "agent", ("agent", "--for", "shop")),
)


async def pick(candidates: Iterable[Surveyed], *keys: str) -> tuple[Target | None, str]:
    app = MemdashApp(lambda: Picker(lambda: candidates))
    async with app.run_test(size=(100, 20)) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        shown = text_of(pilot) if app.is_running else ""
    return app.return_value, shown


async def test_shows_what_can_be_read() -> None:
    _, shown = await pick(THREE)
    assert "shop-server" in shown
    assert "go1.27.3" in shown
    assert "MemStats GC sites" in shown
    assert "system view" in shown
    assert "3 of 3 processes" in shown


async def test_arrows_and_enter_choose() -> None:
    chosen, _ = await pick(THREE, "down", "enter")
    assert chosen is not None
    assert chosen.pid == 11


async def test_typing_filters_by_name_pid_and_argument() -> None:
    _, shown = await pick(THREE, *"shop")
    assert "2 of 3 processes" in shown
    assert "postgres" not in shown
    chosen, _ = await pick(THREE, *"12", "enter")
    assert chosen is not None
    assert chosen.name == "agent"


async def test_nothing_matches() -> None:
    chosen, shown = await pick(THREE, *"zzz", "enter")
    assert chosen is None
    assert "no process has 'zzz' in its name" in " ".join(shown.split())


async def test_escape_clears_and_never_quits() -> None:
    _, shown = await pick(THREE, *"zzz", "escape", "escape")
    assert "3 of 3 processes" in shown


async def test_leaving_chooses_nothing() -> None:
    chosen, shown = await pick(THREE, "ctrl+c")
    assert chosen is None
    assert shown == ""


async def test_hostile_names_are_shown_as_text() -> None:
    _, shown = await pick((a_process(7, "x", ("[red]\x1b[2Jname\u202e",)),))
    assert "[red]\\e[2Jname\\u202e" in shown


async def test_a_slow_search_shows_what_it_has_and_lets_go_at_once() -> None:
    gate = threading.Event()

    def slowly() -> Iterator[Surveyed]:
        yield from (a_process(pid, f"p{pid}") for pid in range(100, 140))
        gate.wait(10)
        yield THREE[0]

    app = MemdashApp(lambda: Picker(slowly))
    async with app.run_test(size=(100, 20)) as pilot:
        await awaited(pilot, lambda: "still looking" in text_of(pilot) and "p100" in text_of(pilot))
        await pilot.press("enter")
        gate.set()
    assert app.return_value is not None
    assert app.return_value.pid == 100
