"""The profile of a watch as a document, made once."""

from __future__ import annotations

import gc
from dataclasses import replace
from unittest import mock

from memdash.model.snapshot import Before, Snapshot
from memdash.pprof.convert import sites_document
from memdash.session import profiles
from memdash.session.profiles import profile_before, profile_of, read_at
from tests.fakes import a_profile, a_snapshot


def watched() -> Snapshot:
    watch = a_snapshot(1)
    return replace(watch, sample=replace(watch.sample, sites=a_profile(2.0)), before=Before(a_profile(1.0)))


def test_a_document_is_made_once_a_reading() -> None:
    watch = watched()
    with mock.patch.object(profiles, "sites_document", wraps=sites_document) as made:
        now, before = profile_of(watch), profile_before(watch)
        for _ in range(2):
            assert profile_of(watch).document.samples is now.document.samples
            assert profile_before(watch).document.samples is before.document.samples
        assert now.document.samples != before.document.samples
        assert made.call_count == 2


def test_it_goes_with_the_reading() -> None:
    watch = watched()
    profile_of(watch)
    profile_before(watch)
    del watch
    gc.collect()
    assert not profiles._DOCUMENTS._held


def test_no_more_are_kept_than_two() -> None:
    watches = [watched() for _ in range(3)]
    for watch in watches:
        profile_of(watch)
    assert len(profiles._DOCUMENTS._held) <= 2


def test_one_reading_is_known_by_two_times() -> None:
    watch = watched()
    watch = replace(watch, before=Before(watch.sample.sites), since={})
    earlier = replace(watch.baseline, at=watch.at._replace(wall_s=read_at(watch).wall_s - 60))
    apart = profile_of(watch).document.time_ns - profile_before(replace(watch, baseline=earlier)).document.time_ns
    assert round(apart / 1e9) == 60
