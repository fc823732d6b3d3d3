"""All that is needed to draw or export one moment of a watch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from memdash.model.action import Action
from memdash.model.capability import Capability
from memdash.model.finding import Finding, Severity, Transition
from memdash.model.gc_trend import GcTrend
from memdash.model.missing import Maybe, Missing
from memdash.model.objects import Objects, TypeCount
from memdash.model.profile import Frame, Profile, Usage
from memdash.model.relief import Relief
from memdash.model.residence import Residence
from memdash.model.sample import Instant, Sample
from memdash.model.series import Courses, Timeline
from memdash.model.target import Ending, Silence, Target
from memdash.model.tasks import Task, TaskKind
from memdash.model.verdict import Verdict

__all__ = ["Baseline", "Before", "ObjectGroup", "OwnCost", "SiteGroup", "Snapshot", "State", "TaskGroup"]

_UNREAD = Missing("nothing reads it")
_UNMEASURED = Missing("its cost has not been measured yet")


class State(Enum):
    """Where the watch stands. The value is the word on screen."""

    ATTACHING = "attaching"
    LIVE = "live"
    ENDED = "ended"
    REFUSED = "cannot be read"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of the watch."""
        return self in (State.ENDED, State.REFUSED)


@dataclass(frozen=True, slots=True)
class SiteGroup:
    """The allocation sites that share a leaf: the innermost frame outside the runtime.

    ``change`` is since the baseline (a site that was not there then counts from zero); ``trend`` holds inuse_bytes of
    the newest readings, oldest first; ``stacks`` counts the distinct stacks that end here.
    """

    frame: Frame
    usage: Usage
    change: Usage
    trend: tuple[int, ...]
    stacks: int


@dataclass(frozen=True, slots=True)
class ObjectGroup:
    """The live objects of one type; ``change`` since the baseline, ``trend`` in bytes at the newest looks."""

    now: TypeCount
    change: TypeCount
    trend: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskGroup:
    """The tasks of one kind, creator, state and function of the program, wherever in it they stand.

    ``key`` is what it is known by from one reading to the next. ``state`` and ``frame`` are those of most of them; the
    busy states count as one. ``is_creators`` says that ``frame`` is not theirs, but that of who began them, since they
    stand nowhere in the program. ``change`` is since the baseline, and 0 while their creator has as many tasks as then:
    they only moved. ``waiting_s`` is that of the one that has waited longest, ``trend`` their number at the newest
    readings, oldest first. ``tasks`` are told apart by their stacks; a group of the baseline that is gone has none.
    ``is_leaked`` says that the runtime has found that nothing can ever wake them.
    """

    key: str
    kind: TaskKind
    state: str
    frame: Frame
    created_by: Maybe[Frame]
    count: int
    change: int
    waiting_s: Maybe[float]
    trend: tuple[int, ...]
    tasks: tuple[Task, ...]
    is_creators: bool = False
    is_leaked: bool = False


@dataclass(frozen=True, slots=True)
class Baseline:
    """The moment that changes are counted from; ``marked`` when a person chose it, else it is the attach."""

    at: Instant
    marked: bool


@dataclass(frozen=True, slots=True)
class Before:
    """The readings that changes count from, in full: as they were at the baseline, or at the attach."""

    sites: Maybe[Profile] = _UNREAD
    objects: Maybe[Objects] = _UNREAD


@dataclass(frozen=True, slots=True)
class OwnCost:
    """What memdash itself takes: percent of one core over the last seconds, and resident bytes."""

    cpu_percent: Maybe[float] = _UNMEASURED
    rss_bytes: Maybe[int] = _UNMEASURED


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One moment. ``findings`` is the alert log, newest first; ``groups`` are the allocation sites.

    ``groups`` and ``objects`` are sorted by bytes, ``tasks`` by number, largest first; ``before`` holds the readings
    that their changes count from, and ``since`` says when those were taken in. ``courses`` tells for sites (by frame),
    objects (by name) and tasks (by key) what they held over the watch. ``residence`` is that of the newest look at the
    mappings. ``missing`` says for each capability the watch does not have why not, ``actions`` what can be done to the
    target; ``ending`` is set once it is gone. ``verdict`` is what the watch makes of the memory so far, None before it
    has seen any, ``gc_trend`` what it makes of the collector, None where there is none. ``silence`` is set as long as
    nothing of the target answers. ``transitions`` are what alerts have done since the snapshot before: each is in one
    snapshot that listeners get, and no poll can rely on seeing it. ``muted`` are the rules that do not count, and until
    when on the monotonic clock. ``relief`` says how forcing collections before a limit stands, None where nobody has
    asked for that. ``cut_off`` says in a sentence why no more comes of a recording that grew while it was looked at,
    and is empty otherwise.
    """

    target: Target
    state: State
    at: Instant
    interval_s: float
    sample: Sample
    history: Timeline
    groups: Maybe[tuple[SiteGroup, ...]]
    baseline: Baseline
    before: Before = Before()
    objects: Maybe[tuple[ObjectGroup, ...]] = _UNREAD
    tasks: Maybe[tuple[TaskGroup, ...]] = _UNREAD
    residence: Maybe[Residence] = _UNREAD
    since: Mapping[Capability, Instant] = field(default_factory=dict)
    courses: Mapping[Capability, Courses] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    findings_dropped: int = 0
    transitions: tuple[Transition, ...] = ()
    muted: Mapping[str, float] = field(default_factory=dict)
    missing: Mapping[Capability, Missing] = field(default_factory=dict)
    actions: Mapping[Action, Maybe[str]] = field(default_factory=dict)
    cost: OwnCost = OwnCost()
    ending: Ending | None = None
    silence: Silence | None = None
    verdict: Verdict | None = None
    is_replayed: bool = False
    cut_off: str = ""
    gc_trend: GcTrend | None = None
    relief: Relief | None = None

    @property
    def worst(self) -> Finding | None:
        """The gravest alert that holds, the newest of equals; one that is acknowledged only when there is no other."""
        return max(self.alerts, key=lambda f: (not f.acknowledged, f.severity, f.at_s), default=None)

    @property
    def alerts(self) -> tuple[Finding, ...]:
        """The findings that still hold, are at least a warning and are not muted, newest first."""
        return tuple(
            f
            for f in self.findings
            if f.ended_at_s is None and f.severity >= Severity.WARNING and f.rule not in self.muted
        )
