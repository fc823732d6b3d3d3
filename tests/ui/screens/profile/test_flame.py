"""The flame graph: keys, mouse, zoom, search, changes; and profiles of any shape."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import chain, repeat

import pytest
from rich.cells import cell_len

from memdash.pprof.taken import TakenProfile
from memdash.ui.app import MemdashApp, Options
from memdash.ui.screens.ground import Ground
from memdash.ui.screens.profile.flame import FlameScreen
from memdash.ui.screens.profile.study import Lens, Moment, Study
from memdash.ui.widgets.box_cursor import Choice
from memdash.ui.widgets.icicle import Icicle
from tests.pprof.documents import of_stacks
from tests.pprof.synthetic import heap_profile
from tests.sessions import FakeSession
from tests.ui.conftest import Show, Shown, a_profile_of, a_watch, attaching
from tests.ui.test_plain_everywhere import HOSTILE, UNWANTED

STACKS = {"main > serve > add": 700, "main > serve > log": 200, "main > boot": 95, "main > exit": 5}
BEFORE = {"main > serve > add": 300, "main > serve > log": 400, "main > boot": 95, "main > gone": 100}


class Seen(Shown):
    """A flame alone on the screen, without a dashboard below it."""

    @property
    def screen(self) -> FlameScreen:
        assert isinstance(self.app.screen, FlameScreen)
        return self.app.screen

    @property
    def icicle(self) -> Icicle:
        return self.screen.main

    @property
    def told(self) -> str:
        """The two lines about the box under the cursor."""
        return "\n".join(self.lines[-3:-1])

    async def press(self, *keys: str) -> None:
        await super().press(*keys)
        await self.built()


See = Callable[..., AbstractAsyncContextManager[Seen]]


@pytest.fixture
def see() -> See:
    @asynccontextmanager
    async def seeing(
        stacks: Mapping[str, int] | TakenProfile = STACKS,
        before: Mapping[str, int] | None = None,
        *,
        later: Mapping[str, int] | None = None,
        lens: Lens | None = None,
        width: int = 80,
        height: int = 24,
        options: Options | None = None,
    ) -> AsyncIterator[Seen]:
        taken = stacks if isinstance(stacks, TakenProfile) else TakenProfile(of_stacks(stacks))
        then = None if before is None else TakenProfile(of_stacks(before))
        moment = Moment(lambda: taken, None if then is None else lambda: then, since="since the baseline")
        newest = moment if later is None else Moment(lambda: TakenProfile(of_stacks(later)))
        moments = chain([moment], repeat(newest))
        study = Study(lambda: next(moments), lens or Lens(is_differential=before is not None))
        app = MemdashApp(lambda: Ground(lambda: FlameScreen(study)), options or Options())
        async with app.run_test(size=(width, height)) as pilot:
            seen = Seen(pilot, FakeSession(attaching()), [0.0])
            await seen.built()
            yield seen

    return seeing


async def test_boxes_hang_below_their_callers(see: See) -> None:
    async with see(height=12) as seen:  # a line a level
        body = [line.strip("│") for line in seen.lines[1:5]]
        assert body[0].startswith("▶ all  100 %  1000 B")
        assert body[1].startswith("▏main  100 %  1000 B")
        assert body[2].startswith("▏serve  90.0 %  900 B")
        assert body[2].index("▏boot") == 78 * 900 // 1000
        assert body[3].index("▏log") == 78 * 700 // 1000


async def test_with_room_each_level_has_lines_for_its_figures_and_place(see: See) -> None:
    async with see({"main > add@/src/store.go:7": 70, "main > log@/src/log.go:9 > log@/src/log.go:11": 30}) as seen:
        assert [line.strip("│")[:20].rstrip() for line in seen.lines[7:10]] == ["▏add", "▏70.0 %  70 B", "▏store.go:7"]
        assert "▏log.go:9 +1" in seen.text


async def test_arrows_and_letters_walk_and_the_box_is_told_in_full(see: See) -> None:
    async with see() as seen:
        await seen.press("down", "j", "down")
        assert "add" in seen.told
        assert "held 700 B  70.0 % of all   own 700 B" in seen.told
        await seen.press("right")
        assert "held 200 B" in seen.told
        await seen.press("h", "k", "up")
        assert "main" in seen.told


async def test_enter_zooms_and_esc_leads_back_out(see: See) -> None:
    async with see(height=14) as seen:
        await seen.press("down", "down", "down", "right", "enter")
        assert "▶ log" in seen.lines[7]
        assert seen.lines[8].startswith("│▏ 20.0 %  200 B")
        assert "boot" not in seen.text
        assert seen.lines[1].startswith("│▏all")  # its callers stay above
        await seen.press("escape")
        assert "boot" in seen.text
        await seen.press("enter", "up", "enter", "r")
        assert seen.icicle.cursor.zooms == []
        assert "▶ all" in seen.text
        await seen.press("down", "down", "enter", "backspace")
        assert seen.icicle.cursor.zooms == []


async def test_esc_at_the_root_never_quits_and_q_does(see: See) -> None:
    async with see() as seen:
        await seen.press("escape", "escape")
        assert seen.app.is_running
        assert "q quits" in [notification.message for notification in seen.app._notifications]
        await seen.pilot.press("q")
        assert seen.app._exit


async def test_a_click_chooses_and_a_second_one_zooms(see: See) -> None:
    async with see(height=14) as seen:
        await seen.pilot.click("#flame", offset=(60, 7))
        await seen.built()
        assert "log" in seen.told
        await seen.pilot.click("#flame", offset=(60, 7), times=2)
        await seen.built()
        assert "boot" not in seen.text
        await seen.pilot.click("#flame", offset=(75, 8))  # where there is no box
        assert "log" in seen.told


async def test_a_search_marks_counts_and_walks(see: See) -> None:
    async with see() as seen:
        await seen.press("slash", *"O", "enter")
        assert "2 frames match 'O', 29.5 % of all" in seen.text
        assert "◆ log" in seen.text
        await seen.press("n")
        assert "log" in seen.told
        await seen.press("n")
        assert "boot" in seen.told
        await seen.press("n")
        assert "log" in seen.told
        await seen.press("N")
        assert "boot" in seen.told
        await seen.press("escape")
        assert "◆" not in seen.text
        assert "match" not in seen.text


async def test_a_match_too_narrow_to_be_seen_is_zoomed_to(see: See) -> None:
    async with see({f"main > f{number:02}": 50 for number in range(100)} | {"main > big": 5_000, "x": 1}) as seen:
        await seen.press("slash", *"f32", "enter", "n")
        assert "f32" in seen.told
        assert "▶ f32" in seen.text
        await seen.press("slash", "backspace", "backspace", "backspace", "x", "enter")
        assert "'x' is only in frames too small to be drawn (1): F focuses on them" in seen.text


async def test_changes_bear_signs_and_words(see: See) -> None:
    async with see(STACKS, BEFORE, width=120) as seen:
        assert "▲ grew · ▼ shrank · = same" in seen.text
        await seen.press("down", "down", "down")
        assert "▲ grew +400 B from 300 B since the baseline" in seen.told
        assert "▼ log" in seen.text
        assert "-200 B" in seen.text
        assert "= same" in seen.text
        await seen.press("slash", *"gone", "enter", "n")
        assert "▼ gone -100 B from 100 B" in seen.told
        await seen.press("escape", "c")
        assert "one colour a package" in seen.text
        assert "grew" not in seen.text


async def test_the_zoom_and_the_cursor_stay_when_the_lens_changes(see: See) -> None:
    async with see(STACKS, BEFORE) as seen:
        await seen.press("down", "down", "enter", "down", "c")
        assert "▶ add" in seen.text
        assert "boot" not in seen.text
        assert seen.lines[-2].startswith(" held 700 B")


async def test_a_zoom_looks_closer(see: See) -> None:
    stacks = {"main > rest": 10_000_000, **{f"main > serve > h{number}": 1_000 for number in range(8)}}
    stacks["main > serve > big"] = 30_000
    async with see(stacks, width=200) as seen:
        await seen.press("slash", *"serve", "enter", "n", "escape")
        assert "▶ serve" in seen.text
        assert "h3" in seen.text
        assert "being made" not in seen.text


async def test_following_takes_the_newest_again_and_keeps_its_place(see: See) -> None:
    async with see(later={**STACKS, "main > serve > add": 1700}) as seen:
        await seen.press("down", "down", "enter", "down", "space")
        assert "following" in seen.text
        assert "held 1.66 KiB" in seen.told
        assert "▶ add" in seen.text
        assert "boot" not in seen.text
        await seen.press("space")
        assert "following" not in seen.text


async def test_the_stack_can_be_copied(see: See) -> None:
    async with see() as seen:
        await seen.press("down", "down", "down", "y")
        assert seen.app.clipboard == "main\nserve\nadd"


async def test_it_opens_where_another_view_was(show: Show) -> None:
    async with show() as shown:
        await shown.press("f")
        await shown.built()
        assert "cart.(*Store).Add" in shown.text
        await shown.press("slash", *"session", "enter", "n", "d")
        await shown.built()
        await shown.press("f")
        await shown.built()
        assert "session.New" in shown.lines[-3]
        await shown.press("escape")
        await shown.settle()
        assert shown.app.screen is shown.dashboard


async def test_a_view_over_the_dashboard_takes_the_newest_moment(show: Show) -> None:
    async with show() as shown:
        await shown.press("f")
        await shown.built()
        newest = a_watch(5, a_profile_of((("fresh.New", "/src/fresh.go", 3, 900.0, 5, 1.0),)))
        shown.session.publish(newest)
        await shown.press("u")
        await shown.built()
        assert "fresh.New" in shown.text


async def test_what_is_to_be_known_of_the_profile_is_said(see: See) -> None:
    taken = TakenProfile(of_stacks(STACKS), notes=("these are live objects by type",))
    async with see(taken) as seen:
        assert "these are live objects by type" in seen.lines[-2]


async def test_resizing_keeps_the_box_in_view(see: See) -> None:
    async with see({" > ".join(f"f{level}" for level in range(40)): 5}) as seen:
        seen.icicle.choose(Choice(30))
        await seen.pilot.resize_terminal(60, 12)
        await seen.built()
        assert "▶ f29" in seen.text
        assert "levels 25–31 of 41" in seen.text
        await seen.pilot.resize_terminal(160, 90)
        await seen.built()
        assert "▶ f29" in seen.text


async def test_what_holds_most_is_in_view_at_first_however_deep_it_is(see: See) -> None:
    trunk = " > ".join(f"f{level}" for level in range(30))
    async with see({f"{trunk} > load > row": 800, f"{trunk} > load > cache": 100, "other": 100}) as seen:
        assert "▶ row  80.0 %" in seen.text
        assert "▏cache" in seen.text
        assert "levels 15–33 of 33" in seen.text
        await seen.press("r")
        assert "▶ all  100 %" in seen.text
        await seen.press("u")
        assert "▶ all  100 %" in seen.text


async def test_a_thousand_levels_page_by_page(see: See) -> None:
    async with see({" > ".join(f"f{level}" for level in range(1000)): 5}) as seen:
        assert seen.icicle.cursor.chosen.box == 1000, "what all of it is held by"
        await seen.press("home", "pagedown", "pagedown", "pagedown")
        assert seen.icicle.cursor.chosen.box == 54
        await seen.press("enter")
        assert "▶ f53" in seen.text
        await seen.press("pageup", "pageup", "pageup", "home")
        assert "▶ all" in seen.text


async def test_ten_thousand_narrow_siblings_share_tiles(see: See) -> None:
    async with see({f"main > f{number:05}": 1 for number in range(10_000)}) as seen:
        assert "┊┊┊┊" in seen.text
        await seen.press("down", "down", "right", "right")
        assert "too small to be told" in seen.told


async def test_nothing_and_one_frame(see: See) -> None:
    async with see({}, width=60, height=12) as seen:
        assert "nothing is held" in seen.text
        await seen.press("down", "up", "right", "enter", "escape", "pagedown", "r", "slash", "x", "enter", "n")
    async with see({"main": 1}) as seen:
        await seen.press("down")
        assert "▶ main" in seen.text


NARROW = [(60, 12, False), (80, 24, True)]


@pytest.mark.parametrize(("width", "height", "ascii_only"), NARROW)
async def test_hostile_names_are_shown_as_text(see: See, width: int, height: int, ascii_only: bool) -> None:
    names = [*HOSTILE, "关于内存的一切函数名称都很长" * 4, "مرحبا", "\u202eabc", ""]
    stacks = {f"main > {name.replace('>', '')} > leaf": 10 + number for number, name in enumerate(names)}
    async with see(stacks, width=width, height=height, options=Options(ascii=ascii_only)) as seen:
        for keys in ((), ("down", "down"), ("right", "right", "enter"), ("slash", "[", "enter", "n")):
            await seen.press(*keys)
            assert not UNWANTED & set(seen.text.replace("\n", ""))
            assert all(cell_len(line) <= width for line in seen.lines)
            assert seen.text.isascii() or not ascii_only


async def test_ascii_tells_boxes_apart_without_colour(see: See) -> None:
    async with see(STACKS, BEFORE, height=12, options=Options(ascii=True)) as seen:
        assert "> all" in seen.lines[1]
        assert "! serve" in seen.text
        assert "v log" in seen.text
        await seen.press("c")
        assert "|boot" in seen.text


@pytest.mark.parametrize("theme", ["colour-blind-light", "ansi-dark"])
async def test_every_theme_shows_the_same_boxes(see: See, theme: str) -> None:
    async with see(STACKS, BEFORE) as usual, see(STACKS, BEFORE, options=Options(theme=theme)) as seen:
        assert seen.text == usual.text


async def test_boxes_of_large_profiles_are_whole(see: See) -> None:
    async with see(TakenProfile(heap_profile(2_000)), width=120, height=40) as seen:
        await seen.press("down", "down", "enter", "i", "o")
        assert "alloc_objects" in seen.text
        assert "being made" not in seen.text


async def test_what_is_too_small_is_as_it_was_asked_for(see: See) -> None:
    for fraction, is_seen in ((None, True), (0.1, False)):
        async with see(lens=Lens(node_fraction=fraction)) as seen:
            assert ("boot" in seen.text) is is_seen
