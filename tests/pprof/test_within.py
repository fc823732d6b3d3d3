"""A closer look at one branch of a flame."""

from __future__ import annotations

from memdash.pprof.flame import flame
from memdash.pprof.view import Frame, Options, View
from memdash.pprof.within import within
from tests.pprof.documents import of_stacks
from tests.pprof.synthetic import heap_profile

STACKS = {"main > add > grow": 5000, "main > log": 4990, "main > add + inlined": 8, "main > add > tiny": 2, "other": 10}


def names(*words: str) -> tuple[Frame, ...]:
    return tuple(Frame(word) for word in words)


def test_a_branch_shows_what_is_too_small_for_all() -> None:
    view = View(of_stacks(STACKS), Options())
    assert "tiny" not in {row.frame.name for row in flame(view).rows}
    rows = flame(within(view, names("main", "add"), 0.0001)).rows
    assert [(row.depth, row.frame.name, row.held, row.own) for row in rows] == [
        (0, "main", 5010, 0),
        (1, "add", 5010, 0),
        (2, "grow", 5000, 5000),
        (2, "inlined", 8, 8),
        (2, "tiny", 2, 2),
    ]


def test_a_path_may_end_within_an_inlined_call() -> None:
    view = View(of_stacks({"main > add + inlined > grow": 3, "main > add > grow": 4}), Options())
    (*_, last) = flame(within(view, names("main", "add", "inlined"), 0)).rows
    assert (last.depth, last.held) == (3, 3)


def test_the_view_itself_stays_as_it_is() -> None:
    view = View(of_stacks(STACKS), Options())
    before = flame(view)
    branch = within(view, names("main", "log"), 0.5)
    assert (view.options.node_fraction, len(view.stacks)) == (0.005, 5)
    assert branch.total == view.total
    assert len(branch.paths) == 1
    assert flame(view) == before


def test_no_path_is_all() -> None:
    view = View(heap_profile(300), Options())
    assert flame(within(view, (), 0.005)) == flame(view)


def test_every_branch_holds_what_the_whole_says_it_holds() -> None:
    view = View(heap_profile(300), Options())
    path: list[Frame] = []
    for row in flame(view).rows[:60]:
        path = [*path[: row.depth], row.frame]
        here = flame(within(view, path, 0.005)).rows[row.depth]
        assert (here.frame, here.held, here.own) == (row.frame, row.held, row.own)
