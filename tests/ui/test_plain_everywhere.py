"""Words from the target reach the terminal as words, wherever they stand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memdash.model.finding import Finding, Severity
from tests.fakes import NOON_S, a_target
from tests.ui.conftest import Show, a_profile_of, a_watch

HOSTILE = (
    "[red]bold[/red]",
    "main.Map[go.shape.int,go.shape.string].func1",
    "evil\x1b[2J\x1b]52;c;aGk=\x07",
    "two\nlines\r\tand tab",
    "abc\u202egnp.exe\u202c",
    "zero\u200bwidth\ufeff",
    "lone\udcffsurrogate",
    "[/]",
    "$foreground [@click=app.quit]x[/]",
)
UNWANTED = frozenset("\x1b\x07\n\r\t\u202e\u202c\u200b\ufeff\udcff")


@pytest.mark.parametrize("size", [(160, 45), (80, 24), (60, 12)])
async def test_hostile_names_are_shown_as_text(show: Show, size: tuple[int, int]) -> None:
    sites = tuple((name, f"/src/{name}.go", 10 + n, 50.0 - n, 100, 1.0) for n, name in enumerate(HOSTILE))
    found = Finding(rule="x", severity=Severity.WARNING, at_s=NOON_S, summary=HOSTILE[2] + HOSTILE[0])
    snapshot = a_watch(20, a_profile_of(sites), target=a_target(name=HOSTILE[2]), findings=(found,))
    async with show(snapshot, *size) as shown:
        for keys in ((), ("4",), ("enter",), ("escape",), ("escape",), ("slash", "[", "r", "e", "d", "enter"), ("y",)):
            await shown.press(*keys)
            assert not UNWANTED & set(shown.text.replace("\n", "")), keys
            assert shown.app.is_running
        assert "evil\\e[2J" in shown.text


async def test_the_detail_of_a_hostile_site_is_whole(show: Show) -> None:
    sites = tuple((name, f"/src/{name}.go", 10 + n, 50.0 - n, 100, 1.0) for n, name in enumerate(HOSTILE))
    async with show(a_watch(5, a_profile_of(sites))) as shown:
        for name in ("[red]bold[/red]", "main.Map[go.shape.int,go.shape.string].func1", "evil\\e[2J\\e]52;c;aGk=\\x07"):
            await shown.press("enter")
            assert name in shown.text
            await shown.press("escape", "j")


async def test_a_name_that_is_no_unicode_can_be_copied(show: Show) -> None:
    sites = (("lone\udcffsurrogate", "/src/\udcff.go", 1, 5.0, 1, 1.0),)
    async with show(replace(a_watch(5, a_profile_of(sites)))) as shown:
        await shown.press("y")
        assert shown.app.clipboard == "lone\\udcffsurrogate /src/\\udcff.go:1"
