"""Themes, ASCII, no colour: whatever the terminal can do, the words are the same."""

from __future__ import annotations

import os

import pytest
from rich.color import ColorType
from textual.theme import BUILTIN_THEMES

from memdash.ui.app import Options
from memdash.ui.theme import THEMES, Palette, derived_tokens
from tests.ui.conftest import Show


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """WCAG 2 contrast of two colours."""

    def luminance(color: tuple[int, int, int]) -> float:
        parts = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in color]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


async def test_every_theme_shows_the_same_words(show: Show) -> None:
    async with show() as usual, show(options=Options(theme="nord")) as shown:
        assert shown.text == usual.text
        for theme in [theme.name for theme in THEMES] + ["ansi-dark", "ansi-light", "textual-light"]:
            shown.app.theme = theme
            await shown.settle()
            assert shown.text == usual.text, theme


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize(
    "look", ["plain", "faint", "strong", "title", "key", "grows", "shrinks", "good", "info", "warning", "critical"]
)
def test_words_of_our_themes_can_be_read(theme: object, look: str) -> None:
    style = Palette(theme)[look]  # type: ignore[arg-type]  # parametrize loses the type
    assert style.color is not None
    assert style.bgcolor is not None
    assert style.color.triplet is not None
    assert style.bgcolor.triplet is not None
    assert contrast(tuple(style.color.triplet), tuple(style.bgcolor.triplet)) >= 4.5  # type: ignore[arg-type]


@pytest.mark.parametrize("theme", BUILTIN_THEMES.values(), ids=lambda theme: theme.name)
def test_any_theme_of_textual_has_all_tokens(theme: object) -> None:
    palette = Palette(theme)  # type: ignore[arg-type]  # parametrize loses the type
    for look in derived_tokens(theme):  # type: ignore[arg-type]
        if look != "on-verdict":
            assert palette[look]


async def test_changing_the_theme_repaints_everything(show: Show) -> None:
    async with show() as shown:
        before = shown.app.export_screenshot()
        text = shown.text
        shown.app.theme = "colour-blind-light"
        await shown.settle()
        after = shown.app.export_screenshot()
        assert shown.text == text
        assert "#0d1117" in before.lower()
        assert "#0d1117" not in after.lower()


async def test_ascii_means_ascii(show: Show) -> None:
    for size in ((160, 45), (80, 24), (60, 12), (30, 6)):
        async with show(None, *size, options=Options(ascii=True)) as shown:
            for keys in ((), ("question_mark",), ("escape",), ("space",)):
                await shown.press(*keys)
                assert shown.text.isascii(), [c for c in shown.text if not c.isascii()]


async def test_ascii_keeps_every_column(show: Show) -> None:
    async with show() as usual:
        lines = usual.lines
    async with show(options=Options(ascii=True)) as shown:
        for ours, theirs in zip(shown.lines[20:], lines[20:], strict=True):
            assert len(ours) == len(theirs)


async def test_no_color_means_no_hue(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    async with show(options=Options(no_color=True)) as shown:
        for strip in shown.app.screen._compositor.render_strips():
            for segment in strip:
                for color in (segment.style.color, segment.style.bgcolor) if segment.style else ():
                    if color is not None and color.type is ColorType.TRUECOLOR and color.triplet is not None:
                        assert len(set(color.triplet)) == 1
        assert "▲ CRIT" in shown.text
    os.environ.pop("NO_COLOR", None)
