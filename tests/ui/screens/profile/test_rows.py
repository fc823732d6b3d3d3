"""Top, tree and callers: what a person sees of them, and does in them."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

import pytest

from memdash.errors import ProbeError
from memdash.pprof.document import Document, Location
from memdash.pprof.taken import TakenProfile
from memdash.ui.app import Options
from memdash.ui.screens.profile import view_of
from memdash.ui.screens.profile.study import Lens, Moment, Study
from tests.pprof.documents import of_stacks
from tests.pprof.synthetic import heap_profile
from tests.ui.conftest import Show, Shown
from tests.ui.screens.profile.conftest import NOW, THEN, ShowView, a_study
from tests.ui.test_plain_everywhere import HOSTILE, UNWANTED

SIZES = [(60, 12), (80, 24), (120, 40), (160, 45)]
DIFFERENCE = Lens(is_differential=True)


def functions(shown: Shown) -> list[str]:
    """The names in the rows, from the top."""
    return [line.split()[-2] for line in shown.lines[2:] if line.startswith("│") and line.strip("│ ")]


def cursor(shown: Shown) -> str:
    """The name in the row under the cursor."""
    frame = shown.app.screen.chosen  # type: ignore[attr-defined]  # a ProfileScreen
    return "" if frame is None else str(frame.name)


@pytest.mark.parametrize("view", ["top", "tree"])
async def test_at_every_size_figures_and_names_stand(show_view: ShowView, view: str) -> None:
    async with show_view(view, a_study(NOW, THEN, lens=DIFFERENCE), 160, 45) as shown:
        for width, height in SIZES:
            await shown.pilot.resize_terminal(width, height)
            await shown.settle()
            for words in ("+200.0 MiB", "-40.0 MiB", "main.grow"):
                assert words in shown.text
            assert (max(map(len, shown.lines)), len(shown.lines)) == (width, height)
            assert shown.lines[-1].startswith(" ? help")
            assert "inuse_space · since the baseline" in shown.lines[0]


async def test_where_there_is_little_room_the_frame_tells_whose_profile_it_is_rather_than_when(
    show_view: ShowView,
) -> None:
    async with show_view("top", a_study(NOW, THEN, lens=DIFFERENCE)) as shown:
        await shown.pilot.resize_terminal(70, 24)
        await shown.press("c", "c")
        await shown.built()
        assert "Diff · inuse_space · since the baseline at 12:04:04 · shop 42 ─" in shown.lines[0]


async def test_the_frame_tells_what_is_compared_and_how_much_is_shown(show_view: ShowView) -> None:
    async with show_view("top", a_study(NOW, THEN, lens=DIFFERENCE)) as shown:
        assert "Diff · inuse_space · since the baseline at 12:04:04 · shop 42 at 12:07:41" in shown.text
        assert "6 functions, +187.0 MiB in all: 58.44% of 320.0 MiB held then" in shown.text
        await shown.press("percent_sign")
        await shown.built()
        assert "of 327.0 MiB that changed" in shown.text
        await shown.press("c")
        await shown.built()
        assert "Top · inuse_space · shop 42 at 12:07:41" in shown.text
        assert "5 functions, 100% of 507.0 MiB" in shown.text


async def test_without_a_baseline_there_is_nothing_to_compare_with(show_view: ShowView) -> None:
    async with show_view("top", a_study()) as shown:
        await shown.press("c")
        assert [note.message for note in shown.app._notifications] == ["there is no baseline to compare with"]
        assert "now/change" not in shown.lines[-1]


async def test_sorting_and_finding(show_view: ShowView) -> None:
    async with show_view("top", a_study()) as shown:
        assert "flat ▼" in shown.text
        assert functions(shown)[0] == "main.grow"
        await shown.press("s")
        assert "cum ▼" in shown.text
        assert functions(shown)[0] == "main.main"
        await shown.press("s", "r")
        assert functions(shown)[0] == "main.main"
        await shown.press("S", "S")
        assert "flat ▼" in shown.text
        column = shown.lines[1].index("cum%")
        await shown.pilot.click(offset=(column, 1))
        await shown.settle()
        assert "cum ▼" in shown.text
        await shown.press("slash", "R", "O", "W", "enter")
        assert functions(shown) == ["main.grow"]
        assert "only 'ROW'" in shown.text
        await shown.press("y")
        assert shown.app.clipboard == "main.grow"
        await shown.press("escape")
        assert len(functions(shown)) == 5
        await shown.press("escape")
        assert len(shown.app.screen_stack) == 1


async def test_the_palette_offers_what_the_view_can_do(show_view: ShowView) -> None:
    async with show_view("tree", a_study()) as shown:
        offered = {command.title for command in shown.app.get_system_commands(shown.app.screen)}
        assert {"filters", "hot path", "save", "sort", "help"} <= offered
        assert not {"now/change", "baseline", "enlarge"} & offered


async def test_what_is_too_small_is_a_key_away(show_view: ShowView) -> None:
    async with show_view("top", a_study(NOW | {"main.main > main.tiny": 7})) as shown:
        assert "5 of 6 functions" in shown.text
        assert "main.tiny" not in shown.text
        await shown.press("a")
        await shown.built()
        assert "main.tiny" in shown.text
        assert " 6 functions" in shown.text


async def test_a_walk_through_callers_and_callees(show_view: ShowView) -> None:
    async with show_view("top", a_study()) as shown:
        await shown.press("enter")
        await shown.built()
        assert cursor(shown) == "main.grow"
        assert "Peek" in shown.lines[0]
        assert "nothing more is held through calls" in shown.text
        await shown.press("up", "enter")
        assert cursor(shown) == "main.handle"
        assert "14.29%" in next(line for line in shown.lines if "itself" in line)
        assert "1 step back" in shown.text
        await shown.press("up", "enter")
        assert cursor(shown) == "main.main"
        assert "nobody: stacks begin here" in shown.text
        await shown.press("backspace")
        assert cursor(shown) == "main.main"
        assert "1 step back" in shown.text
        await shown.press("backspace", "backspace")
        assert "1 step back" not in shown.text
        await shown.press("escape")
        await shown.settle()
        assert "Top" in shown.lines[0]


async def test_a_view_opens_where_the_last_one_was_left(show_view: ShowView) -> None:
    async with show_view("top", a_study()) as shown:
        await shown.press("down", "t")
        await shown.built()
        assert "Tree" in shown.lines[0]
        assert cursor(shown) == "main.log"
        await shown.press("down", "d")
        await shown.built()
        assert cursor(shown) == "main.fresh"


async def test_a_listing_is_of_the_function_under_the_cursor_and_leads_back_to_it(show_view: ShowView) -> None:
    placed = {"main.main@main.go:3 > main.log@log.go:9": 150, "main.main@main.go:4 > main.grow@grow.go:7": 300}
    async with show_view("top", a_study(placed)) as shown:
        await shown.press("down", "l")
        await shown.built()
        assert "log.go" in shown.lines[0]
        await shown.press("t")
        await shown.built()
        assert cursor(shown) == "main.log"


async def test_what_was_changed_in_a_view_above_holds_below(show_view: ShowView) -> None:
    async with show_view("top", a_study(NOW, THEN)) as shown:
        await shown.press("enter")
        await shown.built()
        await shown.press("c")
        await shown.built()
        assert "Peek, changes" in shown.lines[0]
        await shown.press("escape")
        await shown.built()
        assert "Diff" in shown.lines[0]


async def test_branches_open_and_close(show_view: ShowView) -> None:
    async with show_view("tree", a_study()) as shown:
        assert functions(shown) == ["main.main", "main.handle", "main.grow", "main.log", "main.fresh"]
        assert cursor(shown) == "main.grow"
        await shown.press("left")
        assert cursor(shown) == "main.handle"
        await shown.press("left")
        assert functions(shown) == ["main.main", "main.handle", "main.log", "main.fresh"]
        await shown.press("left", "left")
        assert functions(shown) == ["main.main"]
        await shown.press("right", "right")
        assert cursor(shown) == "main.handle"
        await shown.press("minus", "plus")
        assert len(functions(shown)) == 5
        await shown.press("minus", "asterisk")
        assert cursor(shown) == "main.grow"
        row = next(number for number, line in enumerate(shown.lines) if "main.handle" in line)
        column = shown.lines[row].index("▾")
        await shown.pilot.click(offset=(column, row))
        await shown.settle()
        assert "main.grow" not in shown.text
        await shown.pilot.click(offset=(column, row))
        await shown.settle()
        assert "main.grow" in shown.text


async def test_a_tree_is_searched_as_a_whole(show_view: ShowView) -> None:
    async with show_view("tree", a_study()) as shown:
        await shown.press("minus", "slash", "g", "r", "o", "enter")
        assert functions(shown) == ["main.main", "main.handle", "main.grow"]
        await shown.press("n")
        assert cursor(shown) == "main.grow"
        await shown.press("escape")
        assert cursor(shown) == "main.grow"
        assert "main.log" in shown.text
        await shown.press("slash", "z", "z", "enter")
        assert "no function matches 'zz'" in shown.text


async def test_the_tree_turned_round_leads_to_callers(show_view: ShowView) -> None:
    async with show_view("tree", a_study()) as shown:
        await shown.press("v")
        await shown.built()
        assert "Callers" in shown.lines[0]
        assert functions(shown)[:3] == ["main.grow", "main.handle", "main.main"]
        assert cursor(shown) == "main.grow"
        await shown.press("v")
        await shown.built()
        assert "Tree" in shown.lines[0]


async def test_branches_stay_open_through_another_lens(show_view: ShowView) -> None:
    async with show_view("tree", a_study(NOW, THEN)) as shown:
        await shown.press("left", "left", "c")
        await shown.built()
        assert "Tree, changes" in shown.lines[0]
        assert "main.grow" not in shown.text
        assert "gone" in next(line for line in shown.lines if "main.old" in line)


@pytest.mark.parametrize(
    ("study", "words"),
    [
        (a_study({}), "nothing is held: all inuse_space are zero"),
        (a_study({"main.main": 0}), "nothing is held: all inuse_space are zero"),
        (a_study(NOW, NOW, lens=DIFFERENCE), "nothing has changed since the baseline at 12:04:04"),
    ],
    ids=["no stacks", "zero", "no change"],
)
async def test_nothing_to_be_shown_is_told(show_view: ShowView, study: Study, words: str) -> None:
    async with show_view("top", study) as shown:
        assert words in shown.text
        shown.app.push_screen(view_of("peek", study))
        await shown.built()
        assert words in shown.text
        await shown.press("enter", "y", "s", "r", "n", "backspace", "down", "t")
        await shown.built()
        assert words in shown.text or study.lens.is_differential  # a tree shows what is held, too
        await shown.press("enter", "left", "right", "plus", "minus", "asterisk", "v")
        await shown.built()
        assert shown.app.is_running


def unnamed() -> Document:
    """A profile whose addresses nobody has resolved, with a value that is negative."""
    document = of_stacks({"a > b": 900, "a > c": -300})
    return replace(document, locations={key: Location((), None, 0x1000 + key) for key in document.locations})


async def test_a_profile_without_names_and_negative_values_are_shown(show_view: ShowView) -> None:
    async with show_view("top", a_study(unnamed())) as shown:
        for key in ("t", "v", "d", "enter"):
            assert "<unknown>" in shown.text
            assert "600" in shown.text
            await shown.press(key)
            await shown.built()
        assert "Peek" in shown.lines[0]
        assert "<unknown>" in shown.text


async def test_hostile_names_are_escaped(show_view: ShowView) -> None:
    names = [name.translate({ord(sign): None for sign in ">+@"}) for name in HOSTILE]
    stacks = {f"main > {name}": 100 + number for number, name in enumerate(names)}
    async with show_view("top", a_study(stacks, notes=(HOSTILE[2],)), 80, 24) as shown:
        for keys in (("slash", "2", "J", "enter"), ("t",), ("d", "enter"), ("y", "F", "\x1b", "ctrl+s")):
            await shown.press(*keys)
            await shown.built()
            assert not UNWANTED & set(shown.text.replace("\n", ""))
            assert keys[-1] == "ctrl+s" or "evil\\e[2J" in shown.text


async def test_what_a_person_should_know_stands_below(show_view: ShowView) -> None:
    async with show_view("top", a_study(notes=("these are live objects by type",))) as shown:
        assert "these are live objects by type" in shown.text


async def test_while_a_profile_is_made_it_says_so_and_keys_work(show: Show) -> None:
    go_on = Event()

    def take() -> TakenProfile:
        assert go_on.wait(30)
        return TakenProfile(of_stacks(NOW))

    async with show() as shown:
        shown.app.push_screen(view_of("top", Study(lambda: Moment(take))))
        await shown.settle()
        assert "being made" in shown.text
        await shown.press("slash", "x", "escape", "s", "i", "enter", "y", "escape")
        await shown.settle()
        assert shown.app.screen is shown.dashboard
        go_on.set()
        await shown.built()
        assert shown.app.screen is shown.dashboard


async def test_a_profile_that_cannot_be_had_says_why_and_is_tried_again(show_view: ShowView) -> None:
    failing = [True]

    def take() -> TakenProfile:
        if failing[0]:
            raise ProbeError("the target was \x1b busy", "try u")
        return TakenProfile(of_stacks(NOW))

    async with show_view("tree", Study(lambda: Moment(take))) as shown:
        assert "the target was \\e busy. try u" in shown.text
        failing[0] = False
        await shown.press("u")
        await shown.built()
        assert "main.grow" in shown.text


async def test_the_newest_profile_is_of_another_moment(show_view: ShowView) -> None:
    moments = iter(
        [
            Moment(lambda: TakenProfile(of_stacks(NOW)), at="at noon"),
            Moment(lambda: TakenProfile(of_stacks(THEN)), at="at one"),
        ]
    )
    async with show_view("top", Study(lambda: next(moments))) as shown:
        assert "at noon" in shown.text
        await shown.press("u")
        await shown.built()
        assert "at one" in shown.text
        assert "main.old" in shown.text


async def test_going_over_to_the_newest_in_one_view_is_caught_up_with_in_the_one_below(show_view: ShowView) -> None:
    moments = iter([replace(a_study(NOW).moment, at="noon"), replace(a_study(THEN).moment, at="one")])
    async with show_view("top", Study(lambda: next(moments))) as shown:
        await shown.press("enter")
        await shown.built()
        await shown.press("u")
        await shown.built()
        await shown.press("escape")
        await shown.built()
        assert "main.old" in shown.text
        assert "Top · inuse_space · shop 42 one" in shown.text


async def test_a_large_profile_is_shown(show_view: ShowView) -> None:
    async with show_view("tree", a_study(heap_profile(2000))) as shown:
        await shown.press("a")
        await shown.built()
        await shown.press("slash", "M", "enter")
        assert "the first 2 000 that match" in shown.text


async def test_ascii_means_ascii(show_view: ShowView) -> None:
    async with show_view("top", a_study(NOW, THEN, lens=DIFFERENCE), options=Options(ascii=True)) as shown:
        for key in ("t", "d", "enter", "F"):
            assert shown.text.isascii(), [c for c in shown.text if not c.isascii()]
            await shown.press(key)
            await shown.built()
        assert shown.text.isascii()
