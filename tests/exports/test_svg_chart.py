from __future__ import annotations

import math
import re
from itertools import pairwise

from memdash.analysis.resample import Column
from memdash.exports.svg_chart import ChartBound, ChartLine, SvgChart, svg_chart
from memdash.units import count

GAP = Column(math.nan, math.nan, math.nan)


def chart(*lines: list[Column], **changes: object) -> str:
    drawn = [ChartLine(f"line {n}", f"look{n}", columns) for n, columns in enumerate(lines)]
    given: dict[str, object] = {
        "title": "t", "lines": drawn, "start_s": 0.0, "end_s": 60.0, "figure": count, "tick": count, "base": 10.0,
        "height": 200, **changes,
    }  # fmt: skip
    return svg_chart(SvgChart(**given))  # type: ignore[arg-type]


def flat(*values: float) -> list[Column]:
    return [GAP if math.isnan(value) else Column(value, value, value) for value in values]


def path(drawn: str, look: str = "look0") -> str:
    found = re.search(rf'class="line {look}" d="([^"]*)"', drawn)
    assert found
    return found[1]


def test_a_gap_stays_a_gap() -> None:
    assert path(chart(flat(1, 2, 3))).count("M") == 1
    assert path(chart(flat(1, 2, math.nan, 3, 4))).count("M") == 2
    alone = path(chart(flat(math.nan, 2, math.nan)))
    assert alone.endswith("h1.5"), "a reading with nothing beside it is seen"


def test_no_spike_is_lost() -> None:
    calm, spike = flat(10, 10, 10), [*flat(10), Column(1, 100, 10), *flat(10)]
    assert path(chart(calm)).count("L") == 1, "points on a straight line are left out"
    assert path(chart(spike)).count("L") == 4


def test_a_reading_wider_than_a_column_is_drawn_once() -> None:
    wide = [Column(1, 9, 5)] * 5
    assert path(chart(wide)).count("L") == 3


def test_nothing_to_draw_is_nothing() -> None:
    assert chart(flat(math.nan, math.nan)) == ""
    assert chart() == ""


def test_names_do_not_cover_each_other() -> None:
    drawn = chart(flat(1, 1), flat(1, 1), flat(1, 1), flat(90, 90))
    places = sorted(float(y) for y in re.findall(r'class="name look\d" x="\d+" y="([\d.]+)"', drawn))
    assert len(places) == 4
    assert all(after - before >= 13.9 for before, after in pairwise(places))
    assert max(places) <= 200


def test_all_zero_and_huge_are_drawn() -> None:
    for value in (0.0, 1e18):
        drawn = chart(flat(value, value), bounds=[ChartBound("limit", 2 * value)])
        assert "nan" not in drawn
        assert "inf" not in drawn
        assert "limit" in drawn


def test_the_axis_of_counts_has_whole_numbers_alone() -> None:
    labels = re.compile(r'class="y"[^>]*>([^<]*)<')
    assert labels.findall(chart(flat(17, 17), counts=True)) == ["17"]
    few = labels.findall(chart(flat(1, 2), counts=True))
    assert few == ["1", "2"]
