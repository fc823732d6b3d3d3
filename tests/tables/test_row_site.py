"""All there is to say about an allocation site."""

from __future__ import annotations

from dataclasses import replace

from memdash.model.missing import Missing
from memdash.model.profile import Frame, Profile, Site, Usage
from memdash.model.snapshot import SiteGroup, Snapshot
from memdash.tables.row_figures import RowFigure
from memdash.tables.row_site import held_by_line, site_callers, site_figures, site_stacks
from memdash.tables.sites import largest_site
from memdash.tables.table import Tone
from tests.fakes import a_snapshot

LEAF = Frame("main.add", "main.go", 10)


def the_groups(snapshot: Snapshot) -> tuple[SiteGroup, ...]:
    assert not isinstance(snapshot.groups, Missing)
    return snapshot.groups


def figures(snapshot: Snapshot) -> dict[str, RowFigure]:
    return {figure.label: figure for figure in site_figures(the_groups(snapshot)[0], snapshot)}


def test_figures_say_since_when_they_changed() -> None:
    shown = figures(a_snapshot(5))
    assert list(shown) == ["holds", "±", "change", "each", "allocated", ""]
    assert shown["holds"].more.endswith(" % of all sites")
    assert shown["change"].tone is Tone.GROWS
    assert shown["change"].more.startswith("since the attach at ")
    assert shown[""].more == shown["change"].more


def test_a_sampled_figure_says_how_far_off_it_may_be() -> None:
    shown = a_snapshot(5)
    assert isinstance(shown.sample.sites, Profile)
    profile = replace(shown.sample.sites, sample_rate_bytes=64 << 10)
    held = tuple(replace(group, usage=Usage(1 << 20, 1 << 14, 1 << 24, 1 << 18)) for group in the_groups(shown))
    sampled = replace(shown, groups=held, sample=replace(shown.sample, sites=profile))
    assert figures(sampled)["±"][1:4] == ("255.9 KiB", "25 %", "of it, sampled every 64.0 KiB")
    assert largest_site(sampled).endswith(": 1.00 MiB ± 25 %")
    exact = replace(sampled, sample=replace(shown.sample, sites=replace(profile, sample_rate_bytes=1)))
    assert "±" not in figures(exact)
    assert largest_site(exact).endswith(": 1.00 MiB")
    nowhere = replace(held[0], frame=Frame("(code that is gone)", "", 0))
    words = largest_site(replace(exact, groups=(nowhere,)))
    assert words == "most is held by (code that is gone): 1.00 MiB", "where there is no place, none is announced"
    assert largest_site(replace(shown, groups=())) == largest_site(replace(shown, groups=Missing("none"))) == ""


def test_one_reading_says_nothing_of_changes() -> None:
    shown = a_snapshot(5)
    once = tuple(replace(group, change=Usage(0, 0, 0, 0), trend=group.trend[:1]) for group in the_groups(shown))
    first = figures(replace(shown, groups=once))
    assert first["change"].first == "–"
    assert first["change"].more == "a change takes two readings"
    assert "" not in first


def test_without_a_moment_to_count_from_there_is_no_change() -> None:
    assert list(figures(a_snapshot(5, since={}))) == ["holds", "±", "each", "allocated"]


def test_what_was_never_counted_is_not_known() -> None:
    shown = a_snapshot(5)
    assert isinstance(shown.sample.sites, Profile)
    profile = replace(shown.sample.sites, no_alloc=Missing("only what lives is traced"))
    unknown = figures(replace(shown, sample=replace(shown.sample, sites=profile)))
    assert (unknown["allocated"].first, unknown["allocated"].more) == ("–", "only what lives is traced")
    assert "" not in unknown


def test_the_first_of_many_stacks_and_callers() -> None:
    own = [Site((LEAF, Frame("main.f", "main.go", line)), Usage(line, 1, line, 1)) for line in range(1, 201)]
    stacks, callers = site_stacks(own), site_callers(own)
    assert (len(stacks.first), stacks.total) == (50, 200)
    assert stacks.first[0].frames == own[-1].stack
    assert [cell.text for cell in stacks.first[0].words] == ["200 B", "1.0 % · 1 object"]
    assert (len(callers.first), callers.total) == (100, 200)
    assert callers.first[0].frames == (own[-1].stack[1],)
    assert site_stacks([]).total == site_callers([]).total == 0


def test_a_line_holds_what_all_functions_on_it_hold() -> None:
    shown = a_snapshot(5)
    first, second, *_ = the_groups(shown)
    inlined = replace(second, frame=first.frame._replace(function="main.inlined"))
    shown = replace(shown, groups=(first, inlined))
    both = first.usage.inuse_bytes + second.usage.inuse_bytes
    assert held_by_line(shown, first.frame.file) == {first.frame.line: both}
    assert held_by_line(shown, "other.go") == {}
    assert held_by_line(replace(shown, groups=Missing("unreadable")), first.frame.file) == {}
