"""Tables of a profile: their figures are those of go tool pprof, in units of our own."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memdash.pprof.decode import decode
from memdash.pprof.document import Document
from memdash.pprof.flame import flame
from memdash.pprof.merge import minus
from memdash.pprof.pattern import compiled
from memdash.pprof.text import Writer
from memdash.pprof.top import top
from memdash.pprof.tree import peek
from memdash.pprof.view import Options, View
from memdash.tables.profile_figures import VALUE_CELLS, ProfileFigures
from memdash.tables.profile_peek import PeekOrder, calls_in, peek_table
from memdash.tables.profile_top import RankedTop, TopOrder, ranked_top, top_remark, top_table
from memdash.tables.profile_tree import CallTree, TreeOrder, tree_table
from memdash.tables.table import Table
from memdash.units import MIB
from tests.pprof.documents import CORPUS, of_stacks
from tests.pprof.synthetic import heap_profile

NOW = {"main > handle > grow": 300 * MIB, "main > handle": 50 * MIB, "main > log": 150 * MIB, "main > fresh": 7 * MIB}
THEN = {"main > handle > grow": 100 * MIB, "main > log": 190 * MIB, "main > old": 30 * MIB}


_ONE = {"kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "M": 1e6, "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3}


def parts(value: str) -> tuple[float, float]:
    """A number as pprof spells it, ``12.01kB``, or we do, ``12.0 KiB``: its value and that of its unit."""
    found = re.fullmatch(r"\+?(-?[\d. ]+?) ?([a-zA-Zµ]*)", value)
    assert found is not None, value
    one = _ONE.get(found[2].replace("Ki", "k").replace("i", ""), 1.0)
    return float(found[1].replace(" ", "")) * one, one


def agree(ours: str, pprofs: str) -> bool:
    """Up to how either is rounded."""
    (mine, _), (theirs, unit) = parts(ours), parts(pprofs)
    return abs(mine - theirs) <= 0.006 * abs(theirs) + 0.005 * unit


def texts(table: Table, key: str) -> list[str]:
    place = [column.key for column in table.columns].index(key)
    return [row.cells[place].text for row in table.rows]


def ranked(document: Document, base: Document | None = None, *, relative: bool = True, **options: object) -> RankedTop:
    chosen = Options(**options)  # type: ignore[arg-type]  # by name
    now = View(document, chosen)
    if base is None:
        return ranked_top(now, now, None)
    view = View(minus(document, base, relative_to_base=relative), chosen)
    return ranked_top(view, now, View(base, chosen))


PROFILES = {"made up": heap_profile(300)} | {path.stem: decode(path.read_bytes()) for path in CORPUS}
KINDS = [(name, kind) for name in PROFILES for kind in ("", *(held.kind for held in PROFILES[name].sample_types))]


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_flat_and_cum_are_those_of_pprof(name: str, kind: str) -> None:
    document = PROFILES[name]
    view = View(document, Options(sample_type=kind))
    table = top_table(ranked(document, sample_type=kind), TopOrder.FLAT, False, "", "")
    lines = [line.split() for line in Writer(view).top(top(view)) if re.match(r" *-?[\d.]+[a-zA-Z]* +[\d.]+% ", line)]
    for place, key in ((1, "flat%"), (2, "sum%"), (4, "cum%")):
        assert texts(table, key) == [line[place] for line in lines]
    for place, key in ((0, "flat"), (3, "cum")):
        assert all(agree(ours, line[place]) for ours, line in zip(texts(table, key), lines, strict=True))


def test_a_difference_has_signs_and_words() -> None:
    found = ranked(of_stacks(NOW), of_stacks(THEN))
    table = top_table(found, TopOrder.FLAT, False, "", "")
    rows = dict(
        zip(texts(table, "function"), zip(texts(table, "flat"), texts(table, "word"), strict=True), strict=True)
    )
    assert rows == {
        "grow": ("+200.0 MiB", ""),
        "handle": ("+50.0 MiB", ""),
        "log": ("-40.0 MiB", ""),
        "old": ("-30.0 MiB", "gone"),
        "fresh": ("+7.00 MiB", "new"),
        "main": ("0", ""),
    }
    assert texts(table, "function")[:4] == ["grow", "handle", "log", "old"]
    assert [row.cells[0].tone.value for row in table.rows[:3]] == ["grows", "grows", "shrinks"]


def test_shares_of_a_difference_are_of_the_baseline_or_of_all_that_changed() -> None:
    of_base, of_change = (ranked(of_stacks(NOW), of_stacks(THEN), relative=relative) for relative in (True, False))
    assert texts(top_table(of_base, TopOrder.FLAT, False, "", ""), "flat%")[0] == "62.50%"
    assert top_remark(of_base, is_relative_to_base=True).endswith("+187.0 MiB in all: 58.44% of 320.0 MiB held then")
    assert texts(top_table(of_change, TopOrder.FLAT, False, "", ""), "flat%")[0] == "61.16%"
    assert top_remark(of_change, is_relative_to_base=False).endswith("of 327.0 MiB that changed")
    of_nothing = ranked(of_stacks(NOW), of_stacks({}))
    assert top_remark(of_nothing, is_relative_to_base=True).endswith("100% of 507.0 MiB that changed")


def test_rows_are_sorted_and_found() -> None:
    found = ranked(of_stacks(NOW))

    def names(order: TopOrder, *, reverse: bool = False, wanted: str = "") -> list[str]:
        return texts(top_table(found, order, reverse, wanted, "nothing"), "function")

    assert names(TopOrder.FLAT)[:3] == ["grow", "log", "handle"]
    assert names(TopOrder.CUM)[:3] == ["main", "handle", "grow"]
    assert names(TopOrder.FUNCTION) == ["fresh", "grow", "handle", "log", "main"]
    assert names(TopOrder.FUNCTION, reverse=True)[0] == "main"
    assert names(TopOrder.FLAT, wanted="GR") == ["grow"]
    table = top_table(found, TopOrder.FLAT, False, "zz", "nothing")
    assert (table.rows, table.empty) == ((), "no function matches 'zz'")


def test_a_profile_of_nothing_says_what_it_is_told() -> None:
    found = ranked(of_stacks({}))
    table = top_table(found, TopOrder.FLAT, False, "", "nothing is held")
    assert (table.rows, table.empty) == ((), "nothing is held")
    assert top_remark(found, is_relative_to_base=True) == "0 functions, 0% of 0 B"


def a_tree(*, differs: bool = False, turned: bool = False) -> CallTree:
    options = Options()
    view, before = View(of_stacks(NOW), options), View(of_stacks(THEN), options) if differs else None
    if turned:
        view, before = view.turned(), before and before.turned()
    return CallTree(flame(view, before), "bytes", view.total, is_difference=differs, is_turned=turned)


def lines(tree: CallTree, opened: set[int], wanted: str = "", *, order: TreeOrder | None = None) -> list[str]:
    table = tree_table(tree, opened, order or tree.order, False, wanted, "")
    return [row.cells[-1].lead + row.cells[-1].text for row in table.rows]


def keys(tree: CallTree, *names: str) -> set[int]:
    return {key for key, row in zip(tree.keys, tree.flame.rows, strict=True) if row.frame.name in names}


def test_branches_show_when_they_are_open() -> None:
    tree = a_tree()
    assert lines(tree, set()) == ["▸ main"]
    assert lines(tree, keys(tree, "main")) == ["▾ main", " ▸ handle", "   log", "   fresh"]
    assert lines(tree, keys(tree, "main", "handle"))[2] == "    grow"
    assert lines(tree, keys(tree, "main"), order=TreeOrder.FUNCTION)[1] == "   fresh"


def test_the_tree_of_callers_begins_with_those_that_hold_something() -> None:
    tree = a_tree(turned=True)
    assert lines(tree, set())[:3] == ["▸ grow", "▸ log", "▸ handle"]
    assert lines(tree, set(tree.keys))[:3] == ["▾ grow", " ▾ handle", "    main"]
    assert "own" not in [column.key for column in tree_table(tree, set(), tree.order, False, "", "").columns]


def test_a_tree_of_changes_keeps_what_is_gone() -> None:
    table = tree_table(tree := a_tree(differs=True), set(tree.keys), tree.order, False, "", "")
    rows = dict(
        zip(texts(table, "function"), zip(texts(table, "change"), texts(table, "word"), strict=True), strict=True)
    )
    assert rows["old"] == ("-30.0 MiB", "gone")
    assert rows["fresh"] == ("+7.00 MiB", "new")
    assert rows["main"] == ("+187.0 MiB", "")
    assert texts(table, "function")[1:3] == ["handle", "grow"]


def test_the_hot_path_ends_where_no_call_holds_more() -> None:
    tree = a_tree()
    assert [tree.flame.rows[number].frame.name for number in tree.hot_path()] == ["main", "handle", "grow"]
    stops = View(of_stacks({"main > add": 90, "main > add > grow": 20}), Options())
    tree = CallTree(flame(stops), "bytes", stops.total, is_difference=False, is_turned=False)
    assert [tree.flame.rows[number].frame.name for number in tree.hot_path()] == ["main", "add"]
    empty = View(of_stacks({}), Options())
    assert CallTree(flame(empty), "bytes", 0, is_difference=False, is_turned=False).hot_path() == []


def test_what_is_found_is_shown_with_what_leads_to_it() -> None:
    tree = a_tree()
    assert lines(tree, set(), "GROW") == ["▾ main", " ▾ handle", "    grow"]
    assert lines(tree, set(), "main") == ["▸ main"]
    assert tree_table(tree, set(), tree.order, False, "zz", "").empty == "no function matches 'zz'"


def test_branches_keep_their_keys_from_one_flame_to_the_next() -> None:
    assert keys(a_tree(), "handle") == keys(a_tree(differs=True), "handle")


def test_a_function_stands_between_its_callers_and_its_callees() -> None:
    document = heap_profile(300)
    view = View(document, Options())
    calls = calls_in(view, is_difference=False)
    node = max(calls.nodes.values(), key=lambda node: len(node.callers) * len(node.callees))
    table = peek_table(calls, node, PeekOrder.WEIGHT, False, "")
    whole, shown = peek(view, compiled(f"^{re.escape(node.frame.text)}$"))
    printed = [
        line.split() for line in Writer(view).tree(whole, shown) if re.match(r" *-?[\d.]+[a-zA-Z]* +[\d.]+% +\|", line)
    ]
    sides = [row.cells[0].text for row in table.rows]
    weights = [
        weight
        for side, weight in zip(sides, texts(table, "weight"), strict=True)
        if side in ("called by", "calls") and weight
    ]
    assert all(agree(ours, line[0]) for ours, line in zip(weights, printed, strict=True))
    assert sides == sorted(sides, key=["called by", "holds", "itself", "calls"].index)


def test_a_walk_finds_who_stands_in_a_row() -> None:
    calls = calls_in(View(of_stacks(NOW), Options()), is_difference=False)
    nodes = {node.frame.name: node for node in calls.nodes.values()}
    table = peek_table(calls, nodes["handle"], PeekOrder.WEIGHT, False, "")
    found = [calls.frame(nodes["handle"], row.key) for row in table.rows]
    assert [frame.name for frame in found if frame] == ["main", "handle", "handle", "grow"]
    outermost = peek_table(calls, nodes["main"], PeekOrder.FUNCTION, False, "")
    assert texts(outermost, "function") == [
        "nobody: stacks begin here", "main", "not through calls", "fresh", "handle", "log",
    ]  # fmt: skip
    assert calls.frame(nodes["main"], outermost.rows[0].key) is None
    assert texts(peek_table(calls, nodes["main"], PeekOrder.WEIGHT, True, "l"), "function")[-2:] == ["log", "handle"]


def test_values_are_written_as_in_the_rest_of_the_dashboard() -> None:
    held = ProfileFigures("bytes", 8 << 20)
    assert [held.value(value) for value in (0, 900, 5_286_385, -(3 << 30))] == ["0 B", "900 B", "5.04 MiB", "-3.00 GiB"]
    assert ProfileFigures("count", 1, is_signed=True).value(3_204_118) == "+3 204 118"
    assert ProfileFigures("nanoseconds", 1).value(1_840_000) == "1.84 ms"
    assert ProfileFigures("kilobytes", 1).value(4096) == "4.00 MiB"
    assert [held.change(value) for value in (0, 900, -(3 << 30))] == ["0", "+900 B", "-3.00 GiB"]
    assert held.cell(0).text == "0"


@given(st.integers(-(1 << 62), 1 << 62), st.sampled_from(["bytes", "count", "nanoseconds"]))
def test_no_value_is_wider_than_its_column(value: int, unit: str) -> None:
    assert len(ProfileFigures(unit, 1, is_signed=True).value(value)) <= VALUE_CELLS


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5.00%"),
        (999, "999.00%"),
        (-1141, "1141.00%"),
        (20_000, "20000%"),
        (5_000_000, "×50000"),
        (1 << 60, "×1e+16"),
    ],
)
def test_no_share_takes_more_than_its_column(value: int, text: str) -> None:
    figures = ProfileFigures("count", 100)
    assert figures.share(value) == text
    for power in range(63):
        assert len(figures.share(1 << power)) <= 8
    assert figures.share(5, 0) == ""
