"""The JSON document, schema ``memdash/1``: one line each; keys are stable, later versions only add.

Bytes, nanoseconds, seconds, counts and ratios are plain numbers; moments are ISO 8601 in UTC. A value that could not be
had is ``null``, and its reason stands under ``missing`` by its dotted path.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from memdash import __version__
from memdash.exports.exporter import Exporter
from memdash.model.family import Family
from memdash.model.finding import Figure, Finding
from memdash.model.gc import GcStats
from memdash.model.gc_trend import GcTrend, Tendency
from memdash.model.memstats import MemStats
from memdash.model.missing import Maybe, Missing
from memdash.model.objects import Objects
from memdash.model.profile import Frame, Profile, Usage, sampling_error
from memdash.model.relief import Relief
from memdash.model.residence import MappingGroup, Residence
from memdash.model.sample import ProbeCost, Sample
from memdash.model.snapshot import Snapshot
from memdash.model.system import Smaps
from memdash.model.target import Ending, Target
from memdash.model.tasks import Task, Tasks
from memdash.model.verdict import Verdict
from memdash.tables.task_words import state_words
from memdash.units import iso_time

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = [
    "JSON",
    "Object",
    "document",
    "finding_row",
    "json_line",
    "nulled",
    "parts",
    "target_row",
    "task_row",
    "usage_row",
]

Object: TypeAlias = dict[str, Any]

_MAPPINGS_AT_MOST = 100
_FAR = Missing("a server that is asked by its URL tells nothing of its process")
_NO_RELIEF = Missing("nobody asked for it: --gc-at")
_NO_VERDICT = Missing("nothing has been judged")
_NO_GENERATIONS = Missing("this collector has no generations")
_NO_GC = Missing("there is no collector to be followed")


def document(snapshot: Snapshot) -> Object:
    """Turn one snapshot into what ``json.dumps`` takes."""
    found, missing = parts(snapshot, _PARTS)
    return found | {"missing": missing}


def parts(snapshot: Snapshot, names: Iterable[str]) -> tuple[Object, dict[str, str]]:
    """Those parts of the document by their keys, and why what is null in them is missing."""
    missing: dict[str, str] = {}
    return {name: _without_missing(_PARTS[name](snapshot), name, missing) for name in names}, missing


def _without_missing(value: object, path: str, missing: dict[str, str]) -> object:
    """Spread dataclasses into objects and put null where something is Missing, noting why. Lists are taken as plain."""
    if value is None or isinstance(value, (int, str, list)):  # nearly all there is
        return value
    if isinstance(value, Missing):
        missing[path] = value.why
        return None
    if isinstance(value, float) and not math.isfinite(value):
        missing[path] = "not a finite number"
        return None
    if is_dataclass(value) and not isinstance(value, type):
        value = _spread(value)
    if isinstance(value, dict):
        return {key: _without_missing(part, f"{path}.{key}", missing) for key, part in value.items()}
    return value


def nulled(row: Mapping[str, object]) -> Object:
    """A row in which null stands for what is Missing or not finite, where nobody can be told why."""
    return {key: _without_missing(value, key, {}) for key, value in row.items()}


def _spread(value: DataclassInstance) -> Object:
    """Name the fields of a dataclass, one level deep."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def target_row(target: Target, at_s: float) -> Object:
    """Who was watched, as of ``at_s`` (Unix time). What nobody can know of it is Missing."""
    known = {
        "pid": target.pid,
        "start_time": iso_time(target.started_at_s),
        "name": target.name,
        "argv": list(target.argv),
        "exe": target.exe,
        "uid": target.uid,
        "runtime": target.runtime.value,
        "runtime_version": target.runtime_version,
        "uptime_s": round(at_s - target.started_at_s, 3),
    }
    if target.is_local:
        return known
    return dict.fromkeys(known, _FAR) | {"name": target.name, "runtime": target.runtime.value, "url": target.url}


def _ending(ending: Ending | None) -> Object | None:
    if ending is None:
        return None
    return {
        "at": iso_time(ending.at_s),
        "exit_code": ending.exit_code,
        "signal": ending.signal_number,
        "oom_killed": ending.oom_killed,
        "words": ending.words,
    }


def _memstats(memstats: Maybe[MemStats]) -> Maybe[Object]:
    if isinstance(memstats, Missing):
        return memstats
    found = _spread(memstats)
    if not isinstance(memstats.BySize, Missing):
        found["BySize"] = [[row.size_bytes, row.mallocs, row.frees] for row in memstats.BySize]
    return found


def _gc(gc: Maybe[GcStats]) -> Maybe[Object]:
    if isinstance(gc, Missing):
        return gc
    found = _spread(gc)
    del found["pauses"]  # MemStats' PauseNs and PauseEnd hold them already
    last_at_s = found.pop("last_at_s")
    found["last_at"] = last_at_s if isinstance(last_at_s, Missing) else iso_time(last_at_s)
    return found | {"generations": _generations(gc)}


def _gc_trend(trend: GcTrend | None) -> Maybe[Object]:
    """Each with where it was and is, by the line through it, and whether that is more than chance."""
    return _NO_GC if trend is None else {name: _tendency(found) for name, found in _spread(trend).items()}


