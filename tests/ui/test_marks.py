"""A moment is marked where it can be; nobody types a note in vain."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from memdash.errors import RecordingError
from memdash.ui.screens.note import NoteScreen
from tests.ui.conftest import Show


@pytest.mark.parametrize("closing", ["escape", "enter"])
async def test_where_no_moment_can_be_marked_that_is_said_at_once(
    show: Show, monkeypatch: pytest.MonkeyPatch, closing: str
) -> None:
    def refused() -> None:
        raise RecordingError("no moment of it can be marked: run.mdr is being written by another memdash")

    async with show() as shown:
        monkeypatch.setattr(shown.session, "require_markable", refused)
        await shown.pilot.press("m")
        await shown.built()
        assert "run.mdr is being written" in shown.text
        await shown.press("q", "f", "space", "tab", "x")  # somebody is still typing
        assert "run.mdr is being written" in shown.text, "none of these is a key of the dashboard"
        assert not shown.app._notifications
        await shown.press(closing)
        assert shown.app.is_running
        assert shown.app.screen is shown.dashboard
        (told,) = shown.app._notifications
        assert "run.mdr is being written by another memdash" in str(told.message)
        assert shown.session.marked == []


async def test_where_it_can_be_the_note_is_asked_for(show: Show) -> None:
    async with show() as shown:
        await shown.pilot.press("m")
        await shown.built()
        assert isinstance(shown.app.screen, NoteScreen)
        shown.app.screen.query_one(Input).value = "deploy"
        await shown.pilot.press("enter")
        await shown.built()
        assert [note for note, _ in shown.session.marked] == ["deploy"]
