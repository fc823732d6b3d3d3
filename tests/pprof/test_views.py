"""The small parts of the views, and what pprof itself does not show."""

import time
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memdash.errors import BadProfile, UsageError
from memdash.pprof.document import Document, Function, Line, Location, ValueType
from memdash.pprof.filters import Filters, pruned
from memdash.pprof.flame import Flame, flame
from memdash.pprof.graph import graph
from memdash.pprof.listing import listing_view
from memdash.pprof.measure import label, output_unit, percentage
from memdash.pprof.merge import minus
from memdash.pprof.names import simplified
from memdash.pprof.pattern import compiled, is_harmless
from memdash.pprof.text import Writer
from memdash.pprof.top import top
from memdash.pprof.tree import peek
from memdash.pprof.view import Options, View
from tests.pprof.documents import any_document, of_stacks
from tests.pprof.every_view import look_into
from tests.pprof.synthetic import heap_profile

STACKS = {
    "main > add > grow": 300,
    "main > add": 50,
    "main > log": 150,
    "main > add > add > grow": 500,
}
ALL = Options(node_fraction=0, edge_fraction=0)


def view(document: Document | dict[str, int], **options: object) -> View:
    return View(document if isinstance(document, Document) else of_stacks(document), replace(ALL, **options))  # type: ignore[arg-type]  # by name


def test_a_recursive_call_counts_once() -> None:
    rows = {row.frame.name: (row.flat, row.cum) for row in top(view(STACKS)).rows}
    assert rows == {"grow": (800, 800), "log": (150, 150), "add": (50, 850), "main": (0, 1000)}


def test_callers_and_callees_are_the_heaviest_first() -> None:
    nodes = {node.frame.name: node for node in graph(view(STACKS)).nodes}
    assert [(edge.other.name, edge.weight) for edge in nodes["main"].callees] == [("add", 850), ("log", 150)]
    assert [(edge.other.name, edge.weight) for edge in nodes["grow"].callers] == [("add", 800)]


def test_what_is_small_is_left_out_and_its_calls_go_to_whoever_is_left() -> None:
    found = graph(view({"main > thin > add": 10, "main > other > add": 990}, node_fraction=0.05))
    nodes = {node.frame.name: node for node in found.nodes}
    assert (set(nodes), found.dropped) == ({"main", "other", "add"}, 1)
    assert {(edge.other.name, edge.weight) for edge in nodes["add"].callers} == {("main", 10), ("other", 990)}


def test_some_calls_inlined_is_told_apart_from_all() -> None:
    rows = {row.frame.name: row.inlined for row in top(view({"main > tiny": 1, "main > other + tiny": 2})).rows}
    assert rows == {"main": "", "other": "", "tiny": "partial-inline"}
    assert {row.inlined for row in top(view({"main + add": 1})).rows} == {"", "inline"}


def test_a_profile_of_nothing_has_no_rows() -> None:
    for document in (of_stacks({}), of_stacks({"": 5}), of_stacks({"main": 0})):
        seen = view(document)
        assert top(seen).rows == ()
        assert list(Writer(seen).top(top(seen)))
        assert flame(seen).rows == ()


def test_the_kind_of_value_is_found_by_name_number_or_default() -> None:
    document = heap_profile(1)
    names = [document.sample_types[document.index_of(word)].kind for word in ("", "0", "inuse_objects", "alloc_space")]
    assert names == ["inuse_space", "alloc_objects", "inuse_objects", "alloc_space"]
    old = replace(document, sample_types=(ValueType("objects", "count"), ValueType("space", "bytes")), default_type="")
    assert [old.index_of(word) for word in ("", "inuse_objects", "space")] == [1, 0, 1]
    for word in ("cpu", "4", "-1"):
        with pytest.raises(UsageError) as refused:
            document.index_of(word)
        assert "alloc_objects, alloc_space" in refused.value.hint
    with pytest.raises(UsageError):
        replace(document, sample_types=(), samples=()).index_of("")


def test_a_peek_that_matches_nothing_says_so() -> None:
    with pytest.raises(UsageError, match="no function matches 'nothing'"):
        peek(view(STACKS), compiled("nothing"))


def shape(report: Flame) -> list[tuple[int, str, int, int]]:
    return [(row.depth, row.frame.name, row.held, row.own) for row in report.rows]


def test_a_flame_has_callers_before_what_they_call() -> None:
    assert shape(flame(view(STACKS))) == [
        (0, "main", 1000, 0),
        (1, "add", 850, 50),
        (2, "add", 500, 0),
        (3, "grow", 500, 500),
        (2, "grow", 300, 300),
        (1, "log", 150, 150),
    ]


def test_a_flame_leaves_out_what_is_small_and_counts_it() -> None:
    report = flame(view(STACKS, node_fraction=0.2))
    assert [row.frame.name for row in report.rows] == ["main", "add", "add", "grow", "grow"]
    assert (report.dropped, report.total) == (1, 1000)


