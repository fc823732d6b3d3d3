"""What a check tells of what grew: lines with how far off the figure may be, where it was sampled."""

from __future__ import annotations

from dataclasses import replace

from memdash.analysis.evidence import grown
from memdash.analysis.sites import grouped, usage_by_leaf
from memdash.model.missing import Missing
from memdash.model.objects import TypeCount
from memdash.model.profile import Profile, Site, Usage
from memdash.model.snapshot import ObjectGroup
from tests.fakes import a_snapshot

MIB = 1 << 20


def test_what_is_one_sample_says_how_little_that_tells() -> None:
    shown = a_snapshot(seconds=2)
    profile = shown.sample.sites
    assert isinstance(profile, Profile)
    large, small = profile.sites[:2]
    sites: tuple[Site, ...] = (
        large._replace(usage=Usage(40 * MIB, 400_000, 0, 0)),
        small._replace(usage=Usage(MIB // 2, 5_000, 0, 0)),
    )
    sampled = replace(profile, sites=sites, sample_rate_bytes=MIB // 2)
    groups = grouped(usage_by_leaf(sampled), {}, {})
    shown = replace(shown, groups=groups, sample=replace(shown.sample, sites=sampled))
    first, second = grown(shown)
    assert first.endswith(", 40.0 MiB ± 11 % now")
    assert second.endswith(", 512.0 KiB ± 100 % now")
    exact = replace(sampled, sample_rate_bytes=1)
    assert grown(replace(shown, sample=replace(shown.sample, sites=exact)))[0].endswith(", 40.0 MiB now")


def test_where_types_stand_in_for_sites_the_reason_is_told() -> None:
    count = TypeCount("bytearray", 12, 12 * MIB)
    nothing = Missing("it has started as another user", "see the manual")
    shown = replace(a_snapshot(seconds=2), groups=nothing, objects=(ObjectGroup(count, count, ()),))
    assert grown(shown) == (
        "+12.0 MiB +12 objects of type bytearray",
        "which sites grew is not known: it has started as another user",
    )
