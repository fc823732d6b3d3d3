"""Profiles by leaf: the line of the program, not the allocator's."""

from __future__ import annotations

from memdash.analysis.sites import grouped, held_by_caller, held_by_stack, sites_at, usage_by_leaf
from memdash.model.profile import Frame, Profile, Site, Usage

MALLOC = Frame("runtime.mallocgc", "malloc.go", 1)
ADD = Frame("main.add", "main.go", 10)
SERVE = Frame("main.serve", "main.go", 20)
MALG = Frame("runtime.malg", "proc.go", 30)


def site(*stack: Frame, held: int = 100, leaf_at: int = 0) -> Site:
    return Site(stack, Usage(held, 1, 2 * held, 2), leaf_at=leaf_at)


def test_the_leaf_is_the_frame_that_asked_for_the_memory() -> None:
    assert site(MALLOC, ADD, SERVE, leaf_at=1).leaf == ADD
    assert site(ADD, SERVE).leaf == ADD
    assert site().leaf.function == "(no stack recorded)"


def test_stacks_with_one_leaf_are_added_up() -> None:
    profile = Profile((site(MALLOC, ADD, SERVE, leaf_at=1), site(ADD, held=50), site(MALG, held=7)), 524_288, True)
    assert usage_by_leaf(profile) == {ADD: (Usage(150, 2, 300, 4), 2), MALG: (Usage(7, 1, 14, 2), 1)}
    assert profile.total == Usage(157, 3, 314, 6)
    assert Profile((), 1, True).total == Usage(0, 0, 0, 0)


def test_changes_since_the_baseline_count_what_came_and_what_went() -> None:
    groups = grouped({ADD: (Usage(150, 2, 300, 4), 2)}, {SERVE: (Usage(80, 1, 80, 1), 1)}, {ADD: (1, 2)})
    assert [(g.frame, g.change.inuse_bytes, g.trend, g.stacks) for g in groups] == [
        (ADD, 150, (1, 2), 2),
        (SERVE, -80, (), 0),
    ]


def test_what_is_held_at_a_leaf_by_stack_and_by_caller() -> None:
    whole = (MALLOC, ADD, SERVE)
    sites = (site(ADD, held=300), site(*whole, leaf_at=1), site(MALG, ADD), site(*whole, held=250, leaf_at=1), site())
    own = sites_at(Profile(sites, 524_288, True), ADD)
    assert held_by_stack(own) == [(whole, 350, 2), ((ADD,), 300, 1)]
    assert [(frame.function, held) for frame, held in held_by_caller(own)] == [
        ("main.serve", 350),
        ("(nobody: the stack ends here)", 300),
    ]
