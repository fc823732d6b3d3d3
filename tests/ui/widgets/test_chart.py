"""What the chart draws, judged by the dots it sets."""

import math
from collections.abc import Sequence
from itertools import pairwise

from memdash.analysis.resample import Column
from memdash.ui.widgets.chart import Plot, PlotLine, _points, _rendered, _spread, _straightened

NAN = math.nan
GAP = Column(NAN, NAN, NAN)


def level(*values: float) -> list[Column]:
    return [Column(value, value, value) for value in values]


def drawing(columns: Sequence[Column], width: int = 20, rows: int = 6, high: float = 24.0) -> list[str]:
    """The dots alone, row by row."""
    line = PlotLine("heap", "heap", "heap-alloc", "*", columns)
    plot = Plot([line], [], 0.0, high, [(0, "-1m"), (2 * width - 1, "now")], [(0.0, "0 B"), (high, "24 B")])
    text = _rendered(plot, width, rows, ascii_only=False)
    plain = "".join(part.partition("m")[2] for part in ("m" + text).split("\x1b["))
    return [row[9:] for row in plain.split("\n")][:rows]


def cells_with_dots(rows: Sequence[str]) -> set[tuple[int, int]]:
    return {(x, y) for y, row in enumerate(rows) for x, c in enumerate(row) if "\u2801" <= c <= "\u28ff"}


def test_a_level_line_keeps_to_its_row() -> None:
    dots = cells_with_dots(drawing(level(*[12.0] * 40)))
    assert dots == {(x, 2) for x in range(20)}


def test_a_gap_stays_empty() -> None:
    dots = cells_with_dots(drawing([*level(*[12.0] * 10), *[GAP] * 20, *level(*[12.0] * 10)]))
    assert {x for x, _ in dots} == {*range(5), *range(15, 20)}


def test_a_spike_of_one_sample_reaches_its_height() -> None:
    columns = level(*[2.0] * 40)
    columns[21] = Column(2.0, 23.0, 2.0)
    dots = cells_with_dots(drawing(columns))
    assert (10, 0) in dots
    assert {y for x, y in dots if x not in (9, 10, 11)} == {5}


def test_axes_have_their_labels() -> None:
    line = PlotLine("heap", "heap", "heap-alloc", "*", level(*[12.0] * 40))
    plot = Plot([line], [], 0.0, 24.0, [(0, "-1m"), (19, "now")], [(0.0, "0 B"), (12.0, "12 B")])
    text = _rendered(plot, 20, 6, ascii_only=True)
    assert "12 B" in text
    assert "now" in text
    assert "*" in text


def test_the_middle_of_a_straight_run_needs_no_points() -> None:
    points, breaks = _points(level(*range(40)), lambda value: value)
    assert len(points) == 2
    assert breaks == []


def test_leaving_points_out_moves_no_dot_by_more_than_one() -> None:
    run = [(x, round(20 + 18 * math.sin(x / 5))) for x in range(140)]
    kept = _straightened(run)
    assert len(kept) < len(run) / 2
    for (x0, y0), (x1, y1) in pairwise(kept):
        for x, y in run[x0 : x1 + 1]:
            assert abs(y0 + (y1 - y0) * (x - x0) / (x1 - x0) - y) <= 1


def test_names_of_neighbouring_lines_make_room_for_each_other() -> None:
    assert _spread([3, 3, 4], 10) == [3, 4, 5]
    assert _spread([9, 9], 10) == [8, 9]
    assert _spread([0, 5], 10) == [0, 5]
