"""The one line that says what is watched, how, and how it stands."""

from __future__ import annotations

from dataclasses import dataclass

from memdash.model.capability import Capability, Source
from memdash.model.finding import Finding
from memdash.model.missing import Maybe, Missing
from memdash.model.relief import Relief
from memdash.model.snapshot import Snapshot, State
from memdash.model.target import Runtime
from memdash.units import Unit, duration, figure, whole_percent

__all__ = ["Headline", "headline"]


@dataclass(frozen=True, slots=True)
class Headline:
    """Parts of the header, in order; a narrow screen drops ``source``, ``uptime`` and ``pace`` in that order.

    ``armed`` says what memdash does to the target by itself: ``gc-at 80 %``, or that it cannot; mostly nothing.
    ``detail`` says more about the state: how the target ended, which probe is late.
    """

    state: State
    word: str
    name: str
    pid: str
    runtime: str
    source: str
    uptime: str
    pace: str
    cost: str
    armed: str
    detail: str
    worst: Finding | None


def headline(snapshot: Snapshot) -> Headline:
    """The header of a snapshot."""
    target = snapshot.target
    return Headline(
        state=snapshot.state,
        word="recorded" if snapshot.is_replayed and snapshot.state is State.LIVE else snapshot.state.value,
        name=target.name,
        pid=target.place if target.is_local else "",
        runtime=target.runtime_version or _runtime_word(snapshot),
        source=_source(snapshot),
        uptime=f"up {duration(max(snapshot.at.wall_s - target.started_at_s, 0.0))}" if target.is_local else "",
        pace=f"every {duration(snapshot.interval_s)}" if snapshot.interval_s != 1 else "every 1 s",
        cost=_cost(snapshot.cost.cpu_percent),
        armed=_armed(snapshot.relief),
        detail=_detail(snapshot),
        worst=snapshot.worst,
    )


def _runtime_word(snapshot: Snapshot) -> str:
    if snapshot.state is State.ATTACHING:
        return ""
    target = snapshot.target
    return target.runtime.value if target.runtime is Runtime.NATIVE or not target.is_local else ""


_ASKED = {Source.ENDPOINT: "asked over HTTP", Source.GOPS: "asked through gops"}


def _source(snapshot: Snapshot) -> str:
    origins = snapshot.sample.origins
    if Capability.MEMSTATS in origins:
        if asked := _ASKED.get(origins[Capability.MEMSTATS].source):
            return asked
        sources = {origins[part].source for part in (Capability.MEMSTATS, Capability.GC) if part in origins}
        if Source.AGENT in sources:
            return "memory + agent"
        others = [origin.source.value for origin in origins.values() if origin.source in _ASKED]
        return f"memory + {others[0]}" if others else "read from memory"
    return "system view" if Capability.SYSTEM in origins else ""


def _cost(cpu_percent: Maybe[float]) -> str:
    return "" if isinstance(cpu_percent, Missing) else f"cost {figure(cpu_percent, Unit.PERCENT)} cpu"


def _armed(relief: Relief | None) -> str:
    if relief is None:
        return ""
    can = not isinstance(relief.way, Missing) and not isinstance(relief.ceiling, Missing)
    return f"gc-at {whole_percent(relief.plan.ratio) if can else 'cannot'}"


def _detail(snapshot: Snapshot) -> str:
    if snapshot.ending is not None:
        return snapshot.ending.words
    if snapshot.state is State.REFUSED and isinstance(snapshot.sample.system, Missing):
        return snapshot.sample.system.why
    late = [c.value for c, origin in snapshot.sample.origins.items() if origin.failing]
    return f"late: {', '.join(late)}" if late else ""
