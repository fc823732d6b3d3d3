"""Everything that can be read of a target, as bytes and back."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from memdash.errors import Corrupt, NewerFormat
from memdash.model.capability import Capability, Source
from memdash.model.finding import Figure, Finding, Severity
from memdash.model.gc import NO_LIMIT, Generation
from memdash.model.malloc import Malloc
from memdash.model.missing import Maybe, Missing
from memdash.model.profile import Profile
from memdash.model.residence import Arenas, MappingGroup, MappingKind, Mappings
from memdash.model.sample import CAPABILITY_OF, Instant, Origin
from memdash.model.snapshot import Snapshot, State
from memdash.model.target import Ending, Target
from memdash.model.verdict import Forecast, Grower, Slope, Verdict, VerdictKind
from memdash.recording.codec import (
    Dated,
    Minute,
    TooLargeError,
    all_decoded,
    as_base,
    compressed,
    decoded,
    decoded_fact,
    decoded_moment,
    decoded_plain,
    decompressed,
    encoded,
    encoded_fact,
    encoded_moment,
    packed_moments,
)
from memdash.recording.columns import column, packed, uncolumn, unpacked
from memdash.recording.moment import APART, Moment
from memdash.recording.shapes import UNREADABLE, Pool, dumped, loaded
from memdash.units import Unit
from tests.fakes import (
    NOON_S,
    a_family,
    a_gc,
    a_profile,
    a_relief,
    a_sample,
    a_smaps,
    a_system,
    a_target,
    memstats,
    some_objects,
    some_threads,
)

AT = Instant(NOON_S, 10_000.25)
TASKS = some_threads()
FACTS = (
    memstats(BySize=Missing("it was not asked")),
    a_gc(
        gogc=NO_LIMIT,
        generations=(
            Generation(name="0", collections=1, collected=2, uncollectable=0, count=Missing("no"), threshold=3),
        ),
    ),
    a_system(psi=Missing("no PSI here"), cgroup=Missing("no cgroup")),
    a_smaps(),
    Mappings((MappingGroup(MappingKind.LIBRARY, "/usr/lib/libc.so", 5, 9, 8, 7, 6, 5, 4),), Missing("gone"), 12),
    Arenas(((0xC000000000, 0xC000400000), (0xC800000000, 0xC800400000)), 5, 6),
    a_profile(),
    replace(TASKS, groups=(replace(TASKS.groups[0], ids=frozenset({7, 1, 1 << 60})), *TASKS.groups[1:])),
    some_objects(),
    Malloc(in_use_bytes=1, mapped_bytes=2, free_bytes=Missing("no"), trimmable_bytes=4),
    a_family(3),
)


def test_there_is_one_of_each_kind() -> None:
    assert {type(fact) for fact in FACTS} == CAPABILITY_OF.keys()


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
def test_a_fact_comes_back_as_it_was(fact: Any) -> None:
    capability = CAPABILITY_OF[type(fact)]
    dated = Dated(fact, Origin(Source.AGENT, AT, ("a caveat",), "why not"))
    alone = encoded_fact(dated, None)
    assert decoded_fact(capability, alone, None) == dated
    base = as_base(alone)
    again = encoded_fact(dated, base)
    assert decoded_fact(capability, again, base) == dated
    assert len(again) < len(alone) or len(alone) < 120


@pytest.mark.parametrize("column", range(3))
@pytest.mark.parametrize("junk", [None, 1.5, b"f", "1", [], {}, True, 7])
def test_what_is_no_frame_is_noticed_before_anybody_shows_it(column: int, junk: object) -> None:
    alone = encoded_fact(Dated(a_profile(), Origin(Source.MEMORY, AT)), None)
    tree: Any = decoded_plain(alone)
    tree[0][column][0] = junk
    if type(junk) is (str, str, int)[column]:
        assert decoded_fact(Capability.SITES, compressed(tree), None).fact != a_profile()
        return
    for look in (as_base, lambda data: decoded_fact(Capability.SITES, data, None)):
        with pytest.raises(Corrupt, match="no frames"):
            look(compressed(tree))


@pytest.mark.parametrize("junk", [float("nan"), float("inf"), -float("inf"), 1e308])
def test_what_counts_something_is_a_number_of_it(junk: float) -> None:
    tree: Any = decoded_plain(encoded_fact(Dated(a_profile(), Origin(Source.MEMORY, AT)), None))
    tree[2]["sites"][0][1][0] = junk
    with pytest.raises(Corrupt):
        decoded_fact(Capability.SITES, compressed(tree), None)


@pytest.mark.parametrize("at_s", [float("nan"), float("inf"), -1.0, 1e300])
def test_an_alert_is_of_a_time_that_a_calendar_has(at_s: float) -> None:
    alert = Finding(rule="r", severity=Severity.INFO, at_s=at_s, summary="")
    with pytest.raises(Corrupt, match="in no year"):
        decoded(Finding, encoded(Finding, alert))


def test_another_profile_is_told_by_what_differs() -> None:
    origin = Origin(Source.MEMORY, AT)
    alone = encoded_fact(Dated(a_profile(), origin), None)
    other = replace(a_profile(2.0), sites=tuple(reversed(a_profile(2.0).sites)))
    base = as_base(alone)
    assert decoded_fact(Capability.SITES, encoded_fact(Dated(other, origin), base), base).fact == other


def a_moment(**changes: Any) -> Moment:
    slope = Slope(1.5, -2.0, float("inf"))
    verdict = Verdict(
        kind=VerdictKind.LEAK,
        at_s=NOON_S,
        why="it rises",
        basis="live heap",
        slope=slope,
        growers=(Grower("site", "f", "a.go:1", 7),),
        forecast=Forecast("cgroup", 9, 1.0, float("inf")),
    )
    given: dict[str, Any] = {"at": AT, "state": State.LIVE, "sample": a_sample(AT), "verdict": verdict}
    return Moment(**(given | changes))


def test_each_field_of_a_snapshot_is_written_or_made_anew() -> None:
    """What is added to one has to be put into ``Moment``, or into this list with a way to make it anew."""
    of_the_run = {"target", "ending"}
    of_findings = {"findings", "findings_dropped"}
    of_samples = {"history", "groups", "objects", "tasks", "residence", "before", "since", "courses", "gc_trend"}
    of_the_present = {"actions", "transitions", "is_replayed", "cut_off"}
    anew = of_the_run | of_findings | of_samples | of_the_present
    written = {field.name for field in fields(Moment)}
    assert {field.name for field in fields(Snapshot)} == anew | written


def bare(moment: Moment) -> Moment:
    """Without what is written apart."""
    apart: dict[str, Any] = {capability.value: Missing("apart") for capability in APART}
    return replace(moment, sample=replace(moment.sample, **apart))


def test_a_moment_comes_back_as_it_was_alone_and_among_others() -> None:
    moments = [
        a_moment(),
        a_moment(verdict=None, at=Instant(NOON_S + 1, 10_001.5)),
        a_moment(relief=a_relief()),
        a_moment(relief=a_relief(ceiling=Missing("none is set"), way=Missing("nobody"))),
        a_moment(sample=a_sample(AT, a_gc(pauses=()), memstats(PauseNs=(), PauseEnd=()))),
        a_moment(sample=replace(a_sample(AT), memstats=Missing("gone"), gc=Missing("gone too"))),
        a_moment(sample=a_sample(AT, memstats(HeapAlloc=True, Sys=2.5))),
    ]
    rows = [encoded_moment(moment) for moment in moments]
    assert [bare(decoded_moment(row)) for row in rows] == [bare(moment) for moment in moments]
    walls, monos = [7, 5, 6, 8, 9, 10, 11], [1, 2, 3, 4, 5, 6, 7]
    minute = Minute(compressed(packed_moments(walls, monos, rows)), b"")
    assert (list(minute.walls), list(minute.monos)) == (walls, monos)
    assert [bare(minute[place]) for place in range(7)] == [bare(moment) for moment in moments]


@pytest.mark.parametrize(
    "value",
    [
        a_target(argv=("/srv/caf\udce9", "--\x1b[31m")),
        Ending(at_s=1.5, signal_number=9, oom_killed=True),
        Finding(
            rule="r",
            severity=Severity.CRITICAL,
            at_s=1.0,
            summary="s",
            worst=Figure(3.0, Unit.BYTES, "/min"),
            evidence={"n": 3, "of": 2.5, "word": "w"},
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_values_do_too(value: Any) -> None:
    found = decoded(type(value), encoded(type(value), value))
    if isinstance(value, Target):
        assert found.argv == ("/srv/caf\\udce9", "--\x1b[31m")
    else:
        assert found == value


def test_numbers_beyond_all_bounds_do_not_stop_a_recording() -> None:
    moment = a_moment(sample=a_sample(AT, memstats(HeapAlloc=1 << 70, Sys=-(1 << 80), Frees=(1 << 64) - 1)))
    found = decoded_moment(encoded_moment(moment)).sample.memstats
    assert not isinstance(found, Missing)
    assert (found.HeapAlloc, found.Sys, found.Frees) == (float(1 << 70), -float(1 << 80), float((1 << 64) - 1))


@dataclass(frozen=True)
class _Today:
    a: int
    added: Maybe[int]
    defaulted: str = "usual"


def test_an_older_recording_reads_and_says_what_it_lacks() -> None:
    found = loaded(_Today, {"a": 1, "dropped since": [2]}, ())
    assert found.a == 1
    assert isinstance(found.added, Missing)
    assert "was made before" in found.added.why
    assert found.defaulted == "usual"


def test_what_a_later_memdash_has_added_is_left_out_or_called_newer() -> None:
    tree: Any = decoded_plain(encoded_moment(a_moment()))
    origins = tree["sample"]["origins"]
    origins["gpu"] = origins["gc"]
    origins["system"] = origins["system"] | {"source": "ebpf"}
    tree["missing"] = {"gpu": {"?": ["there is none", ""]}}
    found = decoded_moment(compressed(tree))
    assert Capability.GC in found.sample.origins
    assert Capability.SYSTEM not in found.sample.origins
    assert not found.missing
    tree["state"] = "dreaming"
    with pytest.raises(NewerFormat, match="later memdash: it has 'dreaming' as a state"):
        decoded_moment(compressed(tree))


numbers = st.one_of(
    st.integers(-(1 << 63), (1 << 63) - 1), st.floats(allow_nan=False), st.text(max_size=3), st.none(), st.booleans()
)


runs = st.lists(st.integers(-5, 5), max_size=4).map(lambda run: array("q", run).tobytes())
millionths = st.integers(0, 10**9).map(lambda number: number / 1e6)
kinds: list[st.SearchStrategy[Any]] = [
    numbers,
    st.integers(-9, 9),
    st.floats(),
    millionths,
    st.binary(max_size=32),
    runs,
]


@settings(max_examples=60, deadline=None)
@given(values=st.one_of([st.lists(kind, min_size=1, max_size=8) for kind in kinds]))
def test_a_column_of_anything_comes_back(values: list[Any]) -> None:
    found = list(uncolumn(column(values), len(values)))
    assert repr(found) == repr(values)
    trees = [{"a": value, "b": [value, {"c": 1}]} for value in values]
    assert repr([row.tree() for row in unpacked(packed(trees))]) == repr(trees)


TREE = decoded_plain(encoded_moment(a_moment()))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_what_is_of_another_shape_is_noticed(data: st.DataObject) -> None:
    """Whatever stands in the place of a figure, a moment comes of it or an error of ours, and nothing else."""
    tree: Any = decoded_plain(compressed(TREE))
    at = tree
    for _ in range(data.draw(st.integers(0, 3))):
        if isinstance(at, Mapping) and at:
            key = data.draw(st.sampled_from(sorted(at)))
            if not isinstance(at[key], (dict, list)):
                break
            at = at[key]
    junk: Any = data.draw(st.sampled_from([None, [], {}, "x", 7, 1.5, b"1234567", {"?": [1]}, {"?": 3}, [[[]]], True]))
    if isinstance(at, dict) and at:
        at[data.draw(st.sampled_from(sorted(at)))] = junk
    try:
        found = decoded_moment(compressed(tree))
    except (Corrupt, NewerFormat):
        return
    assert {field.name for field in fields(found)} == {field.name for field in fields(Moment)}


def test_a_profile_of_many_stacks_shares_its_frames() -> None:
    pool = Pool()
    tree = dumped(Profile, a_profile(), pool)
    assert len(pool.frames) == 9
    assert loaded(Profile, tree, pool.frames) == a_profile()


def test_no_piece_is_larger_than_what_memdash_writes() -> None:
    hostile = zstandard.ZstdCompressor().compress(bytes(65 << 20))
    assert len(hostile) < 10_000
    with pytest.raises(Corrupt, match=r"takes 65\.0 MiB: memdash writes none over 64\.0 MiB"):
        decompressed(hostile)
    unsized = zstandard.ZstdCompressor(write_content_size=False).compress(b"x")
    with pytest.raises(Corrupt, match="does not say what it takes"):
        decompressed(unsized)
    with pytest.raises(TooLargeError, match=r"takes 17\.0 MiB, and a recording at most 16\.0 MiB"):
        compressed("x" * (17 << 20))


@pytest.mark.parametrize(
    "block",
    [
        [[None, 100_000, []]] * 100_000,
        [[[None] * 100_000, 100_000, [["=", 1]] * 100_000]],
        [[[None], 1000, [["r", [[1 << 20] + [0] * 999, [1 << 20] * 1000, bytes(8 << 20)]]]]],
    ],
    ids=["rows", "columns", "runs"],
)
def test_a_block_of_more_than_memory_takes_is_not_believed(block: Any) -> None:
    with pytest.raises(ValueError, match="than there can be"):
        list(unpacked(block))


def test_a_group_of_less_than_nothing_makes_no_room_for_others() -> None:
    cell = ["=", 1]
    with pytest.raises(ValueError, match="more moments than there can be"):
        list(unpacked([[None, -1_000_000, [cell]], [None, 10_000, [cell] * 300]]))


@pytest.mark.parametrize(
    "told",
    [
        ["i", ["ab"] * 1000],
        ["n", [b"ab"] * 1000],
        ["u", [[1]] * 1000],
        ["i", "ab" * 500],
        ["i", [1] * 1001],
        ["*", [1] * 999],
        ["r", [[0] * 1001, [0] * 1001, b""]],
    ],
    ids=["texts", "bytes", "lists", "a text", "longer", "shorter", "runs"],
)
def test_a_column_that_would_grow_beyond_what_was_read_is_not_believed(told: Any) -> None:
    with pytest.raises(UNREADABLE):
        uncolumn(told, 1000)


def test_many_values_take_no_more_together_than_one_large_one() -> None:
    piece = encoded(Target, replace(a_target(), argv=("x" * (10 << 20),)))
    assert len(list(all_decoded(Target, [piece] * 6))) == 6
    with pytest.raises(Corrupt, match=r"takes 10\.0 MiB: memdash writes none over 4"):
        list(all_decoded(Target, [piece] * 7))


def test_a_shape_of_more_leaves_than_there_are_columns_is_damage() -> None:
    (tree,) = unpacked([[{"a": None, "b": None}, 1, [["=", 1]]]])
    with pytest.raises(UNREADABLE):
        tree.tree()
