"""Rows are followed from reading to reading: changes since the attach or a mark, and none where the source changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from memdash.model.capability import Source
from memdash.model.missing import Missing
from memdash.model.sample import Instant, Origin
from memdash.sampling.followed import Followed

AT = Instant(1000.0, 10.0)
LATER = Instant(1060.0, 70.0)
MEMORY, AGENT = Origin(Source.MEMORY, AT), Origin(Source.AGENT, LATER)


def changes(
    newest: Mapping[str, int], then: Mapping[str, int], trends: Mapping[str, tuple[int, ...]]
) -> tuple[tuple[str, int, tuple[int, ...]], ...]:
    return tuple((key, newest.get(key, 0) - then.get(key, 0), trends.get(key, ())) for key in {**newest, **then})


def followed(
    estimated: Callable[[dict[str, int]], bool] = lambda _: False,
) -> Followed[dict[str, int], str, int, tuple[str, int, tuple[int, ...]]]:
    return Followed(dict, lambda size: size, changes, estimated)


def test_changes_count_from_the_first_reading_until_a_person_marks_another() -> None:
    rows = followed()
    first, second, third = {"a": 5}, {"a": 7, "b": 1}, {"a": 9}
    rows.take(AT, first, MEMORY)
    assert rows.groups(first) == (("a", 0, (5,)),)
    rows.take(LATER, second, MEMORY)
    assert rows.groups(second) == (("a", 2, (5, 7)), ("b", 1, (1,)))
    assert rows.since == AT
    rows.mark(LATER)
    rows.take(LATER, third, MEMORY)
    assert rows.groups(third) == (("a", 2, (5, 7, 9)), ("b", -1, ()))
    assert rows.since == LATER
    rows.clear()
    assert rows.groups(third) == (("a", 4, (5, 7, 9)),)


def test_a_mark_before_the_first_reading_takes_that_one() -> None:
    rows = followed()
    rows.mark(AT)
    first = {"a": 5}
    rows.take(LATER, first, MEMORY)
    assert rows.groups(first) == (("a", 0, (5,)),)
    assert rows.since == LATER


def test_a_sampler_begins_with_nothing_and_all_that_it_tells_has_come_since() -> None:
    for begun in (False, True):
        rows = followed()
        if begun:  # as of a recording, whose first reading is looked up
            rows.begin(AT, {}, AGENT)
        else:
            rows.take(AT, {}, AGENT)
        rows.take(LATER, {"a": 5}, AGENT)
        assert rows.groups({"a": 5}) == (("a", 5, (5,)),)
        assert (rows.since, rows.before) == (AT, {})


def test_the_rows_that_a_runtime_has_not_published_yet_are_no_change() -> None:
    rows = followed()
    rows.take(AT, {}, MEMORY)
    rows.take(LATER, {"a": 5}, MEMORY)
    assert rows.groups({"a": 5}) == (("a", 0, (5,)),)
    assert rows.since == LATER


def test_what_another_source_tells_more_is_no_change_nor_part_of_a_trend() -> None:
    for marked in (False, True):
        rows = followed()
        first, second, third = {"thread": 3}, {"thread": 3, "task": 40}, {"thread": 3, "task": 41}
        rows.take(AT, first, MEMORY)
        if marked:
            rows.mark(AT)
        rows.take(LATER, second, AGENT)
        assert rows.groups(second) == (("thread", 0, (3,)), ("task", 0, (40,)))
        assert rows.since == LATER
        rows.take(LATER, third, AGENT)
        assert rows.groups(third) == (("thread", 0, (3, 3)), ("task", 1, (40, 41)))


def test_an_estimate_is_shown_but_never_compared_with() -> None:
    rows = followed(lambda sizes: "estimate" in sizes)
    estimate, whole, later = {"a": 900, "estimate": 1}, {"a": 5}, {"a": 7}
    rows.take(AT, estimate, MEMORY)
    assert rows.groups(estimate) == (("a", 0, ()), ("estimate", 0, ()))
    rows.mark(AT)
    assert rows.before is None
    assert rows.groups(estimate) == (("a", 0, ()), ("estimate", 0, ()))
    rows.take(LATER, whole, MEMORY)
    assert rows.groups(whole) == (("a", 0, (5,)),)
    assert rows.since == LATER
    rows.take(LATER, later, MEMORY)
    assert rows.groups(later) == (("a", 2, (5, 7)),)


def test_what_is_missing_stays_missing() -> None:
    rows, why = followed(), Missing("no agent")
    rows.take(AT, why, None)
    assert rows.groups(why) is why
    assert rows.since is None
