"""What an action did, in one sentence."""

from __future__ import annotations

import pytest

from memdash.analysis.deeds import deed_words
from memdash.model.action import Action, Deed
from memdash.model.capability import Capability
from memdash.model.sample import Instant
from tests.fakes import NOON_S, a_sample, memstats

MIB = 1 << 20
AT = Instant(NOON_S, 10_000.0)


def done(action: Action, *, failed: bool = False) -> str:
    before, after = (a_sample(AT, memstats(mib * MIB, HeapObjects=1000)) for mib in (412, 300))
    return deed_words(Deed(action=action, words="done", took_s=0.059, before=before, after=after, failed=failed))


@pytest.mark.parametrize("action", [Action.FORCE_GC, Action.TRIM])
def test_what_it_was_meant_to_change_is_told(action: Action) -> None:
    told = done(action)
    assert told.startswith(f"{action.value}: done in 59.0 ms · ")
    assert "HeapAlloc 412.0 MiB → 300.0 MiB" in told
    assert done(action, failed=True) == f"{action.value}: done"


def test_what_changes_nothing_tells_no_figures() -> None:
    assert done(Action.LOAD_AGENT) == "load agent: done"


def test_an_action_is_its_word_and_knows_what_it_changes() -> None:
    assert [action.value for action in Action] == ["load agent", "force GC", "trim"]
    assert Action.TRIM.changes >= {Capability.MEMSTATS, Capability.SYSTEM}
