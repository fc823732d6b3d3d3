"""Every key does what help says of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memdash.model.missing import Missing
from memdash.tables.sites import Measure, SiteOrder
from memdash.ui.panes.memstats import MemStatsPane
from memdash.ui.panes.sites import SitesPane
from tests.ui.conftest import Show, a_watch


@pytest.mark.parametrize(
    ("before", "key"),
    [((), "q"), (("4",), "q"), ((), "ctrl+c"), (("slash",), "ctrl+c"), (("slash",), "ctrl+q")],
)
async def test_quits(show: Show, key: str, before: tuple[str, ...]) -> None:
    async with show() as shown:
        await shown.press(*before)
        await shown.pilot.press(key)
        await shown.pilot.pause()
        assert not shown.app.is_running


async def test_a_letter_in_a_filter_quits_nothing(show: Show) -> None:
    async with show() as shown:
        await shown.press("slash", "q")
        assert shown.app.is_running


async def test_escape_goes_back_one_level_and_never_quits(show: Show) -> None:
    async with show() as shown:
        await shown.press("4", "slash", "j", "s", "o", "enter")
        assert "only 'jso'" in shown.text
        assert "MemStats" not in shown.text
        await shown.press("escape")
        assert "only" not in shown.text
        assert "MemStats" not in shown.text
        await shown.press("escape")
        assert "MemStats" in shown.text
        await shown.press("escape", "escape", "escape")
        assert shown.app.is_running


async def test_the_filter_works_while_it_is_typed(show: Show) -> None:
    async with show() as shown:
        await shown.press("slash", "J", "S")
        assert "encoding/json" in shown.text
        assert "session.New" not in shown.text
        await shown.press("z", "z")
        assert "no site matches 'JSzz'" in shown.text
        await shown.press("escape")
        assert "session.New" in shown.text


async def test_n_goes_round_the_matches(show: Show) -> None:
    async with show() as shown:
        sites = shown.dashboard.query_one(SitesPane)
        await shown.press("n")
        assert sites.row is not None
        assert "cart" in sites.row.key
        await shown.press("slash", "j", "s", "o", "enter", "n")
        assert "MarshalJSON" in sites.row.key
        await shown.press("n")
        assert "json" in sites.row.key
        await shown.press("N")
        assert "MarshalJSON" in sites.row.key


async def test_filter_applies_to_the_pane_in_use(show: Show) -> None:
    async with show() as shown:
        await shown.press("1", "slash", "i", "d", "l", "e", "enter")
        assert "HeapIdle" in shown.text
        assert "HeapInuse" not in shown.text
        await shown.press("escape", "5", "slash", "p", "9", "9", "enter")
        assert "pause p99" in shown.text
        assert "baseline set" not in shown.text


async def test_sorting(show: Show) -> None:
    async with show() as shown:
        sites = shown.dashboard.query_one(SitesPane)

        def first() -> str:
            return sites.table.rows[0].key

        def order() -> SiteOrder:
            return sites.sites.order

        assert "inuse ▼" in shown.text
        await shown.press("s")
        assert order() is SiteOrder.OBJECTS
        assert "objects ▼" in shown.text
        await shown.press("s", "s")
        assert first().startswith("bufio.")
        assert "function ▲" in shown.text
        await shown.press("r")
        assert first().startswith("time.")
        assert "function ▼" in shown.text
        await shown.press("S", "S", "S", "S")
        assert order() is SiteOrder.WHERE
        column = next(line for line in shown.lines if "Δ baseline" in line).index("objects")
        top = next(number for number, line in enumerate(shown.lines) if "Δ baseline" in line)
        await shown.pilot.click(offset=(column, top))
        await shown.settle()
        assert order() is SiteOrder.OBJECTS
        await shown.pilot.click(offset=(column, top))
        await shown.settle()
        assert sites.sites.reversed


async def test_the_four_measures(show: Show) -> None:
    async with show() as shown:
        sites = shown.dashboard.query_one(SitesPane)
        for key, measure in (
            ("i", Measure.ALLOC_SPACE),
            ("o", Measure.ALLOC_OBJECTS),
            ("i", Measure.INUSE_OBJECTS),
            ("o", Measure.INUSE_SPACE),
        ):
            await shown.press(key)
            assert sites.sites.measure is measure
            assert measure.label in shown.text


async def test_a_measure_that_is_not_known_says_why_and_is_not_switched_to(show: Show) -> None:
    watch = a_watch(5)
    assert not isinstance(watch.sample.sites, Missing)
    profile = replace(watch.sample.sites, no_alloc=Missing("what has been freed is forgotten"))
    async with show(replace(watch, sample=replace(watch.sample, sites=profile))) as shown:
        await shown.press("i")
        assert Measure.INUSE_SPACE.label in shown.text
        assert [note.message for note in shown.app._notifications] == ["What has been freed is forgotten"]
        await shown.press("o")
        assert Measure.INUSE_OBJECTS.label in shown.text
        await shown.press("enter")
        assert "what has been freed is forgotten" in shown.text


async def test_baseline(show: Show) -> None:
    async with show() as shown:
        for key in "bB":
            await shown.press(key)
            await shown.built()
        assert (shown.session.baselines, shown.session.cleared) == (1, 1)


async def test_zoom(show: Show) -> None:
    async with show() as shown:
        for key, span in (("plus", "1m"), ("plus", "1m"), ("minus", "5m"), ("minus", "15m"), ("equals_sign", "5m")):
            await shown.press(key)
            assert f"last {span} " in shown.text
        for _ in range(9):
            await shown.press("minus")
        assert "last 1d " in shown.text


TITLES = {"1": "MemStats", "2": "Heap", "3": "GC", "4": "Top allocation sites", "5": "Alerts"}


@pytest.mark.parametrize("size", [(160, 45), (80, 24)])
async def test_a_number_enlarges_its_pane(show: Show, size: tuple[int, int]) -> None:
    async with show(None, *size) as shown:
        whole = shown.lines
        for key, title in TITLES.items():
            await shown.press(key)
            assert sum(line.startswith("╭") for line in shown.lines) == 1
            assert title in shown.lines[1]
            assert shown.lines[-2].startswith("╰")
            await shown.press("e" if key == "3" else key)
            if size == (160, 45):
                assert shown.lines[:-1] == whole[:-1]  # the keys below are those of the pane in use
            else:
                assert sum(line.startswith("╭") for line in shown.lines) == 2


async def test_tab_walks_through_the_panes(show: Show) -> None:
    async with show() as shown:
        seen = []
        for _ in range(5):
            assert shown.app.focused is not None
            seen.append(shown.app.focused.id)
            await shown.press("tab")
        assert seen == ["sites", "alerts", "memstats", "heap", "gc"]
        await shown.press("shift+tab", "shift+tab", "left_square_bracket")
        assert isinstance(shown.app.focused, MemStatsPane)


async def test_tabs_of_a_small_screen(show: Show) -> None:
    async with show(None, 80, 24) as shown:
        for title, words in (
            ("[GC]", "next target"),
            ("[Alerts (1)]", "baseline set"),
            ("[All MemStats]", "HeapObjects"),
            ("[Sites]", "cart.(*Store).Add"),
        ):
            await shown.press("right_square_bracket")
            assert title in shown.text
            assert words in shown.text
        await shown.press("left_square_bracket")
        assert "[All MemStats]" in shown.text
        line = next(number for number, text in enumerate(shown.lines) if "[All MemStats]" in text)
        await shown.pilot.click(offset=(shown.lines[line].index("GC") + 1, line))
        await shown.settle()
        assert "[GC]" in shown.text


async def test_copy_takes_the_row_in_full(show: Show) -> None:
    async with show() as shown:
        await shown.press("y")
        assert shown.app.clipboard == "cart.(*Store).Add /src/shop/cart/store.go:118"
        await shown.press("5", "y")
        assert shown.app.clipboard.startswith("12:07:36  ▲ CRIT  for 5.0 s  live heap grows")


async def test_enter_on_a_figure_explains_it(show: Show) -> None:
    async with show() as shown:
        await shown.press("1", "slash", "S", "y", "s", "enter", "g", "enter")
        assert "Address space the runtime took from the system" in shown.text
        await shown.press("escape")
        assert "only 'Sys'" in shown.text


async def test_enter_on_an_alert_shows_all_of_it(show: Show) -> None:
    async with show(None, 80, 24) as shown:
        assert "in 2m00s" not in shown.text
        await shown.press("5", "enter")
        assert "in 2m00s" in shown.text
        await shown.press("q")
        assert shown.app.is_running


async def test_sorting_stays_with_the_columns_in_view_and_shows_its_arrow(show: Show) -> None:
    async with show(width=120, height=40) as shown:
        assert "objects" not in shown.text.replace("bytes/objects", "")
        await shown.press("s")
        assert shown.dashboard.query_one(SitesPane).sites.order is SiteOrder.CHANGE
        assert "Δ baseline▼" in shown.text
