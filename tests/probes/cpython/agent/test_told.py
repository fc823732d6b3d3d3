"""What an agent may have told: understood, or refused as a whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memdash.errors import AgentUnreachable, ProbeError
from memdash.model.malloc import Malloc
from memdash.model.missing import Missing
from memdash.model.profile import Frame
from memdash.probes.cpython.agent import told
from memdash.probes.cpython.agent.told import PausesTold

SLEEP = ["sleep", "/lib/asyncio/tasks.py", 651]
GROUP = [3, "Task-7", "waiting", ["main", "/srv/app.py", 12], [SLEEP, ["worker", "/srv/app.py", 30]]]


def test_collections_are_counted_in_words() -> None:
    assert told.collected({"collected": 1234}) == "1 234 objects collected"
    assert told.collected({"collected": 1}) == "1 object collected"


def test_trimming_gives_something_back_or_nothing() -> None:
    assert told.trimmed({"trimmed": 1}) == "memory given back"
    assert told.trimmed({"trimmed": 0}) == "nothing to give back"
    with pytest.raises(ProbeError, match="not glibc"):
        told.trimmed({"why": "its C library is not glibc"})


def test_pauses() -> None:
    assert told.pauses({"number": 9, "total_ns": 700, "pauses": [[20, 5], [10, 7]]}) == PausesTold(
        9, 700, {20: 5, 10: 7}
    )


def test_malloc_or_why_not() -> None:
    found = told.malloc({"in_use": 9, "mapped": 4, "free": 3, "trimmable": 2, "took_ns": 1_000_000})
    assert found.value == Malloc(in_use_bytes=9, mapped_bytes=4, free_bytes=3, trimmable_bytes=2)
    assert found.took_s == 0.001
    assert told.malloc({"why": "musl"}).value.in_use_bytes == Missing("musl")


def test_tasks_in_groups_and_the_rest() -> None:
    group, rest = told.tasks({"total": 10, "groups": [GROUP], "took_ns": 0}).value
    assert (group.count, group.name, group.state) == (3, "Task-7", "waiting")
    assert group.stack == (Frame(*SLEEP), Frame("worker", "/srv/app.py", 30))  # type: ignore[arg-type]  # a mixed list
    assert group.created_by == Frame("main", "/srv/app.py", 12)
    assert (rest.count, rest.stack, rest.name) == (7, (), "others")
    assert isinstance(rest.created_by, Missing)


def test_texts_are_cut() -> None:
    (group,) = told.tasks({"total": 1, "groups": [[1, "x" * 9999, "ready", None, []]], "took_ns": 0}).value
    assert len(group.name) == 400
    assert told.names({"names": {"140": "y" * 9999}}).value == {140: "y" * 400}


NONSENSE: list[tuple[Callable[[Any], object], Any]] = [
    (told.collected, {}),
    (told.collected, {"collected": -1}),
    (told.collected, {"collected": True}),
    (told.collected, {"collected": 1.5}),
    (told.collected, {"collected": 1 << 64}),
    (told.trimmed, {"why": 3}),
    (told.pauses, {"number": 1, "total_ns": 1, "pauses": [[1, 2, 3]]}),
    (told.pauses, {"number": 1, "total_ns": 1, "pauses": {"1": 2}}),
    (told.malloc, {"in_use": 1}),
    (told.names, {"names": []}),
    (told.names, {"names": {"-1": "x"}}),
    (told.names, {"names": {"9" * 30: "x"}}),
    (told.names, {"names": {"1": None}}),
    (told.tasks, {"total": 1, "groups": [GROUP, GROUP], "took_ns": 0}),
    (told.tasks, {"total": 1, "groups": [[1, "x", "ready", ["main"], []]], "took_ns": 0}),
    (told.tasks, {"total": "many", "groups": [], "took_ns": 0}),
]


@pytest.mark.parametrize(("understood", "fields"), NONSENSE)
def test_nonsense_is_refused(understood: Callable[[Any], object], fields: Any) -> None:
    with pytest.raises(AgentUnreachable):
        understood(fields)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)
NAMES = ["collected", "trimmed", "number", "total_ns", "pauses", "in_use", "why", "names", "total", "groups", "took_ns"]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # a busy machine is no fault of what is told
@given(st.dictionaries(st.sampled_from(NAMES), VALUES))
def test_whatever_is_told_only_our_own_errors_come_out(fields: dict[str, Any]) -> None:
    for understood in (told.collected, told.trimmed, told.pauses, told.malloc, told.names, told.tasks):
        try:
            understood(fields)
        except ProbeError:
            continue