def test_a_flame_of_stacks_turned_round_leads_to_callers() -> None:
    assert shape(flame(view(STACKS).turned()))[:4] == [
        (0, "grow", 800, 0),
        (1, "add", 800, 0),
        (2, "add", 500, 0),
        (3, "main", 500, 500),
    ]
    inlined = view({"main > add + tiny": 3}).turned()
    assert [row.frame.name for row in flame(inlined).rows] == ["tiny", "add", "main"]


def test_equal_stacks_put_together_say_the_same() -> None:
    now, then = heap_profile(80), heap_profile(60, seed=2)
    difference = minus(replace(now, samples=now.samples + now.samples[:20]), then, relative_to_base=True)
    for document in (difference, minus(now, now, relative_to_base=True)):
        seen = view(document)
        assert top(seen.condensed()) == top(seen)
    assert len(view(minus(now, now, relative_to_base=True)).condensed().stacks) < len(now.samples)


def test_a_flame_with_a_baseline_keeps_what_is_gone() -> None:
    report = flame(view(STACKS), view({"main > add": 40, "main > old": 400}))
    held = {(row.depth, row.frame.name): (row.held, row.base) for row in report.rows}
    assert held[1, "old"] == (0, 400)
    assert held[1, "add"] == (850, 40)
    assert held[0, "main"] == (1000, 440)
    lines = list(Writer(view(STACKS)).flame(report))
    assert any("-400B" in line and "old" in line for line in lines)
    assert any("+810B" in line and " add" in line for line in lines)


@given(st.dictionaries(st.lists(st.sampled_from("abcd"), min_size=1, max_size=5).map(" > ".join), st.integers(1, 99)))
def test_what_a_flame_holds_is_what_there_is(stacks: dict[str, int]) -> None:
    report = flame(view(stacks))
    assert sum(row.own for row in report.rows) == report.total == sum(stacks.values())
    assert sum(row.held for row in report.rows if row.depth == 0) == report.total


@given(any_document(), any_document())
@settings(max_examples=60, deadline=None)
def test_whatever_the_format_can_hold_can_be_looked_at(document: Document, other: Document) -> None:
    look_into(document, other)
    look_into(document, document)


def test_a_stack_deeper_than_any_is_cut() -> None:
    report = flame(view({" > ".join(f"f{i % 3}" for i in range(5000)): 7}))
    assert len(report.rows) == 1024
    assert report.rows[-1].own == 7


def test_filters_that_match_nothing_are_named() -> None:
    filters = Filters(focus=compiled("add"), ignore=compiled("nothing"), hide=compiled("no"), show=compiled("."))
    assert view(STACKS, filters=filters).unmatched == ("ignore", "hide")


def test_the_total_is_that_before_filters() -> None:
    seen = view(STACKS, filters=Filters(focus=compiled("log")))
    assert (seen.total, [row.cum for row in top(seen).rows]) == (1000, [150, 150])


def test_profiles_that_have_nothing_in_common_are_not_compared() -> None:
    cpu = of_stacks({"main": 1}, sample_types=(ValueType("cpu", "nanoseconds"),))
    with pytest.raises(UsageError, match="no kind of value in common"):
        minus(of_stacks({"main": 1}), cpu, relative_to_base=True)
    pages = of_stacks({"main": 1}, sample_types=(ValueType("inuse_space", "pages"),))
    with pytest.raises(UsageError, match="different units"):
        minus(of_stacks({"main": 1}), pages, relative_to_base=False)


