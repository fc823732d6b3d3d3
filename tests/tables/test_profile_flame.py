"""What is said of a flame's boxes."""

from __future__ import annotations

from pathlib import Path

import pytest

from memdash.pprof.costs import costed_files
from memdash.pprof.decode import decode
from memdash.pprof.flame import flame
from memdash.pprof.graph import graph
from memdash.pprof.measure import percentage
from memdash.pprof.view import Frame, Options, View
from memdash.pprof.within import within
from memdash.tables.profile_figures import ProfileFigures
from memdash.tables.profile_flame import FlameChart, grafted
from memdash.tables.profile_functions import functions_table
from memdash.tables.profile_top import TopOrder, ranked_top, top_table
from memdash.units import ratio
from tests.pprof.documents import CORPUS, of_stacks
from tests.pprof.synthetic import heap_profile

NOW = {"main > add@store.go:7 > grow@store.go:9": 800, "main > log": 200}


FULL = ("cpu.pb.gz", "goroutine.pb.gz", "heap.pb.gz")
"""The others of the corpus hold next to nothing."""


def a_chart(now: dict[str, int], before: dict[str, int] | None = None, fraction: float = 0.005) -> FlameChart:
    options = Options(node_fraction=fraction)
    view = View(of_stacks(now), options)
    base = None if before is None else View(of_stacks(before), options)
    return FlameChart(view, base, flame(view, base), "since the baseline")


def words(chart: FlameChart, box: int) -> str:
    return "".join(cell.text for cell in chart.told(box))


def named(chart: FlameChart, name: str) -> int:
    return next(box for box in range(len(chart.boxes.parents)) if chart.name(box) == name)


def test_each_box_has_its_share_and_size() -> None:
    chart = a_chart(NOW)
    assert chart.figures(0)[0] == "100 %  1000 B"
    assert chart.figures(named(chart, "add")) == ("80.0 %  800 B", "80.0 %")
    assert words(chart, named(chart, "grow")) == "held 800 B  80.0 % of all   own 800 B"
    assert chart.where(named(chart, "grow")) == "store.go:9"


def test_widths_are_what_is_held() -> None:
    chart = a_chart(NOW)
    assert [chart.boxes.weights[named(chart, name)] for name in ("all", "main", "add", "log")] == [1000, 1000, 800, 200]


def test_changes_have_a_sign_a_word_and_a_strength() -> None:
    chart = a_chart({"a": 500, "b": 100, "c": 300, "d": 10}, {"a": 300, "b": 300, "c": 300, "e": 7})
    told = {chart.name(box): (chart.sign(box), chart.change(box), words(chart, box)) for box in range(6)}
    assert told["a"][:2] == ("▲", 3)
    assert "▲ grew +200 B from 300 B since the baseline" in told["a"][2]
    assert "▼ shrank -200 B from 300 B" in told["b"][2]
    assert told["c"][:2] == ("", 0)
    assert "unchanged since the baseline" in told["c"][2]
    assert "▲ new +10 B since" in told["d"][2]
    assert told["d"][1] == 2
    assert "▼ gone -7 B from 7 B" in told["e"][2]
    assert told["e"][1] == -1
    assert chart.figures(named(chart, "d"))[0] == "+10 B new"
    assert chart.figures(named(chart, "c"))[0] == "= same"


def test_what_has_gone_keeps_the_width_it_had() -> None:
    chart = a_chart({"main > add": 10}, {"main > log": 1000})
    weights = {chart.name(box): chart.boxes.weights[box] for box in range(4)}
    assert weights == {"all": 1010, "main": 1010, "add": 10, "log": 1000}


def test_differences_of_one_profile_are_boxes_too() -> None:
    """What ``--base`` leaves: positive and negative values under one caller that holds nothing in all."""
    chart = a_chart({"main > add": 500, "main > log": -500})
    assert [chart.boxes.weights[named(chart, name)] for name in ("main", "add", "log")] == [1000, 500, 500]


def test_what_is_too_small_is_told_together() -> None:
    chart = a_chart({"main > add": 9_000, "main > log": 990, **{f"main > f{n}": 1 for n in range(10)}}, fraction=0.05)
    main = named(chart, "main")
    assert chart.boxes.rests[main] == 10
    told = "".join(cell.text for cell in chart.told_of_several(main, 1, 3))
    assert told == "held 1000 B  10.0 % of all   10 B of it in what is too small to be told"


def test_a_search_counts_what_is_found_once() -> None:
    chart = a_chart({"main > add > addAll": 600, "main > ADD": 150, "main > log": 250})
    found = chart.search("add")
    assert [chart.name(box) for box in found.boxes] == ["add", "addAll", "ADD"]
    assert found.words == "3 frames match 'add', 75.0 % of all"
    assert chart.search("addall").words == "1 frame matches 'addall', 60.0 % of all"
    assert chart.search("nothing").words == "no frame contains 'nothing'"
    assert chart.search("").boxes == ()


