"""MemStats as a program tells them over HTTP, and what is no such thing."""

import copy
import json
import re
from dataclasses import fields
from typing import Any

import pytest

from memdash.errors import BadAnswer
from memdash.model.memstats import MemStats
from memdash.model.missing import Missing
from memdash.probes.endpoint.memstats import gc_stats, of_expvar, of_heap_text
from tests.served import HEAP_TEXT, MEMSTATS, VARS, VARS_TOLD


def test_expvar_tells_every_field() -> None:
    assert of_expvar(VARS) == MEMSTATS


def test_the_text_of_a_heap_profile_tells_most_fields_and_the_rest_is_missing() -> None:
    told, all_told = of_heap_text(HEAP_TEXT), MEMSTATS
    unknown = {field.name for field in fields(MemStats) if isinstance(getattr(told, field.name), Missing)}
    assert unknown == {"PauseTotalNs", "EnableGC", "BySize", "HeapSmall"}
    for field in fields(MemStats):
        if field.name not in unknown:
            assert getattr(told, field.name) == getattr(all_told, field.name), field.name


def test_a_field_that_is_not_told_is_missing() -> None:
    told = of_expvar(b'{"memstats": {"HeapAlloc": 5, "NumGC": 0, "LastGC": 0, "PauseNs": [0, 0]}}')
    assert (told.HeapAlloc, told.PauseNs) == (5, ())
    assert isinstance(told.Sys, Missing)
    assert isinstance(gc_stats(told).last_at_s, Missing)


def test_the_collector_is_told_as_far_as_memstats_go() -> None:
    gc = gc_stats(of_expvar(VARS))
    assert (gc.count, gc.forced, gc.pause_max_ns, gc.pause_p50_ns) == (3, 2, 1_840_000, 112_000)
    assert [pause.duration_ns for pause in gc.pauses] == [1_840_000, 112_000, 98_000]
    assert isinstance(gc.live_after_gc_bytes, Missing)
    assert isinstance(gc.gogc, Missing)


def test_the_goal_of_a_collector_that_is_off_is_none() -> None:
    gc = gc_stats(of_expvar(changed("NextGC", (1 << 64) - 1)))
    assert gc.next_target_bytes == Missing("collection is off and no memory limit is set")


def changed(name: str, value: object) -> bytes:
    told: dict[str, Any] = copy.deepcopy(VARS_TOLD)
    told["memstats"][name] = value
    return json.dumps(told).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"memstats": 5}',
        b'{"memstats": {}}',
        b'{"memstats": {"HeapAlloc": 5',
        b'{"memstats": ' + b"[" * 100_000,
        b'{"memstats": {"HeapAlloc": ' + b"9" * 10_000 + b"}}",
        b'{"memstats": {"HeapAlloc": 5}}\xff',
        changed("HeapAlloc", -1),
        changed("HeapAlloc", 1 << 64),
        changed("HeapAlloc", "many"),
        changed("Sys", 1.5),
        changed("PauseNs", [-5]),
        changed("PauseNs", {"a": 1}),
        changed("BySize", [{"Size": 8}]),
        changed("BySize", [{"Size": 8, "Mallocs": -1, "Frees": 0}]),
        changed("EnableGC", "yes"),
        changed("GCCPUFraction", 1.5),
        changed("GCCPUFraction", -0.1),
        changed("NumGC", 1 << 32),
        changed("NumForcedGC", (1 << 64) - 1),
        changed("LastGC", 18_400_000_000_000_000_000),
        changed("PauseEnd", [18_400_000_000_000_000_000]),
        changed("PauseNs", [(1 << 64) - 1]),
        changed("PauseTotalNs", 1 << 63),
    ],
    ids=range(27),
)
def test_what_is_no_expvar_is_one_clear_error(body: bytes) -> None:
    with pytest.raises(BadAnswer) as caught:
        of_expvar(body)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"heap profile: 1: 2 [3: 4] @ heap/1048576\n",
        b"goroutine profile: total 5\n# runtime.MemStats\n# HeapAlloc = 5\n",
        b"heap profile: \n# runtime.MemStats\n",
        HEAP_TEXT.replace(b"# HeapAlloc = ", b"# HeapAlloc = x"),
        HEAP_TEXT.replace(b"# HeapAlloc = ", b"# HeapAlloc = -"),
        HEAP_TEXT.replace(b"# Stack = ", b"# Stack = 1 / 2 / "),
        HEAP_TEXT.replace(b"# PauseNs = [", b"# PauseNs = [x "),
        HEAP_TEXT.replace(b"# HeapAlloc = ", b"# HeapAlloc = " + b"9" * 5000),
        re.sub(rb"# GCCPUFraction = \S+", b"# GCCPUFraction = NaN", HEAP_TEXT),
        re.sub(rb"# GCCPUFraction = \S+", b"# GCCPUFraction = +Inf", HEAP_TEXT),
    ],
    ids=range(12),
)
def test_what_is_no_heap_profile_in_text_form_is_one_clear_error(body: bytes) -> None:
    with pytest.raises(BadAnswer):
        of_heap_text(body)