def _tendency(found: Maybe[Tendency]) -> Maybe[Object]:
    return found if isinstance(found, Missing) else _spread(found) | {"course": found.course.value}


def _generations(gc: GcStats) -> Maybe[list[Object]]:
    """Youngest first. Taken as plain: a count that is Missing is null here."""
    if not gc.generations:
        return _NO_GENERATIONS
    return [nulled(_spread(generation)) for generation in gc.generations]


def _system(sample: Sample) -> Maybe[Object]:
    """The kernel's figures; those of smaps, read more rarely, stand among them."""
    if isinstance(sample.system, Missing):
        return sample.system
    if isinstance(sample.smaps, Missing):
        smaps: Object = dict.fromkeys((field.name for field in fields(Smaps)), sample.smaps)
    else:
        smaps = _spread(sample.smaps)
    return _spread(sample.system) | smaps


def _sites(profile: Maybe[Profile]) -> Maybe[Object]:
    """One row a stack, the largest first. Equal frames share one object: a profile repeats its outer frames."""
    if isinstance(profile, Missing):
        return profile
    by_stack: dict[tuple[Frame, ...], Usage] = {}
    for site in profile.sites:
        held = by_stack.get(site.stack)
        by_stack[site.stack] = site.usage if held is None else Usage(*map(sum, zip(held, site.usage, strict=True)))
    objects: dict[Frame, Object] = {}
    rows = [
        nulled(usage_row(usage, profile))
        | {
            "inuse_error": sampling_error(usage.inuse_bytes, usage.inuse_objects, profile.sample_rate_bytes),
            "stack": [objects.setdefault(frame, frame._asdict()) for frame in stack],
        }
        for stack, usage in sorted(by_stack.items(), key=lambda item: item[1].inuse_bytes, reverse=True)
    ]
    return {
        "total": usage_row(profile.total, profile),
        "sample_rate_bytes": profile.sample_rate_bytes,
        "published": profile.published,
        "peak_bytes": profile.peak_bytes,
        "rows": rows,
    }


def usage_row(usage: Usage, profile: Profile) -> Object:
    """The four figures, as far as the profile knows them."""
    unknown = profile.no_alloc
    return usage._asdict() | ({"alloc_bytes": unknown, "alloc_objects": unknown} if unknown else {})


def _tasks(tasks: Maybe[Tasks]) -> Maybe[Object]:
    """One row a group, the largest first."""
    if isinstance(tasks, Missing):
        return tasks
    ranked = sorted(tasks.groups, key=lambda task: -task.count)
    return {"total": tasks.total, "hidden": tasks.hidden, "rows": [task_row(task) for task in ranked]}


def task_row(task: Task) -> Object:
    """A group of tasks. Taken as plain: what is Missing in it is null."""
    return {
        "kind": task.kind.value,
        "name": task.name,
        "count": task.count,
        "state": state_words(task),
        "waiting_s": None if isinstance(task.waiting_s, Missing) else round(task.waiting_s, 3),
        "stack_bytes": None if isinstance(task.stack_bytes, Missing) else task.stack_bytes,
        "created_by": None if isinstance(task.created_by, Missing) else task.created_by._asdict(),
        "stack": [frame._asdict() for frame in task.stack],
    }


def _objects(objects: Maybe[Objects]) -> Maybe[Object]:
    """One row a type, most bytes first; no size classes where the type says it all."""
    if isinstance(objects, Missing):
        return objects
    ranked = sorted(objects.types, key=lambda row: (-row.held_bytes, row.name))
    return {
        "count": objects.total.objects,
        "bytes": objects.total.held_bytes,
        "unknown_bytes": objects.unknown_bytes,
        "rows": [
            {"type": row.name, "size_class": None, "count": row.objects, "bytes": row.held_bytes} for row in ranked
        ],
    }


def _family(family: Maybe[Family]) -> Maybe[Object]:
    """The tree, each member before those it started."""
    if isinstance(family, Missing):
        return family
    return {
        "rss_bytes": family.rss_bytes,
        "pss_bytes": family.pss_bytes,
        "members": [nulled(_spread(member)) for member in family.members],
    }


def _residence(residence: Maybe[Residence]) -> Maybe[Object]:
    """The steps add up to ``rss_bytes``; the mappings behind them, most resident bytes first."""
    if isinstance(residence, Missing):
        return residence
    steps = [
        {"step": step.kind.value, "bytes": step.size_bytes, "estimated": step.is_estimated} for step in residence.steps
    ]
    arenas = residence.arenas
    return {
        "rss_bytes": residence.rss_bytes,
        "steps": steps,
        "arenas": arenas
        if isinstance(arenas, Missing)
        else {
            "size_bytes": arenas.size_bytes,
            "resident_bytes": arenas.resident_bytes,
            "swapped_bytes": arenas.swapped_bytes,
        },
        "mappings": [_mapping(group) for group in residence.groups[:_MAPPINGS_AT_MOST]],
    }


