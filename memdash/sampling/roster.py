"""The probes of one watch: who is due, what they said, what they cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar

from memdash.errors import ProbeError, TargetError, TargetExited, defects_told
from memdash.model.action import Action, Actor, Deed, nobody_does
from memdash.model.capability import Capability
from memdash.model.missing import NOT_READ_YET, Maybe, Missing
from memdash.model.probe import Probe
from memdash.model.sample import CAPABILITY_OF, Fact, Instant, Origin, Sample
from memdash.model.target import Runtime
from memdash.sampling.budget import Budget
from memdash.sampling.clock import Clock
from memdash.sampling.doing import Doing

__all__ = ["Roster"]

T = TypeVar("T")

_NOBODY = Missing("nothing reads it")
_UNREAD = {
    Capability.TASKS: Missing("memdash does not read the tasks of this runtime"),
    Capability.OBJECTS: Missing("memdash does not count the objects of this runtime by type"),
}
_LOOK_CPU_S, _LOOK_S = 1.0, 2.0
"""CPU time that a look out of turn may take for what is read piece by piece, and wall time for what is answered."""
_ANSWER_S = 90.0
"""Wall time for those who are given the time to finish: no question waits for longer."""
_SOON_S = 0.05
"""News waits so long for that of the probes which come next: each sample costs its listeners 3 ms."""
_GIVE_UP_AFTER = 5
"""So many failures in a row and the old value is no longer shown, only why there is none."""


@dataclass(slots=True)
class _Slot:
    """A probe, how often it may be read, and how its last readings went."""

    probe: Probe
    budget: Budget
    failures: int = 0
    pending: bool = False
    why: Missing = NOT_READ_YET
    took_s: float = math.inf
    """Wall time of its newest reading; nobody knows before the first."""


class _Until(NamedTuple):
    cpu_s: float
    mono_s: float


class Roster:
    """Reads whoever is due, joins what they said last into a Sample, and passes on what is to be done.

    Belongs to one thread, but for ``cancel``. What has begun may be carried out on another meanwhile. The target's
    ``runtime`` tells why something cannot be done where no actor says so.
    """

    def __init__(
        self,
        probes: Sequence[Probe],
        missing: Mapping[Capability, Missing],
        clock: Clock,
        actors: Sequence[Actor] = (),
        runtime: Runtime = Runtime.NATIVE,
    ) -> None:
        self._runtime = runtime
        self._actors = list(actors)
        self._slots = [_Slot(probe, Budget(probe.cadence_s)) for probe in probes]
        self._missing = missing
        self._clock = clock
        self._facts: dict[Capability, Fact] = {}
        self._origins: dict[Capability, Origin] = {}
        self._is_cancelled = False

    def add(self, probes: Sequence[Probe], missing: Mapping[Capability, Missing], actors: Sequence[Actor]) -> None:
        """Read these too from now on, and pass on what they can do; ``missing`` is what is known now not to be had."""
        self._slots += [_Slot(probe, Budget(probe.cadence_s)) for probe in probes]
        self._missing = missing
        self._actors += actors

    def tick(self, at: Instant) -> Iterator[Sample]:
        """Read the probes that are due: first all the quick ones, then the slow ones: a sample more for their news.

        So a profile of 50 000 stacks never holds up MemStats, nor what others have just read; but where the slow ones
        last took no longer than news may wait, one sample tells it all. A failing probe yields Missing; only
        TargetExited passes through. One that reads piece by piece has news when it is through.
        """
        due = [slot for slot in self._slots if slot.budget.due(at.mono_s)]
        slow = [slot for slot in due if slot.probe.cadence_s]
        for slot in due:
            if not slot.probe.cadence_s:
                self._read(slot, at)
        told_s, has_news = self._clock.now().mono_s, True
        if sum(slot.took_s for slot in slow) > _SOON_S:
            yield self._joined(at)
            has_news = False
        for slot in slow:
            self._read(slot, at)
            has_news |= not slot.pending or not slot.probe.capabilities <= self._facts.keys()
            now_s = self._clock.now().mono_s
            if has_news and now_s - told_s > _SOON_S:
                yield self._joined(at)
                told_s, has_news = now_s, False
        if has_news:
            yield self._joined(at)

    def finish(self, most_s: float) -> Iterator[Sample]:
        """Have those who have not finished do so, in ``most_s`` of CPU time at most; a sample if there were any."""
        until = self._until(most_s, _ANSWER_S)
        slots = [slot for slot in self._slots if slot.pending]
        for slot in slots:
            self._finish(slot, until)
        if slots:
            yield self._joined(self._clock.now())

    def _until(self, cpu_s: float, wall_s: float) -> _Until:
        return _Until(self._clock.thread_cpu_s() + cpu_s, self._clock.now().mono_s + wall_s)

    def _finish(self, slot: _Slot, until: _Until) -> None:
        while slot.pending and not self._is_cancelled and self._clock.thread_cpu_s() < until.cpu_s:
            now = self._clock.now()
            if now.mono_s >= until.mono_s:
                return
            self._read(slot, now)

    def offers(self) -> Mapping[Action, Maybe[str]]:
        """What can be done to the target now; of two who tell of one action, the first that can do it counts."""
        found: dict[Action, Maybe[str]] = {}
        for actor in self._actors:  # one of them may add others here, and they are asked too
            for action, offer in _offers_of(actor).items():
                if isinstance(found.get(action, _NOBODY), Missing):
                    found[action] = offer
        return found

    def offer(self, action: Action) -> Maybe[str]:
        """What it does to the target, in a sentence, or why it cannot be done now."""
        return self.offers().get(action, nobody_does(action, self._runtime))

    def news(self) -> tuple[str, ...]:
        """What those who act have to tell since they were last asked."""
        told = (_told(actor.news) for actor in self._actors)
        return tuple(line for lines in told if not isinstance(lines, Missing) for line in lines)

    def act(self, action: Action) -> Deed:
        """Have it done by the first who can, with a fresh look at the target before and after, and wait for it."""
        doing = self.begin(action)
        if isinstance(doing, Deed):
            return doing
        doing.carry_out()
        return self.end(doing)

    def begin(self, action: Action) -> Doing | Deed:
        """Find who can do it, and take the look before; when nobody can, that is all there is to tell."""
        actor = self._who_can(action)
        if not isinstance(actor, Missing):
            return Doing(action, actor, self.look(action.changes), self._clock)
        seen = self._joined(self._clock.now())
        return Deed(action=action, outcome=actor, took_s=0.0, before=seen, after=seen)

    def end(self, doing: Doing) -> Deed:
        """What came of it once it has been carried out, with the look after. Raises TargetExited."""
        begun = doing.succeeded and doing.action is Action.LOAD_AGENT and _offers_nothing(doing.actor)
        return doing.deed(self.look(doing.action.changes), begun=begun)

    def cancel(self) -> None:
        """Have what is being done to the target fail soon, and whatever follows; wait for nobody. From any thread."""
        self._is_cancelled = True
        for actor in self._actors:
            actor.cancel()

    def _who_can(self, action: Action) -> Maybe[Actor]:
        why = nobody_does(action, self._runtime)
        for actor in self._actors:
            offer = _offers_of(actor).get(action, why)
            if not isinstance(offer, Missing):
                return actor
            why = offer
        return why

    def look(
        self, capabilities: frozenset[Capability], *, cpu_s: float = _LOOK_CPU_S, wall_s: float = _LOOK_S
    ) -> Sample:
        """A sample in which these have just been read, due or not; Missing where that takes longer."""
        at, until = self._clock.now(), self._until(cpu_s, wall_s)
        slots = [slot for slot in self._slots if slot.probe.capabilities & capabilities]
        for slot in slots:
            self._finish(slot, until)  # what is under way began before this look, and would pass for it
        for slot in slots:
            if not slot.pending:
                self._read(slot, at)
        for slot in slots:
            self._finish(slot, until)
        late: dict[str, Any] = {c.value: slot.why for slot in slots if slot.pending for c in slot.probe.capabilities}
        return replace(self._joined(at), **late)

    def _read(self, slot: _Slot, at: Instant) -> None:
        before_s, began_s = self._clock.thread_cpu_s(), self._clock.now().mono_s
        reading = _told(slot.probe.read)
        slot.took_s = self._clock.now().mono_s - began_s
        if isinstance(reading, Missing):
            slot.budget.failed(at.mono_s)
            slot.failures += 1
            slot.pending = False
            slot.why = reading
            self._mark_failing(slot)
            return
        slot.pending = bool(reading.pending)
        slot.budget.own_cadence_s = slot.probe.cadence_s
        slot.budget.spent(at.mono_s, self._clock.thread_cpu_s() - before_s, pending=slot.pending)
        slot.failures = 0
        if reading.pending:
            slot.why = Missing(reading.pending)
        if reading.absent is not None:
            slot.why = reading.absent
            self._drop(slot)
        for fact in reading.facts:
            capability = CAPABILITY_OF[type(fact)]
            self._facts[capability] = fact
            self._origins[capability] = Origin(reading.source, at, reading.caveats)

    def _mark_failing(self, slot: _Slot) -> None:
        for capability in slot.probe.capabilities & self._facts.keys():
            held = self._origins[capability]
            self._origins[capability] = Origin(held.source, held.at, held.caveats, slot.why.why)
        if slot.failures >= _GIVE_UP_AFTER:
            self._drop(slot)

    def _drop(self, slot: _Slot) -> None:
        for capability in slot.probe.capabilities & self._facts.keys():
            del self._facts[capability], self._origins[capability]

    def _joined(self, at: Instant) -> Sample:
        newest: dict[str, Any] = {capability.value: self._newest(capability) for capability in CAPABILITY_OF.values()}
        costs = {slot.probe.name: slot.budget.cost for slot in self._slots}
        return Sample(at=at, **newest, origins=dict(self._origins), costs=costs)

    def _newest(self, capability: Capability) -> Maybe[Fact]:
        fact = self._facts.get(capability)
        if fact is not None:
            return fact
        for slot in self._slots:
            if capability in slot.probe.capabilities:
                return slot.why
        return self._missing.get(capability) or _UNREAD.get(capability, _NOBODY)

    def close(self) -> None:
        """Let those who act go, and close every probe: all of them, and only then is it told that one failed."""
        with ExitStack() as closing:
            for slot in self._slots:
                closing.callback(slot.probe.close)
            for actor in self._actors:
                closing.callback(actor.close)


def _offers_of(actor: Actor) -> Mapping[Action, Maybe[str]]:
    """What it offers; where it goes wrong no more is lost than that. Raises TargetExited."""
    offers = _told(actor.offers)
    return dict.fromkeys(Action, offers) if isinstance(offers, Missing) else offers


def _offers_nothing(actor: Actor) -> bool:
    """As long as an agent that has been asked for is not there. Raises TargetExited."""
    return all(isinstance(offer, Missing) for offer in _offers_of(actor).values())


def _told(ask: Callable[[], T]) -> Maybe[T]:
    """What somebody answers, or why nobody does. Raises TargetExited alone."""
    try:
        with defects_told():
            return ask()
    except TargetExited:
        raise
    except (ProbeError, TargetError) as error:
        return Missing.of(error)
