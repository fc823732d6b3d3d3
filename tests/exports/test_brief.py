import pytest

from memdash.analysis.objects import count_by_type, object_groups
from memdash.exports.brief import cells, cut, few_lines, screenful
from memdash.model.missing import Missing
from tests.fakes import a_snapshot, a_target, some_objects

pytestmark = pytest.mark.usefixtures("utc")


@pytest.mark.parametrize(("width", "height"), [(80, 23), (120, 39), (30, 10), (60, 5)])
def test_a_screenful_fits_the_screen(width: int, height: int) -> None:
    lines = screenful(a_snapshot(seconds=60), width, height)
    assert len(lines) <= height
    assert max(map(cells, lines)) <= width


def test_a_large_screen_shows_more_figures_and_all_sections() -> None:
    small, large = (screenful(a_snapshot(seconds=60), 100, height) for height in (24, 60))
    assert len(small) <= 24
    assert len(large) > len(small)
    for title in ("Top allocation sites", "Alerts"):
        assert title in large


def test_few_lines_hold_the_figures_that_matter_most() -> None:
    text = "\n".join(few_lines(a_snapshot(seconds=60), 200))
    for word in ("live", "HeapAlloc 305.7 MiB -1.70 MiB/s", "Sys ", "RSS ", "GC ", "top site "):
        assert word in text
    assert len(text.splitlines()) <= 5


@pytest.mark.parametrize("width", [79, 119])
def test_no_figure_is_cut_where_shorter_words_have_room(width: int) -> None:
    _, figures, _, site = few_lines(a_snapshot(seconds=60), width)
    assert not figures.endswith("…")
    assert figures.endswith(" 305.7 MiB")
    assert " · live " in figures
    assert site.startswith("top site 188.2 MiB (51 %) · Δ +56.5 MiB · ")
    assert "cart.(*Store).Add cart/store.go:118" in site
    assert ("1 200 000 objects" in site) == (width > 79)


def test_what_is_missing_leaves_no_empty_line() -> None:
    nothing = Missing("it cannot be read")
    shown = a_snapshot(seconds=2, groups=nothing)
    assert all(few_lines(shown, 80))


def test_types_stand_where_sites_would_and_what_would_bring_those_is_said_in_full() -> None:
    no_sites = Missing("its allocations are recorded nowhere", "memdash --agent --sample 64KiB PID samples them")
    now = count_by_type(some_objects())
    lines = screenful(a_snapshot(seconds=2, groups=no_sites, objects=object_groups(now, now, {})), 40, 60)
    at = lines.index("Live objects by type")
    assert any("shop.cart.Order" in line for line in lines[at:])
    assert "Its allocations are recorded nowhere. memdash --agent --sample 64KiB PID samples them" in " ".join(lines)
    assert max(map(cells, lines)) <= 40


def test_why_there_are_no_rows_is_not_cut() -> None:
    nothing = Missing("it cannot be read by this user", "run memdash as the user who owns the process, or with sudo")
    lines = screenful(a_snapshot(seconds=2, groups=nothing, objects=nothing), 40, 60)
    assert nothing.words in " ".join(lines)


def test_names_of_the_target_steer_no_terminal() -> None:
    shown = a_snapshot(seconds=2, target=a_target(name="a\x1b[2Jb\n漢字"))
    for line in (*few_lines(shown, 200), *screenful(shown, 200, 40)):
        assert "\x1b" not in line
        assert "\n" not in line


def test_wide_characters_count_for_two_cells() -> None:
    assert cells("漢字ab") == 6
    assert cut("漢字ab", 6) == "漢字ab"
    assert cut("漢字ab", 5) == "漢字…"
    assert cut("漢字ab", 4) == "漢…"
