"""Live objects by type, with their changes."""

from __future__ import annotations

from collections.abc import Mapping

from memdash.model.objects import Objects, TypeCount
from memdash.model.snapshot import ObjectGroup

__all__ = ["count_by_type", "object_groups"]


def count_by_type(objects_by_type: Objects) -> dict[str, TypeCount]:
    """The types by name; two types of one name are one row."""
    found: dict[str, TypeCount] = {}
    for name, objects, held_bytes in objects_by_type.types:
        held = found.get(name, TypeCount(name, 0, 0))
        found[name] = TypeCount(name, held.objects + objects, held.held_bytes + held_bytes)
    return found


def object_groups(
    newest: Mapping[str, TypeCount], baseline: Mapping[str, TypeCount], trends: Mapping[str, tuple[int, ...]]
) -> tuple[ObjectGroup, ...]:
    """Groups with their change since the baseline, most bytes first; a type that is gone is kept, with its loss."""
    groups = []
    for name in dict.fromkeys((*newest, *baseline)):
        now, then = (rows.get(name, TypeCount(name, 0, 0)) for rows in (newest, baseline))
        change = TypeCount(name, now.objects - then.objects, now.held_bytes - then.held_bytes)
        groups.append(ObjectGroup(now, change, trends.get(name, ())))
    groups.sort(key=lambda group: (-group.now.held_bytes, group.now.name))
    return tuple(groups)
