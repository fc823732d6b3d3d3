"""Focus, ignore, hide and show."""

from __future__ import annotations

from memdash.ui.screens.profile.study import Lens
from tests.ui.screens.profile.conftest import NOW, THEN, ShowView, a_study


async def test_filters_hold_in_all_views_and_are_written_in_the_frame(show_view: ShowView) -> None:
    async with show_view("top", a_study(NOW, THEN)) as shown:
        await shown.press("F", *"grow|fresh", "down", "down", *"handle", "enter")
        await shown.built()
        assert "focus grow|fresh, hide handle" in shown.lines[0]
        assert "main.log" not in shown.text
        assert "main.handle" not in shown.text
        assert "307.0 MiB" in shown.text
        for view, title in (("t", "Tree"), ("l", "List"), ("f", "Flame")):
            await shown.press(view)
            await shown.built()
            assert title in shown.lines[0]
            assert "focus grow|fresh, hide handle" in shown.lines[0]
        await shown.press("d")
        await shown.built()
        await shown.press("F")
        assert "grow|fresh" in shown.text
        await shown.press("ctrl+r", "enter")
        await shown.built()
        assert "focus" not in shown.lines[0]
        assert "main.log" in shown.text


async def test_an_expression_that_is_none_is_told_at_its_field(show_view: ShowView) -> None:
    async with show_view("top", a_study(), 80, 24) as shown:
        await shown.press("F", "down", "(", "enter")
        at = next(number for number, line in enumerate(shown.lines) if "ignore" in line)
        assert "'(' is not a regular expression" in shown.lines[at + 1]
        await shown.pilot.resize_terminal(60, 12)
        await shown.settle()
        for words in ("focus", "ignore", "hide", "show", "enter apply", "regular expression"):
            assert words in shown.text
        await shown.press("backspace")
        assert "not a regular" not in shown.text
        await shown.press("escape")
        assert "Filters" not in shown.text


async def test_what_matches_nothing_is_told(show_view: ShowView) -> None:
    async with show_view("top", a_study(NOW, THEN, lens=Lens(is_differential=True))) as shown:
        await shown.press("F", "down", *"zz", "enter")
        await shown.built()
        assert "ignore zz (matches nothing)" in shown.lines[0]
        assert "main.log" in shown.text
        await shown.press("F", *"yy", "enter")
        await shown.built()
        assert "nothing is left: focus matched nothing; F changes the filters" in shown.text


async def test_an_expression_that_could_take_for_ever_is_told_at_its_field(show_view: ShowView) -> None:
    async with show_view("top", a_study()) as shown:
        await shown.press("F", *"(a+)+b", "enter")
        assert "could take for ever" in shown.text
