"""What all views of a profile share."""

from __future__ import annotations

from dataclasses import replace

from memdash.model.missing import Missing
from memdash.model.snapshot import Before
from tests.ui.conftest import Show, a_watch


async def test_a_view_is_one_key_away_and_esc_leads_back(show: Show) -> None:
    async with show() as shown:
        await shown.press("d")
        await shown.built()
        assert "cart.(*Store).Add" in shown.text
        assert "flat%" in shown.text
        await shown.press("escape")
        await shown.settle()
        assert shown.app.screen is shown.dashboard


async def test_differences_bear_their_signs(show: Show) -> None:
    async with show() as shown:
        await shown.press("d")
        await shown.built()
        row = next(line for line in shown.lines if "net/http.(*Request).Clone" in line)
        assert "-" in row or "−" in row


async def test_bytes_and_objects_take_turns(show: Show) -> None:
    async with show() as shown:
        await shown.press("d")
        await shown.built()
        await shown.press("o")
        await shown.built()
        assert "inuse_objects" in shown.text
        await shown.press("i")
        await shown.built()
        assert "alloc_objects" in shown.text


async def test_without_a_profile_it_says_why(show: Show) -> None:
    why = Missing("this program does not link Go's heap profiler", "import net/http/pprof")
    watch = a_watch(5)
    watch = replace(watch, groups=why, sample=replace(watch.sample, sites=why), before=Before(why, why))
    async with show(watch) as shown:
        await shown.press("d")
        await shown.built()
        assert "does not link Go's heap profiler" in shown.text
