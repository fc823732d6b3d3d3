"""Profiles by leaf: the line of the program, not the allocator's."""

from __future__ import annotations

from memdash.analysis.sites import grouped, leaf, usage_by_leaf
from memdash.model.profile import Frame, Profile, Site, Usage

MALLOC = Frame("runtime.mallocgc", "malloc.go", 1)
ADD = Frame("main.add", "main.go", 10)
SERVE = Frame("main.serve", "main.go", 20)
MALG = Frame("runtime.malg", "proc.go", 30)


def site(*stack: Frame, held: int = 100) -> Site:
    return Site(stack, Usage(held, 1, 2 * held, 2))


def test_the_leaf_skips_the_runtime_unless_it_is_all_there_is() -> None:
    assert leaf((MALLOC, ADD, SERVE)) == ADD
    assert leaf((MALLOC, Frame("internal/runtime/maps.grow", "maps.go", 3), SERVE)) == SERVE
    assert leaf((MALG, MALLOC)) == MALG
    assert leaf(()).function


def test_stacks_with_one_leaf_are_added_up() -> None:
    profile = Profile((site(MALLOC, ADD, SERVE), site(ADD, held=50), site(MALG, held=7)), 524_288, True)
    assert usage_by_leaf(profile) == {ADD: (Usage(150, 2, 300, 4), 2), MALG: (Usage(7, 1, 14, 2), 1)}
    assert profile.total == Usage(157, 3, 314, 6)
    assert Profile((), 1, True).total == Usage(0, 0, 0, 0)


def test_changes_since_the_baseline_count_what_came_and_what_went() -> None:
    groups = grouped({ADD: (Usage(150, 2, 300, 4), 2)}, {SERVE: (Usage(80, 1, 80, 1), 1)}, {ADD: (1, 2)})
    assert [(g.frame, g.change.inuse_bytes, g.trend, g.stacks) for g in groups] == [
        (ADD, 150, (1, 2), 2),
        (SERVE, -80, (), 0),
    ]
