"""Boxes into cells: nothing overlaps, nothing leaves the box it is in, nothing drifts."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from memdash.tables.boxes import Boxes
from memdash.ui.widgets.tiles import Tile, Zoom, tiled


class Row(NamedTuple):
    depth: int
    weight: int
    own: int
    rest: int


@st.composite
def any_boxes(draw: st.DrawFn) -> Boxes:
    """Trees of any shape, with weights that add up or not."""
    depths, deepest = [0], 0
    for step in draw(st.lists(st.integers(0, 6), max_size=40)):
        deepest = max(1, min(deepest + 1, step + 1))
        depths.append(deepest)
    weights = st.one_of(st.integers(0, 9), st.integers(0, 1 << 63))
    return Boxes.of(Row(depth, draw(weights), draw(weights), draw(weights)) for depth in depths)


def bounds(lines: list[list[Tile]], boxes: Boxes) -> dict[int, tuple[int, int]]:
    return {tile.box: (tile.start, tile.end) for line in lines for tile in line if not tile.is_several}


@settings(max_examples=60)
@given(any_boxes(), st.integers(1, 300))
def test_tiles_never_overlap_and_stay_in_their_box(boxes: Boxes, width: int) -> None:
    lines = tiled(boxes, Zoom(), width)
    placed = bounds(lines, boxes)
    for line in lines:
        assert all(0 <= tile.start < tile.end <= width for tile in line)
        assert all(one.end <= other.start for one, other in pairwise(line))
    for line in lines[1:]:
        for tile in line:
            outer = placed[tile.box if tile.is_several else boxes.parents[tile.box]]
            assert outer[0] <= tile.start
            assert tile.end <= outer[1]


@settings(max_examples=60)
@given(any_boxes(), st.integers(1, 300))
def test_a_box_has_its_share_of_cells_to_less_than_one(boxes: Boxes, width: int) -> None:
    for line in tiled(boxes, Zoom(), width):
        for tile in line:
            weight = boxes.weights[tile.box]
            if tile.is_several:
                inner = boxes.inner[tile.box]
                weight = sum(
                    boxes.weights[inner[place]] if place < len(inner) else boxes.rests[tile.box]
                    for place in range(tile.first, tile.last)
                )
            exact = weight * width
            assert abs((tile.end - tile.start) * boxes.weights[0] - exact) < boxes.weights[0]


@settings(max_examples=60)
@given(any_boxes(), st.integers(1, 300))
def test_what_has_a_cell_is_a_tile_of_its_own(boxes: Boxes, width: int) -> None:
    placed = bounds(tiled(boxes, Zoom(), width), boxes)
    whole = boxes.weights[0]
    for box in range(len(boxes.parents)):
        wide = whole > 0 and all(boxes.weights[one] * width >= whole for one in boxes.path(box))
        assert (box in placed) is wide


@settings(max_examples=60)
@given(any_boxes(), st.integers(1, 120), st.data())
def test_a_zoom_gives_a_box_the_full_width_and_nothing_else_changes(
    boxes: Boxes, width: int, data: st.DataObject
) -> None:
    box = data.draw(st.integers(0, len(boxes.parents) - 1))
    lines = tiled(boxes, Zoom(box), width)
    if not boxes.weights[box]:
        assert lines == []
        return
    assert lines[0] == [Tile(0, width, box)]
    for line in lines:
        assert all(box in boxes.path(tile.box) for tile in line)


@settings(max_examples=60)
@given(any_boxes())
def test_a_box_weighs_no_less_than_what_is_in_it(boxes: Boxes) -> None:
    for box, inner in enumerate(boxes.inner):
        assert boxes.weights[box] >= sum(boxes.weights[one] for one in inner) + boxes.rests[box]


def siblings(*weights: int, rest: int = 0) -> Boxes:
    whole = sum(weights) + rest
    return Boxes.of([Row(0, whole, 0, rest), *(Row(1, weight, 0, 0) for weight in weights)])


def test_narrow_boxes_share_a_tile() -> None:
    _, line = tiled(siblings(900, 30, 30, 30, 10), Zoom(), 20)
    assert line == [Tile(0, 18, 1), Tile(18, 20, 0, 1, 6)]


def test_what_was_left_out_has_its_place_too() -> None:
    _, line = tiled(siblings(500, rest=500), Zoom(), 10)
    assert line == [Tile(0, 5, 1), Tile(5, 10, 0, 1, 2)]


def test_a_wide_run_of_narrow_boxes_is_several_tiles_until_each_is_a_box() -> None:
    boxes = siblings(*[1] * 10_000)
    zoom, zooms = Zoom(), 0
    while (tile := tiled(boxes, zoom, 80)[1][3]).is_several:
        zoom, zooms = Zoom(0, tile.first, tile.last), zooms + 1
    assert 1 <= zooms <= 4
    line = tiled(boxes, zoom, 80)[1]
    assert sum(one.end - one.start for one in line) == 80


def test_edges_are_the_same_in_every_line() -> None:
    """However deep, one thirds of one third: an edge lies where its offset from the left end is."""
    rows = [Row(0, 3**9, 0, 0)]
    rows += [Row(depth, 3 ** (9 - depth), 0, 0) for depth in range(1, 9)]
    boxes = Boxes.of(rows)
    for depth, line in enumerate(tiled(boxes, Zoom(), 1000)):
        assert line == [Tile(0, 1000 * 3 ** (9 - depth) // 3**9, depth)]


def test_without_room_or_weight_there_is_nothing() -> None:
    assert tiled(siblings(1, 2), Zoom(), 0) == []
    assert tiled(siblings(0, 0), Zoom(), 80) == []
