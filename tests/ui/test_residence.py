"""The screen that says where RSS comes from."""

from __future__ import annotations

from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from memdash.model.missing import Missing
from memdash.model.residence import MappingKind
from memdash.ui.app import Options
from memdash.ui.screens.residence import ResidenceScreen
from memdash.units import MIB
from tests.fakes import memstats
from tests.pages import a_group, resident, some_mappings
from tests.ui.conftest import Show, Shown

CLOSED = Missing("the kernel shows the memory map of a process only to its owner", "run memdash as that user")


@pytest.mark.parametrize("size", [(160, 45), (120, 40), (80, 24)], ids=["160x45", "120x40", "80x24"])
async def test_steps_words_and_mappings(show: Show, size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    async with show(resident(), *size) as shown:
        await shown.press("M")
        assert shown.text == snapshot
        await shown.press("escape")
        assert "MemStats" in shown.text


async def test_enter_on_rss_opens_it(show: Show) -> None:
    async with show(resident()) as shown:
        await shown.press("1", "slash", *"RSS", "enter", "enter")
        assert isinstance(shown.app.screen, ResidenceScreen)


async def test_the_words_are_those_of_the_step_under_the_cursor(show: Show) -> None:
    async with show(resident(), 120, 40) as shown:
        await shown.press("M")
        assert "Hold less: the allocation sites say who asked for it." in shown.text
        await shown.press("j", "j", "j")
        assert "debug.FreeOSMemory returns all at once" in shown.text
        await shown.press("G")
        assert "Resident set: all pages" in shown.text


async def test_on_a_small_screen_steps_and_mappings_take_turns(show: Show) -> None:
    async with show(resident(), 80, 24) as shown:
        await shown.press("M")
        assert "live heap" in shown.text
        assert "catalogue.db" not in shown.text
        await shown.press("tab")
        assert "live heap" not in shown.text
        assert "/srv/shop/catalogue.db" in shown.text
        await shown.press("tab")
        assert "live heap" in shown.text


async def test_whatever_the_size_it_stands(show: Show) -> None:
    async with show(resident(), 60, 12) as shown:
        await shown.press("M", "tab")
        for size in ((20, 5), (1, 1), (40, 8), (120, 40)):
            await shown.pilot.resize_terminal(*size)
            await shown.press("tab", "j")
        await shown.settle()
        assert "This is fragmentation" in shown.text
        assert "/srv/shop/catalogue.db" in shown.text


async def test_enter_says_all_about_a_mapping(show: Show) -> None:
    hostile = some_mappings(a_group(MappingKind.FILE, 600, "/srv/[red]\x1b[2Jdb"))
    async with show(resident(hostile), 120, 40) as shown:
        await shown.press("M", "tab", "enter")
        assert "/srv/[red]\\e[2Jdb" in shown.text
        assert "its share of it  600.0 MiB" in shown.text
        await shown.press("escape", "escape")
        assert "MemStats" in shown.text


async def looked_again(shown: Shown) -> None:
    """It looks at the newest moment whenever it is laid out anew."""
    await shown.press("tab", "tab")
    await shown.settle()


async def test_it_follows_the_watch(show: Show) -> None:
    async with show(resident(), 120, 40) as shown:
        await shown.press("M")
        assert "320.0 MiB" in shown.text
        shown.session.publish(resident(memstats(200 * MIB)))
        await looked_again(shown)
        assert "200.0 MiB" in shown.text


async def test_a_frozen_view_stays_frozen(show: Show) -> None:
    async with show(resident(), 120, 40) as shown:
        await shown.press("space", "M")
        shown.session.publish(resident(memstats(200 * MIB)))
        await looked_again(shown)
        assert "320.0 MiB" in shown.text


async def test_what_may_not_be_read_says_why(show: Show) -> None:
    async with show(replace(resident(), residence=CLOSED), 100, 30) as shown:
        await shown.press("M")
        assert CLOSED.words in shown.text.replace("\n", " ")
        await shown.press("tab", "enter", "j")


async def test_in_ascii(show: Show) -> None:
    async with show(resident(), 120, 40, Options(ascii=True)) as shown:
        await shown.press("M")
        assert shown.text.isascii()
        assert "####" in shown.text
        assert "----" in shown.text
