"""An allocation site in full."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

import pytest
from syrupy.assertion import SnapshotAssertion

from memdash.model.missing import Missing
from memdash.model.profile import Profile, Site
from memdash.model.snapshot import Snapshot, State
from memdash.model.target import Ending
from memdash.ui.app import Options
from memdash.ui.screens.drill.section import Look
from memdash.ui.screens.drill.site import SiteScreen
from tests.fakes import NOON_S
from tests.ui.conftest import LONG, Show, a_watch
from tests.ui.screens.conftest import Sources, followed


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (160, 45)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_it_has_figures_course_source_callers_and_stacks(
    show: Show, sources: Sources, size: tuple[int, int], snapshot: SnapshotAssertion
) -> None:
    async with show(followed(a_watch()), *size, sources=sources.path) as shown:
        await shown.press("enter")
        await shown.built()
        assert shown.text == snapshot
        line = next(line for line in shown.lines if "s.items[user] = app" in line)
        assert "188.2 MiB" in line
        assert "118 →" in line


async def test_on_a_small_screen_the_sections_take_turns(show: Show, sources: Sources) -> None:
    async with show(followed(a_watch()), 80, 24, sources=sources.path) as shown:
        await shown.press("enter")
        await shown.built()
        assert "[Source]" in shown.text
        await shown.press("tab")
        assert "[Callers]" in shown.text
        assert "100 %" in shown.text
        assert "main.handle0" in shown.text
        await shown.press("right_square_bracket")
        assert "stack 1 of 1" in shown.text
        await shown.press("tab")
        await shown.settle()
        assert "[Course]" in shown.text
        assert "94.1 MiB to 188.2 MiB in 4m" in shown.text
        await shown.press("tab")
        assert "s.items[user] = app" in shown.text
        await shown.press("shift+tab", "left_square_bracket")
        assert "[Stacks]" in shown.text


async def test_callers_are_summed_up_and_the_heaviest_comes_first(show: Show) -> None:
    watch = a_watch(5)
    assert isinstance(watch.sample.sites, Profile)
    first = watch.sample.sites.sites[0]
    others = [
        first._replace(
            stack=(*first.stack[:2], first.stack[2]._replace(function=f"main.other{number % 2}"), first.stack[3]),
            usage=first.usage._replace(inuse_bytes=(3 + number % 2) * first.usage.inuse_bytes),
        )
        for number in range(4)
    ]
    profile = replace(watch.sample.sites, sites=(first, *others))
    async with show(replace(watch, sample=replace(watch.sample, sites=profile)), 80, 24) as shown:
        await shown.press("enter", "tab")
        rows = [line for line in shown.lines if "%" in line and "main." in line]
        assert [next(word for word in row.split() if word.startswith("main.")) for row in rows] == [
            "main.other1", "main.other0", "main.handle0",
        ]  # fmt: skip
        assert "53.3 %" in rows[0]


async def test_it_follows_the_watch_to_its_end(show: Show) -> None:
    watch = a_watch()
    assert not isinstance(watch.groups, Missing)
    usages = [group.usage._replace(inuse_bytes=2 * group.usage.inuse_bytes) for group in watch.groups]
    more = tuple(replace(group, usage=usage) for group, usage in zip(watch.groups, usages, strict=True))
    later = replace(watch, groups=more, at=watch.at._replace(wall_s=NOON_S + 60))
    async with show(watch) as shown:
        await shown.press("enter")
        await shown.built()
        shown.session.publish(later)
        await shown.follow()
        assert "376.4 MiB" in shown.text
        assert "as of 12:08:41" in shown.text
        shown.session.publish(replace(later, groups=(), sample=replace(watch.sample, sites=Missing("gone"))))
        await shown.follow()
        assert "this site is no longer in the profile" in shown.text
        shown.session.publish(replace(later, state=State.ENDED, ending=Ending(at_s=NOON_S, exit_code=1)))
        await shown.follow()
        assert "the target exited with code 1" in shown.text
        assert "376.4 MiB" in shown.text


async def test_while_the_view_is_frozen_it_stays_as_it_was(show: Show) -> None:
    watch = a_watch()
    async with show(watch) as shown:
        await shown.press("space", "enter")
        shown.session.publish(replace(watch, groups=(), at=watch.at._replace(wall_s=NOON_S + 60)))
        await shown.follow()
        assert "188.2 MiB" in shown.text
        assert "as of 12:07:41" in shown.text


def over_stacks(watch: Snapshot, number: int, times: int = 1) -> Snapshot:
    """The watch with its first site reached over so many stacks, each holding so many times what it does."""
    assert isinstance(watch.sample.sites, Profile)
    site = watch.sample.sites.sites[0]
    usage = site.usage._replace(inuse_bytes=times * site.usage.inuse_bytes)
    many = (Site((*site.stack, site.stack[-1]._replace(line=line)), usage, (), site.leaf_at) for line in range(number))
    return replace(watch, sample=replace(watch.sample, sites=replace(watch.sample.sites, sites=tuple(many))))


async def test_scrolled_stacks_stay_where_they_are(show: Show) -> None:
    watch = a_watch()
    async with show(over_stacks(watch, 20), 80, 24) as shown:
        await shown.press("enter", "tab", "tab", *"jjjjjjjjjj")
        before = shown.lines
        assert "server.go:1 " in before[14]  # the last frame of the second stack
        assert not isinstance(watch.groups, Missing)
        shown.session.publish(replace(over_stacks(watch, 20, times=2), groups=watch.groups[::-1]))
        await shown.follow()
        assert shown.lines != before
        assert shown.lines[14] == before[14]
        assert "stack 1 of 20" not in shown.text


async def test_the_whole_file_is_one_key_away_and_esc_leads_back(show: Show, sources: Sources) -> None:
    async with show(sources=sources.path) as shown:
        await shown.press("j", "enter")
        await shown.built()
        assert "only the largest are followed" in shown.text  # nothing follows this watch
        await shown.press("y", "l")
        await shown.built()
        assert shown.app.clipboard == "session.New /src/shop/session/session.go:52"
        assert "List · inuse_space" in shown.text
        assert "/src/shop/session/session.go" in shown.text
        await shown.press("escape", "f")
        await shown.built()
        assert "session.New" in shown.lines[-3]  # the cursor of the flame graph
        await shown.press("escape")
        assert "Allocation site" in shown.text
        await shown.press("escape")
        assert shown.app.screen is shown.dashboard


async def test_a_long_name_is_shown_in_full(show: Show) -> None:
    async with show(None, 80, 24) as shown:
        await shown.press(*"jjjjjjj", "enter")
        joined = "".join(line.strip("│ ") for line in shown.lines)
        assert LONG.replace(" ", "") in joined.replace(" ", "")


async def test_the_first_of_very_many_stacks(show: Show) -> None:
    async with show(over_stacks(a_watch(5), 200)) as shown:
        await shown.press("enter", "tab", "tab", "G")
        assert "and 150 smaller stacks" in shown.text


async def test_in_ascii_nothing_else_is_drawn(show: Show, sources: Sources) -> None:
    async with show(followed(a_watch()), 80, 24, options=Options(ascii=True), sources=sources.path) as shown:
        await shown.press("enter", "tab")
        await shown.built()
        assert "100 %  ########  main.handle0" in shown.text
        assert shown.text.isascii()


@pytest.mark.parametrize("size", [(60, 12), (30, 6)])
async def test_it_fits_everywhere(show: Show, sources: Sources, size: tuple[int, int]) -> None:
    async with show(followed(a_watch()), *size, sources=sources.path) as shown:
        await shown.press("enter", "tab", "tab", "tab", "j", "G")
        await shown.built()
        await shown.press("escape")
        assert shown.app.screen is shown.dashboard


async def test_the_screen_does_not_wait_for_many_stacks(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, look = Event(), SiteScreen.look

    def slowly(screen: SiteScreen, snapshot: Snapshot, width: int) -> Look:
        assert go_on.wait(30)
        return look(screen, snapshot, width)

    monkeypatch.setattr(SiteScreen, "look", slowly)
    async with show(followed(a_watch())) as shown:
        await shown.press("enter", "tab")
        assert "Callers" in shown.text
        go_on.set()
        await shown.built()
        assert "main.handle0" in shown.text
