"""The source beside a row."""

from __future__ import annotations

from dataclasses import replace

from memdash.ui.screens.drill.site import SiteScreen
from memdash.ui.screens.drill.source import SourceView
from tests.ui.conftest import Show, a_watch
from tests.ui.screens.conftest import Sources


async def test_the_text_of_a_file_never_stands_for_that_of_another(show: Show, sources: Sources) -> None:
    sources.write("other.go", ["package other"])
    watch = a_watch()
    async with show(watch, 80, 24, sources=sources.path) as shown:
        await shown.press("enter")
        await shown.built()
        view = shown.app.screen.query_one(SourceView)
        assert "s.items[user] = app" in shown.text
        screen = shown.app.screen
        assert isinstance(screen, SiteScreen)
        look = screen.look(watch, 80)
        assert look.frame is not None
        view.show(replace(look, frame=look.frame._replace(file="/src/other.go", line=1), held={}), watch)
        assert "s.items" not in shown.text
        await shown.settle()
        await shown.built()
        assert "package other" in shown.text


async def test_why_there_is_no_source_has_the_room_that_the_lines_leave(show: Show) -> None:
    async with show(a_watch(), 80, 24) as shown:
        await shown.press("enter")
        await shown.built()
        assert isinstance(shown.app.screen, SiteScreen)
        text = " ".join(line.strip("│ ") for line in shown.lines)
        assert "--trim-path what to cut off the front of a path" in text
        assert "118 →" in text
