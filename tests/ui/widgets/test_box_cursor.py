"""Moving and zooming in boxes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from memdash.tables.boxes import Boxes
from memdash.ui.widgets.box_cursor import BoxCursor, Choice
from memdash.ui.widgets.tiles import Zoom
from tests.ui.widgets.test_tiles import Row, any_boxes, siblings

#  0 root: 100 = 1 (60) + 4 (40); 1 = 2 (30) + 3 (30); 4 = 5 (40)
SMALL = Boxes.of(
    [Row(0, 100, 0, 0), Row(1, 60, 0, 0), Row(2, 30, 30, 0), Row(2, 30, 30, 0), Row(1, 40, 0, 0), Row(2, 40, 40, 0)]
)


def at(boxes: Boxes = SMALL, width: int = 100, height: int = 20) -> BoxCursor:
    cursor = BoxCursor(boxes)
    cursor.fit(width, height)
    return cursor


def test_down_goes_into_the_widest_and_back_to_where_one_was() -> None:
    cursor = at()
    cursor.deeper()
    assert cursor.chosen.box == 1
    cursor.beside(1)
    assert cursor.chosen.box == 4
    cursor.outward()
    assert cursor.chosen.box == 0
    cursor.deeper()
    assert cursor.chosen.box == 4


def test_left_and_right_cross_from_caller_to_caller_and_stop_at_the_ends() -> None:
    cursor = at()
    cursor.choose(Choice(3))
    cursor.beside(1)
    assert cursor.chosen.box == 5
    cursor.beside(1)
    assert cursor.chosen.box == 5


def test_zooms_are_undone_one_by_one() -> None:
    cursor = at()
    cursor.choose(Choice(1))
    assert cursor.zoom_in()
    cursor.choose(Choice(3))
    assert cursor.zoom_in()
    assert not cursor.zoom_in()
    assert cursor.zooms == [Zoom(1), Zoom(3)]
    assert cursor.above == 2
    assert cursor.zoom_out()
    assert cursor.zoom == Zoom(1)
    assert cursor.zoom_out()
    assert not cursor.zoom_out()
    assert cursor.zoom == Zoom()


def test_zooming_into_a_caller_forgets_what_was_zoomed_into_below_it() -> None:
    cursor = at()
    cursor.choose(Choice(3))
    cursor.zoom_in()
    cursor.outward()
    assert cursor.chosen.box == 1
    cursor.zoom_in()
    assert cursor.zooms == [Zoom(1)]
    cursor.zoom_out_fully()
    assert (cursor.zooms, cursor.chosen) == ([], Choice())


def test_narrow_boxes_are_chosen_together_and_zoomed_into() -> None:
    cursor = at(siblings(900, 30, 30, 30, 10), width=20)
    cursor.choose(Choice(1))
    cursor.beside(1)
    assert cursor.chosen == Choice(0, 1)
    found = cursor.found
    assert found is not None
    assert found[1].is_several
    cursor.zoom_in()
    assert cursor.zoom == Zoom(0, 1, 6)
    assert [tile.box for tile in cursor.tiles(1)] == [2, 3, 4, 5]
    cursor.outward()
    assert cursor.zoom_out()
    assert cursor.zoom == Zoom()


def test_what_is_too_narrow_is_zoomed_to_when_it_is_asked_for() -> None:
    cursor = at(siblings(10_000, *[1] * 500), width=50)
    cursor.choose(Choice(77))
    found = cursor.found
    assert found is not None
    assert found[1].box == 77
    assert not found[1].is_several


def test_the_view_follows_the_cursor_and_the_wheel_does_not_move_it() -> None:
    cursor = at(Boxes.of([Row(depth, 5, 0, 0) for depth in range(1000)]), height=10)
    assert (cursor.levels, cursor.in_view) == (1000, range(10))
    cursor.page(1)
    assert cursor.chosen.box == 9
    for _ in range(5):
        cursor.deeper()
    assert cursor.in_view == range(5, 15)
    cursor.scroll(500)
    assert (cursor.in_view.start, cursor.chosen.box) == (505, 14)
    cursor.page(-1)
    assert cursor.chosen.box == 5
    assert cursor.in_view.start == 5


def test_it_begins_where_the_trunk_ends_unless_all_is_in_view() -> None:
    trunk = [Row(depth, 100, 0, 0) for depth in range(30)]
    boxes = Boxes.of([*trunk, Row(30, 95, 0, 0), Row(31, 60, 60, 0), Row(31, 35, 35, 0), Row(30, 5, 5, 0)])
    cursor = at(boxes, height=12)
    cursor.begin()
    assert cursor.chosen == Choice(30)
    assert cursor.in_view == range(20, 32)
    cursor = at(boxes, height=32)
    cursor.begin()
    assert (cursor.chosen, cursor.top) == (Choice(), 0)
    cursor = at(Boxes.of([*trunk, *(Row(depth, 60, 0, 0) for depth in range(30, 60)), Row(30, 40, 40, 0)]), height=12)
    cursor.begin()
    assert (cursor.chosen.box, cursor.in_view) == (29, range(25, 37))


def test_a_page_goes_as_deep_as_there_is_anything_below() -> None:
    boxes = Boxes.of([Row(0, 9, 0, 0), Row(1, 5, 0, 0), *(Row(depth, 4, 0, 0) for depth in range(1, 30))])
    cursor = at(boxes, height=10)
    cursor.choose(Choice(1))
    cursor.page(1)
    assert cursor.chosen.box == 1
    cursor.choose(Choice(2))
    cursor.page(1)
    assert boxes.depths[cursor.chosen.box] == 10


def test_few_levels_get_more_lines_each() -> None:
    assert [at(height=height).rise for height in (2, 5, 6, 9, 50)] == [1, 1, 2, 3, 3]


def test_without_boxes_nothing_moves() -> None:
    at(Boxes.of([])).begin()
    for boxes in (Boxes.of([]), siblings(0)):
        cursor = at(boxes)
        for move in (cursor.deeper, cursor.outward, cursor.zoom_in, cursor.zoom_out, cursor.zoom_out_fully):
            move()
        cursor.beside(1)
        cursor.page(1)
        cursor.scroll(3)
        assert (cursor.levels, cursor.found, cursor.chosen) == (0, None, Choice())


MOVES = st.sampled_from(
    ["deeper", "outward", "left", "right", "in", "out", "root", "page", "back", "wheel", "narrower"]
)


@settings(max_examples=60)
@given(any_boxes(), st.lists(MOVES, max_size=30), st.integers(1, 90), st.integers(1, 12))
def test_whatever_is_pressed_the_cursor_stays_on_something_in_view(
    boxes: Boxes, moves: list[str], width: int, height: int
) -> None:
    cursor = at(boxes, width, height)
    for move in moves:
        match move:
            case "deeper":
                cursor.deeper()
            case "outward":
                cursor.outward()
            case "left":
                cursor.beside(-1)
            case "right":
                cursor.beside(1)
            case "in":
                cursor.zoom_in()
            case "out":
                cursor.zoom_out()
            case "root":
                cursor.zoom_out_fully()
            case "page":
                cursor.page(1)
            case "back":
                cursor.page(-1)
            case "wheel":
                cursor.scroll(3)
                continue
            case "narrower":
                cursor.fit(max(width // 2, 1), height)
        found = cursor.found
        if cursor.levels and found is not None and move in ("deeper", "outward", "left", "right", "page", "back"):
            assert found[0] in cursor.in_view
        for outer, inner in zip(cursor.zooms, cursor.zooms[1:], strict=False):
            assert outer.box in boxes.path(inner.box)
        assert 0 <= cursor.top <= max(cursor.levels - 1, 0)