def _mapping(group: MappingGroup) -> Object:
    """One that is no single mapping has no address."""
    start = f"{group.start:x}" if group.end else None
    return group._asdict() | {"kind": group.kind.value, "start": start, "end": f"{group.end:x}" if group.end else None}


def _verdict(verdict: Verdict | None) -> Maybe[Object]:
    """Taken as plain: an end of an interval that nothing bounds is null."""
    if verdict is None:
        return _NO_VERDICT
    slope, ahead = verdict.slope, verdict.forecast
    return {
        "kind": verdict.kind.value,
        "severity": verdict.severity.name.lower(),
        "since": iso_time(verdict.at_s),
        "summary": verdict.summary,
        "why": verdict.why,
        "basis": verdict.basis,
        "slope": None if slope is None else nulled(slope._asdict()),
        "window_s": round(verdict.window_s, 3),
        "points": verdict.points,
        "cycles": verdict.cycles,
        "level_bytes": round(verdict.level_bytes),
        "growth_bytes": round(verdict.growth_bytes),
        "growers": [_spread(grower) for grower in verdict.growers],
        "collector": verdict.collector,
        "forecast": None if ahead is None else _spread(ahead),
    }


def _relief(relief: Relief | None) -> Maybe[Object]:
    if relief is None:
        return _NO_RELIEF
    ceiling = relief.ceiling
    return {
        "gc_at": relief.plan.ratio,
        "limit": ceiling if isinstance(ceiling, Missing) else ceiling._asdict(),
        "way": relief.way,
        "rounds": relief.rounds,
        "wait_s": relief.wait_s,
    }


def finding_row(finding: Finding, muted: bool = False) -> Object:
    """An entry of the alert log."""
    return {
        "rule": finding.rule,
        "severity": finding.severity.name.lower(),
        "at": iso_time(finding.at_s),
        "ended_at": None if finding.ended_at_s is None else iso_time(finding.ended_at_s),
        "summary": finding.summary,
        "lasted_s": round(finding.lasted_s, 3),
        "times": finding.times,
        "measured": _figure(finding.measured),
        "worst": _figure(finding.worst),
        "acknowledged": finding.acknowledged,
        "muted": muted,
        "evidence": nulled(finding.evidence),
    }


def _figure(figure: Figure | None) -> Object | None:
    """The unit is ``bytes``, ``count``, ``ns``, ``s``, ``ratio`` or ``percent``, with ``/min`` or so for a rate."""
    if figure is None or not math.isfinite(figure.value):
        return None
    return {"value": figure.value, "unit": f"{figure.unit.value}{figure.per}"}


def _cost(shown: Snapshot) -> Object:
    return _spread(shown.cost) | {"probes": {name: _probe_cost(cost) for name, cost in shown.sample.costs.items()}}


def _probe_cost(cost: ProbeCost) -> Object:
    return {
        "reads": cost.reads,
        "median_ms": round(cost.median_s * 1e3, 3),
        "p99_ms": round(cost.p99_s * 1e3, 3),
        "cadence_s": cost.cadence_s,
    }


def json_line(content: Mapping[str, object]) -> str:
    """One line of ASCII, without its end."""
    return json.dumps(content, separators=(",", ":"), allow_nan=False)


def _lines(snapshots: Iterable[Snapshot]) -> Iterator[str]:
    return (f"{json_line(document(snapshot))}\n" for snapshot in snapshots)


_PARTS: Mapping[str, Callable[[Snapshot], object]] = {
    "schema": lambda _: "memdash/1",
    "taken_at": lambda shown: iso_time(shown.at.wall_s),
    "version": lambda _: __version__,
    "state": lambda shown: shown.state.name.lower(),
    "ending": lambda shown: _ending(shown.ending),
    "target": lambda shown: target_row(shown.target, shown.at.wall_s),
    "sources": lambda shown: {c.value: origin.source.value for c, origin in shown.sample.origins.items()},
    "ages_s": lambda shown: {
        c.value: round(shown.at.mono_s - origin.at.mono_s, 6) for c, origin in shown.sample.origins.items()
    },
    "caveats": lambda shown: {c.value: list(o.caveats) for c, o in shown.sample.origins.items() if o.caveats},
    "memstats": lambda shown: _memstats(shown.sample.memstats),
    "gc": lambda shown: _gc(shown.sample.gc),
    "system": lambda shown: _system(shown.sample),
    "sites": lambda shown: _sites(shown.sample.sites),
    "tasks": lambda shown: _tasks(shown.sample.tasks),
    "objects": lambda shown: _objects(shown.sample.objects),
    "malloc": lambda shown: shown.sample.malloc,
    "family": lambda shown: _family(shown.sample.family),
    "residence": lambda shown: _residence(shown.residence),
    "gc_trend": lambda shown: _gc_trend(shown.gc_trend),
    "verdict": lambda shown: _verdict(shown.verdict),
    "relief": lambda shown: _relief(shown.relief),
    "findings": lambda shown: [finding_row(finding, finding.rule in shown.muted) for finding in shown.findings],
    "findings_dropped": lambda shown: shown.findings_dropped,
    "cost": _cost,
}
"""Each by its key."""


JSON = Exporter(_lines)