def test_a_difference_has_the_kinds_that_both_have() -> None:
    base = of_stacks(
        {"main": 1}, sample_types=(ValueType("inuse_space", "bytes"),), period_type=ValueType("space", "bytes")
    )
    found = minus(heap_profile(3), base, relative_to_base=False)
    assert [kind for kind, _ in found.sample_types] == ["inuse_space"]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "bytes", "0"), (1, "bytes", "1B"), (1023, "byte", "1023B"), (1536, "bytes", "1.50kB"),
        (-(3 << 20), "b", "-3MB"), (1 << 62, "bytes", "4096PB"), (7, "count", "7"), (7, "widgets", "7"),
        (90_000_000_000, "nanoseconds", "90s"),
        (5, "ms", "5ms"), (7200, "seconds", "2hrs"), (1, "kilobytes", "1kB"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_pprof_writes_them(value: int, unit: str, text: str) -> None:
    assert label(value, unit) == text


@pytest.mark.parametrize(
    ("value", "total", "text"),
    [
        (0, 0, "    0%"),
        (1, 0, "    0%"),
        (5, 5, "  100%"),
        (-1, 8, "12.50%"),
        (1, 30_000, "0.0033%"),
        (1, 10**7, "1e-05%"),
    ],
)
def test_shares_are_written_as_pprof_writes_them(value: int, total: int, text: str) -> None:
    assert percentage(value, total) == text


def test_one_unit_suits_the_smallest_value() -> None:
    assert output_unit([5 << 20, 1 << 20], 9 << 20, "bytes") == "MB"
    assert output_unit([5 << 30, 1 << 12], 9 << 30, "bytes") == "kB"
    assert output_unit([0], 0, "count") == "count"


def test_names_of_the_linker_are_made_readable_once() -> None:
    functions = {
        "std::map<int, int>::at(int) const": "std::map::at const",
        "main.Map[go.shape.func()]": "main.Map[go.shape.func]",
        "Box.<init>(I)V": "Box.<init>(I)V",
        "a::b)c": "a::b)c",
        "x::open((": "x::open((",
    }
    locations = {key: Location((Line(Function(name, name)),)) for key, name in enumerate(functions, start=1)} | {
        9: Location((Line(Function("a<b>", "other")),))
    }
    shown = simplified(replace(of_stacks({}), locations=locations)).locations
    assert [location.lines[0].function.name for location in shown.values()] == [*functions.values(), "a<b>"]


@pytest.mark.parametrize(
    ("text", "matching", "other"),
    [
        ("[[:upper:]]b", "Ab", "ab"),
        (r"\Qa.(*b)\E$", "xa.(*b)", "a.(*b)c"),
        (r"end\z", "the end", "endless"),
        (r"\w", "a", "é"),
        ("(?i)MAIN", "main.go", "mian"),
    ],
)
def test_expressions_mean_what_they_mean_in_go(text: str, matching: str, other: str) -> None:
    pattern = compiled(text)
    assert pattern.found_in(matching)
    assert not pattern.found_in(other)


@pytest.mark.parametrize("text", ["(", "*", "[[:nothing:]]", r"\pL", "a{99999999999}", "(?P<n>a)(?P<n>b)"])
def test_what_is_no_expression_is_a_line(text: str) -> None:
    with pytest.raises(UsageError, match="is not a regular expression"):
        compiled(text)


def test_an_expression_out_of_a_file_must_not_take_for_ever() -> None:
    assert all(map(is_harmless, ("malloc|operator new.*|(tc_)?free", r"a\(b\*c\+", "[*+?]+|x")))
    assert not any(map(is_harmless, ("(a|b)c", "(a*)*", "a*b*", "(a+)+$", "a?a?a", "x{2}y{3}")))
    stacks = {"main > malloc > grow": 5}
    assert {stack for stack, *_ in pruned(of_stacks(stacks, drop_frames="malloc")).samples} == {(3,)}
    hostile = of_stacks({"main > " + "a" * 40 + " > x": 1}, drop_frames="(a+)+b")
    assert pruned(hostile) is hostile


@pytest.mark.parametrize(
    "text", ["(a+)+b", "(a|a)*b", "(a?){40}", "a?" * 25, r"(\w+\.)*x", ".*" * 6 + "x", "(?:a*){3,}"]
)
def test_an_expression_that_could_take_for_ever_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="could take for ever"):
        compiled(text)


@pytest.mark.parametrize("text", [r"main\.\(\*Store\)\.Add", "(a|b){2}x", "{x}", "(?i)x|y?z", r"\(a\)\*x", "[(|)*]x"])
def test_an_expression_without_repetitions_is_looked_for_in_names_of_any_length(text: str) -> None:
    assert not compiled(text).found_in("ab" * 100_000)


@pytest.mark.parametrize("text", ["a.*b.*c.*x", "(ab)+x", "(?i)a|b*?x", "[(|)*]+x"])
def test_an_expression_with_repetitions_is_given_up_in_a_name_that_is_too_long(text: str) -> None:
    assert not compiled(text).found_in("cd" * 80)
    with pytest.raises(UsageError, match="takes too long"):
        compiled(text).found_in("cd" * 10_000)


def test_an_expression_that_has_taken_too_long_in_all_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "thread_time", count(0, 0.1).__next__)
    pattern = compiled("add")
    with pytest.raises(UsageError, match="takes too long"):
        [pattern.found_in(f"add{number}") for number in range(20)]


def test_names_that_would_fill_memory_are_refused() -> None:
    lines = {key: Location((Line(Function("f", "", "x" * 100_000), key),)) for key in range(1, 1000)}
    document = replace(of_stacks({}), locations=lines)
    with pytest.raises(BadProfile, match="names"):
        top(listing_view(document, ALL))


def test_what_a_target_calls_itself_steers_no_terminal() -> None:
    stacks = {"main\x1b[2J > evil\u202e\n": 3}
    seen = view(stacks)
    lines = [*Writer(seen).top(top(seen)), *Writer(seen).flame(flame(seen))]
    assert not any(character in line for line in lines for character in "\x1b\n\u202e")
