from dataclasses import dataclass, field

import pytest

from memdash.errors import BadRead, LayoutRefused, MemdashError, TargetExited
from memdash.model.action import Action
from memdash.model.capability import Capability, Source
from memdash.model.missing import Missing
from memdash.model.sample import Reading
from memdash.model.target import Runtime, Target
from memdash.probes.examine import examine
from memdash.probes.probe import Attachment, Fit, Refusal
from tests.fakes import a_target

GO = frozenset({Capability.MEMSTATS})
FIT = Fit(10, GO, Runtime.GO, "go1.27.3")


@dataclass
class Probe:
    name: str = "go.memstats"
    capabilities: frozenset[Capability] = GO
    cadence_s: float = 0.0
    failure: MemdashError | None = None
    closed: int = 0

    def read(self) -> Reading:
        if self.failure is not None:
            raise self.failure
        return Reading(Source.MEMORY, ())

    def close(self) -> None:
        self.closed += 1


@dataclass
class Entry:
    verdict: Fit | Refusal = FIT
    failure: MemdashError | None = None
    probes: tuple[Probe, ...] = field(default_factory=lambda: (Probe(), Probe(name="go.sites")))
    name: str = "go"
    capabilities: frozenset[Capability] = GO
    wanted_for: frozenset[Action] = frozenset()

    def fitness(self, target: Target) -> Fit | Refusal:
        return self.verdict

    def attach(self, target: Target) -> Attachment:
        if self.failure is not None:
            raise self.failure
        return Attachment(self.probes, {Capability.SITES: Missing("profiling is off")}, ("14 of 14 invariants hold",))


def test_a_refusal_is_passed_on_and_nothing_is_opened() -> None:
    (examined,) = examine(a_target(), [Entry(Refusal("no Go program", "hint"), failure=AssertionError())])  # type: ignore[arg-type] # it must not be raised
    assert examined.verdict == Refusal("no Go program", "hint")
    assert examined.tried == ()


def test_every_probe_is_read_once_and_closed() -> None:
    entry = Entry()
    (examined,) = examine(a_target(), [entry])
    assert [tried.name for tried in examined.tried] == ["go.memstats", "go.sites"]
    assert all(tried.failure is None and tried.cost_s >= 0 for tried in examined.tried)
    assert [probe.closed for probe in entry.probes] == [1, 1]
    assert examined.missing == {Capability.SITES: Missing("profiling is off")}
    assert examined.log == ("14 of 14 invariants hold",)


def test_what_fits_but_will_not_open_says_why() -> None:
    (examined,) = examine(a_target(), [Entry(failure=LayoutRefused("an invariant is broken", "report it"))])
    assert examined.verdict == FIT
    assert examined.failure == Missing("an invariant is broken", "report it")


def test_a_probe_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(Probe):
        def read(self) -> Reading:
            return Reading(Source.ENDPOINT, (), pending="it has not answered yet")

    monkeypatch.setattr("memdash.probes.examine._PATIENCE_S", 0.01)
    (examined,) = examine(a_target(), [Entry(probes=(Silent(), Probe()))])
    assert [tried.failure for tried in examined.tried] == [Missing("it has not answered yet"), None]


def test_a_probe_that_fails_does_not_hide_the_others() -> None:
    probes = (Probe(failure=BadRead("unmapped")), Probe(name="go.sites"))
    (examined,) = examine(a_target(), [Entry(probes=probes)])
    assert [tried.failure for tried in examined.tried] == [Missing("unmapped"), None]


@pytest.mark.parametrize("where", ["attach", "read"])
def test_a_target_that_ends_meanwhile_ends_the_examination(where: str) -> None:
    gone = TargetExited("process 1 has ended")
    probes = (Probe(failure=gone if where == "read" else None),)
    with pytest.raises(TargetExited):
        list(examine(a_target(), [Entry(failure=gone if where == "attach" else None, probes=probes)]))
    assert probes[0].closed == (1 if where == "read" else 0)
