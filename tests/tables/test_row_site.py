"""All there is to say about an allocation site."""

from __future__ import annotations

from dataclasses import replace

from memdash.model.missing import Missing
from memdash.model.snapshot import SiteGroup, Snapshot
from memdash.tables.row_site import held_by_line
from tests.fakes import a_snapshot


def the_groups(snapshot: Snapshot) -> tuple[SiteGroup, ...]:
    assert not isinstance(snapshot.groups, Missing)
    return snapshot.groups


def test_a_line_holds_what_all_functions_on_it_hold() -> None:
    shown = a_snapshot(5)
    first, second, *_ = the_groups(shown)
    inlined = replace(second, frame=first.frame._replace(function="main.inlined"))
    shown = replace(shown, groups=(first, inlined))
    both = first.usage.inuse_bytes + second.usage.inuse_bytes
    assert held_by_line(shown, first.frame.file) == {first.frame.line: both}
    assert held_by_line(shown, "other.go") == {}
    assert held_by_line(replace(shown, groups=Missing("unreadable")), first.frame.file) == {}
