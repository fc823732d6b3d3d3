"""The source of a file, each line with what it holds."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from memdash.config import SourcePath
from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.profile import Profile
from memdash.model.snapshot import Snapshot
from memdash.ui.screens.profile.list import ListScreen
from memdash.ui.widgets.code import CodeView, shifted
from tests.fakes import NOON_S
from tests.ui.conftest import Show, Shown, a_watch
from tests.ui.screens.conftest import STORE, Sources
from tests.ui.test_objects import a_python_watch
from tests.ui.test_tasks import with_tasks


def plain_watch() -> Snapshot:
    """Without a marked baseline: what is held, not what changed; and with stacks as the runtime records them."""
    watch = a_watch()
    assert isinstance(watch.sample.sites, Profile)
    sites = tuple(site._replace(pcs=tuple(range(1, len(site.stack) + 1))) for site in watch.sample.sites.sites)
    profile = replace(watch.sample.sites, sites=sites)
    baseline = replace(watch.baseline, marked=False)
    return replace(watch, sample=replace(watch.sample, sites=profile), baseline=baseline)


def code(shown: Shown) -> CodeView:
    assert isinstance(shown.app.screen, ListScreen)
    return shown.app.screen.main


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
async def test_the_cursor_stands_on_the_line_that_holds_most(
    show: Show, sources: Sources, size: tuple[int, int], snapshot: SnapshotAssertion
) -> None:
    async with show(plain_watch(), *size, sources=sources.path) as shown:
        await shown.press("l")
        await shown.built()
        assert code(shown).number == 118
        assert shown.text == snapshot


async def test_it_is_about_the_row_under_the_cursor_or_what_holds_most(show: Show) -> None:
    async with show(plain_watch()) as shown:
        await shown.press("j", "l")
        await shown.built()
        assert "/src/shop/session/session.go" in shown.text
        assert code(shown).number == 52
        await shown.press("escape", "1", "l")
        await shown.built()
        assert "/src/shop/cart/store.go" in shown.text


async def test_tasks_are_somewhere_too(show: Show, sources: Sources) -> None:
    sources.write("shop.py", [f"line {number}" for number in range(1, 60)])
    tasks = with_tasks()
    watch = replace(plain_watch(), tasks=tasks.tasks)
    async with show(watch, sources=SourcePath((str(sources.folder),), ("/srv/shop",))) as shown:
        await shown.press("5", "l")
        await shown.built()
        assert code(shown).number == 40
        assert "nothing here holds anything" in shown.text


async def test_from_another_view_it_is_about_the_function_under_the_cursor(show: Show) -> None:
    async with show(plain_watch()) as shown:
        await shown.press("d")
        await shown.built()
        await shown.press("j", "j")
        function = shown.lines[4].split()[-2]
        await shown.press("l")
        await shown.built()
        assert function in shown.lines[-2]


async def test_lines_that_hold_anything_are_one_key_apart(show: Show, sources: Sources) -> None:
    sources.write("shop/main.go", [f"line {number}" for number in range(1, 80)])
    async with show(plain_watch(), sources=sources.path) as shown:
        await shown.press("l")
        await shown.built()
        await shown.press("slash", *"handle1", "enter")
        await shown.built()
        assert code(shown).number == 41
        await shown.press("n")
        assert code(shown).number == 42
        await shown.press("n")
        assert code(shown).number == 40  # past the end
        await shown.press("N", "N")
        assert code(shown).number == 41
        await shown.press("g", "j", "pagedown", "pageup", "k")
        assert code(shown).number == 1
        await shown.press("n")
        assert code(shown).number == 40
        assert "main.handle0" in shown.text
        await shown.press("G")
        assert code(shown).number == 79
        row = next(y for y, line in enumerate(shown.lines) if " 70 " in line)
        await shown.pilot.click(offset=(60, row))
        assert code(shown).number == 70


async def test_functions_are_chosen_by_a_regular_expression(show: Show) -> None:
    async with show(plain_watch()) as shown:
        await shown.press("l")
        await shown.built()
        await shown.press("slash", *"^bufio")
        assert "1 match" in shown.text
        await shown.press("backspace", *"((")
        assert "is not a regular expression" in shown.text
        await shown.press("backspace", "backspace", *"(a+)+b")
        assert "could take for ever" in shown.text
        await shown.press("escape")
        assert code(shown).number == 118
        await shown.press("slash", *"main", "down", "up", "down", "enter")
        await shown.built()
        assert "/src/shop/main.go" in shown.text
        assert code(shown).number == 41
        await shown.press("slash", "escape", "escape")
        assert shown.app.screen is shown.dashboard


async def test_against_a_baseline_figures_bear_their_signs(show: Show, sources: Sources) -> None:
    watch = plain_watch()
    async with show(replace(watch, baseline=replace(watch.baseline, marked=True)), sources=sources.path) as shown:
        await shown.press("l")
        await shown.built()
        assert "since the baseline at 12:04:04" in shown.text
        assert any("+62.1 MiB" in line and "118" in line for line in shown.lines)
        await shown.press("slash")
        assert any("+62.1 MiB" in line and "cart.(*Store).Add" in line for line in shown.lines)


async def test_other_values_and_the_newest_profile_leave_the_cursor_alone(show: Show, sources: Sources) -> None:
    async with show(plain_watch(), sources=sources.path) as shown:
        await shown.press("l")
        await shown.built()
        await shown.press("k", "k", "o")
        await shown.built()
        assert "inuse_objects" in shown.text
        assert code(shown).number == 116
        await shown.press("u")
        await shown.built()
        assert code(shown).number == 116


async def test_a_profile_without_files_says_so(show: Show) -> None:
    watch = a_python_watch()
    async with show(replace(watch, baseline=replace(watch.baseline, marked=False))) as shown:
        await shown.press("l")
        await shown.built()
        words = " ".join(shown.text.replace("│", "").split())
        assert "No source file is known for it; these are live objects by type, for there are no " in words
        assert "memdash --trace -- python" in words


async def test_without_a_profile_it_says_why(show: Show) -> None:
    why = Missing("this program does not link Go's heap profiler")
    watch = plain_watch()
    watch = replace(watch, groups=why, sample=replace(watch.sample, sites=why), missing={Capability.SITES: why})
    async with show(watch) as shown:
        await shown.press("l")
        await shown.built()
        assert "does not link Go's heap profiler" in shown.text


async def test_a_file_that_cannot_be_read_leaves_its_lines_and_the_reason(show: Show, sources: Sources) -> None:
    file = sources.folder / STORE
    file.unlink()
    os.mkfifo(file)
    async with show(plain_watch(), sources=sources.path) as shown:
        await shown.press("l")
        await shown.built()
        assert "Open shop/cart/store.go: not a regular file. --source-path names folders" in shown.text
        assert any("188.2 MiB" in line and "118 →" in line for line in shown.lines)
        assert any("118 → cart.(*Store).Add" in line for line in shown.lines)


async def test_a_file_that_was_changed_is_shown_with_a_doubt(show: Show, sources: Sources) -> None:
    sources.write(STORE, ["package cart"], written_s=NOON_S)
    async with show(plain_watch(), sources=sources.path) as shown:
        await shown.press("l")
        await shown.built()
        assert "the file has changed since the program started" in shown.text
        assert code(shown).number == 118  # beyond its end


async def test_text_of_the_source_is_shown_and_never_obeyed(show: Show, sources: Sources) -> None:
    hostile = [
        "\x1b[31mred\x1b[0m \x9b2J",
        "[bold]markup[/nope]",
        "\tif x {\t// tab",
        "世界 wide",
        "\u202ereversed",
        "x" * 100_000,
        "\udcff not UTF-8",
    ]
    sources.write(STORE, [*("" for _ in range(112)), *hostile])
    async with show(plain_watch(), 120, 40, sources=sources.path) as shown:
        await shown.press("l")
        await shown.built()
        for words in ("\\e[31mred\\e[0m \\x9b2J", "[bold]markup[/nope]", "    if x {  // tab", "世界", "\\u202erev"):
            assert words in shown.text
        assert "\\xff not UTF-8" in shown.text
        assert {"\x1b", "\u202e"}.isdisjoint(shown.text)


async def test_long_lines_scroll_sideways(show: Show, sources: Sources) -> None:
    sources.write(STORE, [*("" for _ in range(117)), "0123456789" * 20 + "end"])
    async with show(plain_watch(), 80, 24, sources=sources.path) as shown:
        await shown.press("l")
        await shown.built()
        assert "end" not in next(line for line in shown.lines if "118 →" in line)
        code(shown).action_sideways(21)
        await shown.press("right")
        assert "end" in next(line for line in shown.lines if "118 →" in line)
        code(shown).action_sideways(-30)
        await shown.press("left")
        assert "118 → 0123456789" in shown.text


def test_a_wide_character_is_cut_in_two_as_a_space() -> None:
    assert shifted("世界", 1) == " 界"
    assert shifted("世界", 2) == "界"
    assert shifted("a世", 1) == "世"
    assert shifted("ab", 1) == "b"
    assert shifted("世", 9) == ""
