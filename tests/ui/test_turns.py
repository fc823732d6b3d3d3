"""What comes in one write is what was typed, however slow a screen is to follow."""

from __future__ import annotations

import pytest
from textual import events
from textual.widgets import Input

from memdash.ui.screens.profile.filters import FiltersScreen
from memdash.ui.screens.save import SaveScreen
from memdash.ui.widgets.filter import FilterBar
from tests.ui.conftest import Show, Shown, awaited

_NAMES = {"/": "slash", "\x13": "ctrl+s", "\x15": "ctrl+u", "\r": "enter", "\x1b": "escape"}


async def written(shown: Shown, text: str) -> None:
    """All at once, as a terminal hands on what is pasted or typed fast; then until there is no more of it."""
    driver = shown.app._driver
    assert driver is not None
    for character in text:
        key = _NAMES.get(character, character)
        driver.send_message(events.Key(key, character))
    await shown.settle()
    await awaited(shown.pilot, lambda: not shown.app._waiting and not shown.app._left)
    await shown.built()


@pytest.mark.parametrize("opening", ["", "f", "t", "d"])
async def test_text_after_a_slash_is_looked_for(show: Show, opening: str) -> None:
    async with show() as shown:
        await written(shown, f"{opening}/quit")
        assert shown.app.is_running
        assert shown.app.screen.query_one(FilterBar).value == "quit"


async def test_after_enter_keys_are_keys_again(show: Show) -> None:
    async with show() as shown:
        await written(shown, "/json\r4")
        assert not shown.app.screen.query(FilterBar)
        assert "only 'json'" in shown.text
        assert "MemStats" not in shown.text
        await written(shown, "\x1b4/q")
        assert shown.dashboard.query_one(FilterBar).value == "q"


async def test_a_dialog_misses_nothing(show: Show) -> None:
    async with show() as shown:
        await written(shown, "\x13\x15/srv/qu")
        screen = shown.app.screen
        assert isinstance(screen, SaveScreen)
        assert screen.query_one(Input).value == "/srv/qu"
        await written(shown, "\x15/srv\x15kept")
        assert screen.query_one(Input).value == "kept"


async def test_an_expression_is_not_taken_for_keys(show: Show) -> None:
    async with show() as shown:
        await written(shown, "tFquit.*B")
        screen = shown.app.screen
        assert isinstance(screen, FiltersScreen)
        assert screen.query_one("#focus", Input).value == "quit.*B"


async def test_a_paste_stays_among_the_keys(show: Show) -> None:
    async with show() as shown:
        driver = shown.app._driver
        assert driver is not None
        driver.send_message(events.Key("slash", "/"))
        driver.send_message(events.Paste("bq"))
        await written(shown, "x")
        assert shown.dashboard.query_one(FilterBar).value == "bqx"


@pytest.mark.parametrize("key", ["ctrl+c", "ctrl+q"])
async def test_quitting_waits_for_no_turn(show: Show, key: str) -> None:
    async with show() as shown:
        shown.app._left = 99  # a key whose turn never ends
        await shown.pilot.press(key)
        await shown.pilot.pause()
        assert not shown.app.is_running


async def test_a_widget_that_went_with_its_key_stops_nothing(show: Show) -> None:
    async with show() as shown:
        shown.dashboard.set_focus(None)
        await written(shown, "/a\r/b\x1bd\x1b/end")
        assert shown.app.screen.query_one(FilterBar).value == "end"
