"""What memdash's agent takes in a target is no growth of it."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from memdash.commands.agency import NOBODY, Agency
from memdash.commands.sampling import Sampled
from memdash.model.action import Action
from memdash.model.capability import Capability, Source
from memdash.model.finding import NOTES, Finding, Severity
from memdash.model.malloc import Malloc
from memdash.model.sample import Instant, Origin, Sample
from memdash.model.snapshot import Snapshot
from memdash.model.target import Runtime
from memdash.session.settling import Settling
from memdash.units import MIB
from tests.fakes import NOON_S, a_sample, a_snapshot, a_system, a_target
from tests.sessions import FakeSession

START_S = 20_000.0
MALLOC = Malloc(in_use_bytes=1 << 20, mapped_bytes=0, free_bytes=0, trimmable_bytes=0)
AGENT, SAMPLING = Agency(True, Sampled(None, ())), Agency(True, Sampled(1 << 19, ()))


def at(second: float, *, rss: int, agent: bool = False, sampled: bool = False) -> Sample:
    """With figures of the agent, or those that memory alone tells."""
    now = Instant(NOON_S + second, START_S + second)
    sample = a_sample(now, a_system(rss_bytes=rss), **({"malloc": MALLOC} if agent else {}))
    source = Source.AGENT if sampled else Source.MEMORY
    return replace(sample, origins={**sample.origins, Capability.SITES: Origin(source, now)})


def shown_after(memory: Settling, *samples: Sample) -> Snapshot:
    shown = a_snapshot(1)
    for sample in samples:
        shown = memory.add(shown, sample)
    return shown


def notes(shown: Snapshot) -> list[str]:
    return [finding.summary for finding in reversed(shown.findings) if finding.rule == NOTES]


def test_history_and_growth_begin_after_the_agent_has_come() -> None:
    memory = Settling(1.0, ())
    before = [at(second, rss=50 * MIB) for second in range(3)]
    inside = [at(second, rss=58 * MIB, agent=True) for second in range(3, 8)]
    shown = shown_after(memory, *before, *inside)
    assert shown.history.since == Instant(NOON_S + 4, START_S + 4), "its first answers count for nothing either"
    assert {value for _, value in shown.history.series("system.rss_bytes", 60.0).known} == {58 * MIB}
    assert notes(shown) == ["the agent has come: history and changes begin after that"]


def test_the_sampler_takes_memory_too() -> None:
    memory = Settling(1.0, ())
    samples = [at(second, rss=50 * MIB, agent=second > 1, sampled=second > 4) for second in range(9)]
    shown = shown_after(memory, *samples)
    assert shown.history.since.mono_s == START_S + 6
    assert len(notes(shown)) == 2


@pytest.mark.parametrize("agent", [False, True])
def test_where_nothing_comes_the_watch_is_as_any(agent: bool) -> None:
    shown = shown_after(Settling(1.0, ()), *(at(second, rss=50 * MIB, agent=agent) for second in range(9)))
    assert (shown.history.since.mono_s, notes(shown)) == (START_S, [])


class Over(threading.Event):
    """The target ends as soon as somebody waits."""

    def wait(self, timeout: float | None = None) -> bool:
        self.set()
        return True


def is_awaited(agency: Agency, shown: Snapshot, memory: Settling) -> bool:
    """Whether it waits for more than there is."""
    over = Over()
    agency.settle(FakeSession(shown), memory, over)
    return over.is_set()


def python(*findings: Finding) -> Snapshot:
    return replace(a_snapshot(1), target=a_target(runtime=Runtime.CPYTHON), findings=findings)


def test_the_window_begins_once_it_has_come_and_samples_where_it_is_to() -> None:
    memory = Settling(1.0, ())
    assert is_awaited(AGENT, python(), memory)
    shown_after(memory, *(at(second, rss=1, agent=second > 1) for second in range(3)))
    assert is_awaited(AGENT, python(), memory), "it has only just come"
    memory.add(a_snapshot(1), at(4, rss=1, agent=True))
    assert not is_awaited(AGENT, python(), memory)
    assert is_awaited(SAMPLING, python(), memory)


def test_nobody_waits_for_what_will_not_come() -> None:
    memory = Settling(1.0, ())
    summary = f"{Action.LOAD_AGENT.value}: a debugger is in it"
    refusal = Finding(rule=NOTES, severity=Severity.WARNING, at_s=NOON_S, summary=summary)
    assert not is_awaited(AGENT, python(refusal), memory)
    assert not is_awaited(AGENT, replace(python(), target=a_target(runtime=Runtime.GO)), memory)
    assert not is_awaited(NOBODY, python(), memory)


def test_a_target_that_sleeps_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memdash.commands.agency._ARRIVES_S", 0.0)
    AGENT.settle(FakeSession(python()), Settling(1.0, ()), threading.Event())
