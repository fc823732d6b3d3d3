"""The facts that fall into rows, and where RSS comes from: what of a snapshot more than one reading tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from memdash.analysis.growers import Held
from memdash.analysis.objects import count_by_type, object_groups
from memdash.analysis.residence import residence_of
from memdash.analysis.sites import grouped, usage_by_leaf
from memdash.analysis.tasks import number, task_groups, tasks_by_group
from memdash.model.capability import Capability
from memdash.model.missing import NOT_READ_YET, Maybe, Missing
from memdash.model.residence import Residence
from memdash.model.sample import Instant, Origin, Sample
from memdash.model.snapshot import Baseline, Before, SiteGroup, Snapshot, TaskGroup
from memdash.model.target import Runtime
from memdash.sampling.followed import Followed

__all__ = ["ROWS", "Rows", "sizes"]

ROWS = (Capability.SITES, Capability.OBJECTS, Capability.TASKS)
"""The facts that fall into rows."""

_NO_READING = Missing("there has been no reading to compare with yet")


class Rows:
    """Follows sites, types and tasks from sample to sample. Used by one thread at a time."""

    def __init__(self) -> None:
        self._sites = Followed(
            usage_by_leaf, lambda held: held[0].inuse_bytes, grouped, lambda profile: profile.estimated
        )
        self._objects = Followed(count_by_type, lambda row: row.held_bytes, object_groups)
        self._tasks = Followed(tasks_by_group, number, task_groups)
        self._followed: Mapping[Capability, Followed[Any, Any, Any, Any]] = {
            Capability.SITES: self._sites,
            Capability.OBJECTS: self._objects,
            Capability.TASKS: self._tasks,
        }
        self._marked: Instant | None = None
        self._residence: Maybe[Residence] = NOT_READ_YET
        self._mapped_at: Instant | None = None

    def take(self, sample: Sample) -> None:
        """Take in what a sample has of each."""
        for capability, followed in self._followed.items():
            followed.take(sample.at, getattr(sample, capability.value), sample.origins.get(capability))

    def begin(self, capability: Capability, at: Instant, fact: Any, origin: Origin) -> None:
        """Count changes of one fact from a reading of long ago."""
        self._followed[capability].begin(at, fact, origin)

    def recall(self, capability: Capability, sizes: Mapping[Any, int]) -> None:
        """Put what the rows of one fact held at an earlier reading into their trends."""
        self._followed[capability].recall(sizes)

    def reside(self, sample: Sample, runtime: Runtime) -> None:
        """Bring both accounts together while they are of one moment: mappings are read seldom, counters always."""
        origin = sample.origins.get(Capability.MAPPINGS)
        mapped_at = None if origin is None else origin.at
        if mapped_at is None or mapped_at != self._mapped_at:
            self._residence, self._mapped_at = residence_of(sample, runtime), mapped_at

    @property
    def marked(self) -> Instant | None:
        """The moment that a person chose for changes to count from."""
        return self._marked

    def mark(self, at: Instant, then: Sample | None = None) -> None:
        """Count changes from the newest readings on, or from those of ``then``, a moment that is past."""
        self._marked = at
        for capability, followed in self._followed.items():
            if then is None:
                followed.mark(at)
            else:
                followed.mark_at(at, getattr(then, capability.value))

    def clear(self) -> None:
        """Count changes from the attach again."""
        self._marked = None
        for followed in self._followed.values():
            followed.clear()

    def filled(self, shown: Snapshot) -> Snapshot:
        """The same moment with its rows, and the baseline that their changes count from."""
        mapped = shown.sample.mappings
        followed = self._followed.items()
        return replace(
            shown,
            courses={capability: rows.courses for capability, rows in followed},
            baseline=Baseline(self._marked or shown.history.since, self._marked is not None),
            since={capability: rows.since for capability, rows in followed if rows.since is not None},
            before=Before(self._sites.before or _NO_READING, self._objects.before or _NO_READING),
            groups=self._sites.groups(shown.sample.sites),
            objects=self._objects.groups(shown.sample.objects),
            tasks=self._tasks.groups(shown.sample.tasks),
            residence=mapped if isinstance(mapped, Missing) else self._residence,
        )

    def named(
        self, sample: Sample, since_s: float
    ) -> tuple[Maybe[tuple[SiteGroup, ...]], Maybe[tuple[TaskGroup, ...]], Held, Held]:
        """The rows of sites and tasks, and what they held at a moment, for whoever names those that grew since."""
        sites, tasks = self._sites.groups(sample.sites), self._tasks.groups(sample.tasks)
        return sites, tasks, self._sites.courses.at(since_s), self._tasks.courses.at(since_s)


def sizes(capability: Capability, fact: Any) -> Mapping[Any, int]:
    """What each row of a fact holds, by the key that its course is known by: bytes, or how many tasks they are."""
    match capability:
        case Capability.SITES:
            return {frame: held.inuse_bytes for frame, (held, _) in usage_by_leaf(fact).items()}
        case Capability.OBJECTS:
            return {name: row.held_bytes for name, row in count_by_type(fact).items()}
    return {key: number(tasks) for key, tasks in tasks_by_group(fact).items()}
