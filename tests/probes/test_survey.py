import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from memdash.model.action import Action
from memdash.model.capability import Capability
from memdash.model.target import Runtime, Target
from memdash.probes.probe import Attachment, Fit, Refusal
from memdash.probes.survey import Surveyed, survey

Start = Callable[..., "subprocess.Popen[bytes]"]
GO = frozenset({Capability.MEMSTATS})
SYSTEM = frozenset({Capability.SYSTEM})


@dataclass
class Entry:
    """Fits what is named ``sleep`` with its own score, and refuses the rest; counts what it was asked."""

    name: str
    score: int
    capabilities: frozenset[Capability]
    fits_all: bool = False
    wanted_for: frozenset[Action] = frozenset()
    asked: list[Target] = field(default_factory=list)

    def fitness(self, target: Target) -> Fit | Refusal:
        self.asked.append(target)
        if self.fits_all or target.name == "sleep":
            runtime = Runtime.NATIVE if self.fits_all else Runtime.GO
            return Fit(self.score, self.capabilities, runtime, "" if self.fits_all else "go1.27.3")
        return Refusal("not a Go program")

    def attach(self, target: Target) -> Attachment:
        raise AssertionError("a survey opens nothing")


@pytest.fixture
def entries() -> tuple[Entry, Entry]:
    return Entry("go", 10, GO), Entry("system", 0, SYSTEM, fits_all=True)


def of(found: list[Surveyed], pid: int) -> Surveyed:
    return next(each for each in found if each.target.pid == pid)


def test_the_most_telling_way_names_the_runtime(start: Start, entries: tuple[Entry, Entry]) -> None:
    sleep, cat = start("sleep", "60"), start("cat")
    found = list(survey(entries, 60.0))
    asleep = of(found, sleep.pid)
    assert (asleep.target.runtime, asleep.target.runtime_version) == (Runtime.GO, "go1.27.3")
    assert asleep.best == Fit(10, GO, Runtime.GO, "go1.27.3")
    assert asleep.rss_bytes > 0
    assert 0 <= asleep.up_s < 60
    other = of(found, cat.pid)
    assert other.target.runtime is Runtime.NATIVE
    assert other.verdicts[0] == ("go", Refusal("not a Go program"))
    totals = [each.tree_rss_bytes for each in found if not each.above]
    assert totals == sorted(totals, reverse=True)


def test_workers_come_after_their_master_which_has_the_total(entries: tuple[Entry, Entry], start: Start) -> None:
    code = "import os; pid = os.fork(); os.write(1, b'%d\\n' % pid) if pid else None; os.read(0, 1)"
    master = start(sys.executable, "-c", code)
    assert master.stdout is not None
    worker = int(master.stdout.readline())
    found = list(survey(entries, 60.0))
    place = next(number for number, each in enumerate(found) if each.target.pid == master.pid)
    assert found[place + 1].target.pid == worker
    assert found[place + 1].above[-1] == master.pid
    assert found[place].below == 1
    assert found[place].tree_rss_bytes == found[place].rss_bytes + found[place + 1].rss_bytes


def test_memdash_itself_is_left_out(entries: tuple[Entry, Entry]) -> None:
    assert os.getpid() not in {each.target.pid for each in survey(entries, 60.0)}


def test_an_executable_is_judged_once(start: Start, entries: tuple[Entry, Entry]) -> None:
    pids = {start("sleep", "60").pid for _ in range(3)}
    found = list(survey(entries, 60.0))
    assert len([target for target in entries[0].asked if target.pid in pids]) <= 1
    assert all(of(found, pid).best == Fit(10, GO, Runtime.GO, "go1.27.3") for pid in pids)


def test_after_the_limit_processes_are_listed_unjudged(start: Start, entries: tuple[Entry, Entry]) -> None:
    child = start("sleep", "60")
    times = iter([0.0])
    found = list(survey(entries, 1.0, clock_s=lambda: next(times, 5.0)))
    assert entries[0].asked == []
    late = of(found, child.pid)
    assert late.best is None
    assert late.target.runtime is Runtime.NATIVE
    assert all(isinstance(verdict, Refusal) and "not looked at" in verdict.why for _, verdict in late.verdicts)
