"""The usual ways of reading, held to a part: what is left unread stays open as long as the rest of it."""

from __future__ import annotations

from dataclasses import dataclass

from memdash.model.action import Action
from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.target import Runtime, Target
from memdash.probes.narrowed import narrowed
from memdash.probes.probe import Attachment, Fit
from tests.fakes import FakeProbe, a_target

ALL = frozenset({Capability.MEMSTATS, Capability.GC, Capability.SITES, Capability.TASKS})


@dataclass(frozen=True)
class Entry:
    probes: tuple[FakeProbe, ...]
    name: str = "fake"
    capabilities: frozenset[Capability] = ALL
    wanted_for: frozenset[Action] = frozenset()

    def fitness(self, _: Target) -> Fit:
        return Fit(1, ALL, Runtime.GO)

    def attach(self, _: Target) -> Attachment:
        return Attachment(self.probes, {Capability.OBJECTS: Missing("no"), Capability.GC: Missing("none")})


def entry() -> Entry:
    given = ({Capability.MEMSTATS, Capability.GC}, {Capability.SITES}, {Capability.TASKS})
    return Entry(tuple(FakeProbe(lambda: (), frozenset(capabilities), cadence_s=1.0) for capabilities in given))


def test_only_what_is_wanted_is_read_at_its_pace() -> None:
    whole = entry()
    [part] = narrowed([whole], {Capability.GC: 0.0, Capability.TASKS: 10.0})
    attached = part.attach(a_target())
    assert part.capabilities == {Capability.GC, Capability.TASKS}
    assert [(probe.capabilities, probe.cadence_s) for probe in attached.probes] == [
        (frozenset({Capability.MEMSTATS, Capability.GC}), 1.0),
        (frozenset({Capability.TASKS}), 10.0),
    ]
    assert attached.missing == {Capability.GC: Missing("none")}
    for probe in attached.probes:
        probe.read()
    assert [probe.reads for probe in whole.probes] == [1, 0, 1]


def test_what_is_not_wanted_ends_with_the_rest() -> None:
    whole = entry()
    [part] = narrowed([whole], {Capability.TASKS: 0.0})
    attached = part.attach(a_target())
    assert [probe.closed for probe in whole.probes] == [0, 0, 0]
    attached.close()
    assert [probe.closed for probe in whole.probes] == [1, 1, 1]


def test_where_nothing_is_wanted_nothing_stays_open() -> None:
    whole = entry()
    [part] = narrowed([whole], {Capability.SYSTEM: 0.0})
    assert part.attach(a_target()).probes == ()
    assert [probe.closed for probe in whole.probes] == [1, 1, 1]