def test_places_that_can_be_found_again() -> None:
    chart = a_chart(NOW)
    grow = named(chart, "grow")
    assert [frame.name for frame in chart.path(grow)] == ["main", "add", "grow"]
    assert chart.find(chart.path(grow)) == grow
    other = a_chart({"main > add": 3})
    assert other.name(other.find(chart.path(grow))) == "add"
    assert chart.first(Frame("log")) == named(chart, "log")
    assert chart.first(Frame("unheard of")) == 0


def test_packages_of_go_and_modules_of_python() -> None:
    chart = a_chart({
        "github.com/acme/shop/cart.(*Store[go.shape.int]).Add.func1": 1,
        "github.com/acme/shop/cart.New": 1,
        "net/http.(*conn).serve": 1,
        "Store.add@/srv/shop/store.py:7": 1,
        "helper@/srv/shop/store.py:9": 1,
    })  # fmt: skip
    packages = {chart.name(box): chart.package(box) for box in range(1, 6)}
    assert packages["github.com/acme/shop/cart.New"] == "github.com/acme/shop/cart"
    assert packages["github.com/acme/shop/cart.(*Store[go.shape.int]).Add.func1"] == "github.com/acme/shop/cart"
    assert packages["net/http.(*conn).serve"] == "net/http"
    assert packages["Store.add"] == packages["helper"] == "/srv/shop/store.py"


def test_a_closer_look_takes_the_place_of_a_branch() -> None:
    view = View(heap_profile(500), Options(node_fraction=0.05))
    rows = flame(view).rows
    at = next(index for index, row in enumerate(rows) if row.depth == 2)
    path = FlameChart(view, None, flame(view)).path(at + 1)
    assert len(path) == 3
    closer = grafted(rows, path, flame(within(view, path, 0.001)))
    assert len(closer) > len(rows)
    assert closer[: at + 1] == rows[: at + 1]
    assert set(rows) <= set(closer)
    assert grafted(rows, (Frame("elsewhere"),), flame(view)) == rows


def test_an_empty_profile_has_one_box_of_nothing() -> None:
    chart = a_chart({})
    assert chart.boxes.weights == [0]
    assert (chart.share(0), chart.search("x").boxes) == ("", ())


@pytest.mark.parametrize("path", [path for path in CORPUS if path.name in FULL], ids=lambda path: path.name)
def test_what_is_called_in_one_place_holds_its_cum(path: Path) -> None:
    """Profiles of Go programs; figures of top are those of ``go tool pprof``."""
    view = View(decode(path.read_bytes()), Options(node_fraction=0))
    chart = FlameChart(view, None, flame(view))
    cums = {node.frame: node.cum for node in graph(view).nodes}
    boxes = [chart.frame(box) for box in range(1, len(chart.boxes.parents))]
    once = [box for box, frame in enumerate(boxes, start=1) if boxes.count(frame) == 1 and frame in cums]
    assert once
    assert all(chart.share(box) == ratio(cums[chart.frame(box)] / view.total) for box in once)


def test_of_one_line_of_calls_each_holds_its_cum() -> None:
    """The same figure as in top, and as ``go tool pprof`` has it."""
    view = View(of_stacks({"main > a > b > c": 300, "main > a": 50, "other": 77}), Options())
    chart = FlameChart(view, None, flame(view))
    cums = {node.frame: percentage(node.cum, view.total) for node in graph(view).nodes}
    for name in "abc":
        box = named(chart, name)
        assert chart.share(box).removesuffix(" %") == f"{float(cums[chart.frame(box)].rstrip('%')):.1f}"


def test_time_reads_as_time_in_every_view() -> None:
    view = View(decode(next(path for path in CORPUS if path.name == "cpu.pb.gz").read_bytes()), Options())
    chart = FlameChart(view, None, flame(view))
    churn = named(chart, "main.churn")
    assert chart.figures(churn)[0] == "95.8 %  460.0 ms"
    assert words(chart, churn).startswith("held 460.0 ms")
    file = next(file for file in costed_files(view) if any(one.name == "main.churn" for one in file.functions))
    figures = ProfileFigures(view.sample_type.unit, view.total)
    row = next(row for row in functions_table(file.functions, figures, "").rows if row.key.endswith("main.churn"))
    assert row.cells[1].text == "460.0 ms"
    found = ranked_top(view, view, None)
    top = next(row for row in top_table(found, TopOrder.CUM, False, "main.churn", "").rows if row.key == "main.churn")
    assert "460.0 ms" in [cell.text for cell in top.cells]
