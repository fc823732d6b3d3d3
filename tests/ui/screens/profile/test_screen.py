"""What all views of a profile share."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memdash.model.capability import Capability, Source
from memdash.model.missing import Missing
from memdash.model.sample import Instant, Origin
from memdash.model.snapshot import Before, State
from memdash.model.target import Ending
from memdash.session.profiles import profile_name, profile_of
from memdash.ui.panes.sites import SitesPane
from memdash.units import clock_time, file_time
from tests.fakes import NOON_S
from tests.ui.conftest import Show, a_profile_of, a_watch, until

ENDED = replace(a_watch(), state=State.ENDED, ending=Ending(at_s=NOON_S, signal_number=9))
KEYS = {"top": "d", "list": "l", "flame": "f"}


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


@pytest.mark.parametrize("view", ["top", "list", "flame"])
async def test_it_is_told_how_the_target_stands(show: Show, view: str) -> None:
    async with show() as shown:
        await shown.press(KEYS[view])
        await shown.built()
        assert "ended" not in shown.lines[0]
        shown.session.publish(ENDED)
        await until(shown.pilot, lambda: " · ended · " in shown.text)


async def test_following_makes_nothing_anew_while_nothing_is_new_and_ends_with_the_target(show: Show) -> None:
    async with show() as shown:
        await shown.press("f")
        await shown.built()
        await shown.press("space")
        await shown.built()
        moment = shown.app.screen.caption.moment  # type: ignore[attr-defined]  # a ProfileScreen
        await shown.press("space", "space")
        await shown.built()
        assert shown.app.screen.caption.moment is moment  # type: ignore[attr-defined]
        assert "following" in shown.text
        await shown.press("space")
        await shown.publish(a_watch(301, a_profile_of()))
        await shown.press("space")
        await shown.built()
        assert shown.app.screen.caption.moment is not moment  # type: ignore[attr-defined]
        shown.session.publish(ENDED)
        await until(shown.pilot, lambda: "following" not in shown.text)
        await shown.press("space")
        assert "following" not in shown.text


async def test_the_time_is_that_of_the_reading(show: Show) -> None:
    """Costly sites are read more seldom than the rest: what is shown, saved and compared is as old as they are."""
    watch = a_watch(60)
    read = Instant(watch.at.wall_s - 40, watch.at.mono_s - 40)
    origins = {**watch.sample.origins, Capability.SITES: Origin(Source.MEMORY, read)}
    watch = replace(watch, sample=replace(watch.sample, origins=origins), since={Capability.SITES: read})
    before = replace(watch, before=Before(watch.sample.sites))
    async with show(before) as shown:
        assert "read 40 s ago" in shown.text
        await shown.press("d")
        await shown.built()
        assert f"at {clock_time(read.wall_s)}" in shown.lines[0]
        assert "the profile has not been read again since the baseline at" in shown.text
        assert "nothing has changed" not in shown.text
    assert file_time(read.wall_s) in profile_name(watch)
    assert profile_of(watch).document.time_ns == round(read.wall_s * 1e9)


async def test_rows_of_now_bear_no_age(show: Show) -> None:
    async with show() as shown:
        assert "ago" not in shown.dashboard.query_one(SitesPane).remark
