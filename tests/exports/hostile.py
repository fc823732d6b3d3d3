"""A watch over a program that says something bad, or something private, wherever it has a say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from memdash.analysis.objects import count_by_type, object_groups
from memdash.analysis.sites import grouped, usage_by_leaf
from memdash.analysis.tasks import task_groups, tasks_by_group
from memdash.model.capability import Capability
from memdash.model.finding import Finding, Severity
from memdash.model.missing import Missing
from memdash.model.objects import Objects, TypeCount
from memdash.model.profile import Frame, Profile, Site, Usage
from memdash.model.residence import MappingKind
from memdash.model.snapshot import Before, Snapshot
from memdash.model.target import Ending
from memdash.model.tasks import Tasks
from memdash.model.verdict import Grower
from memdash.units import MIB
from tests.fakes import NOON_S, a_family, a_system, a_target, a_thread
from tests.pages import a_group, resident, some_mappings
from tests.verdicts import a_leak

__all__ = ["watch_with"]


def watch_with(says: Callable[[str], str]) -> Snapshot:
    """``says`` makes a name or a path of what it would be in a program that means well."""
    frame = Frame("cart.(*Store).Add", says("/srv/shop/cart/store.go"), 118)
    outer = Frame("main.main", says("/srv/shop/main.go"), 7)
    profile = Profile((Site((frame, outer), Usage(61 * MIB, 1000, 90 * MIB, 2000)),), 524288, True)
    thread = a_thread("Store.watch", "in futex", 412, stack=(outer,), name=says("worker"), created_by=frame)
    tasks, types = Tasks((thread,)), Objects((TypeCount("shop.cart.Order", 1000, 61 * MIB),))
    system = a_system()
    assert not isinstance(system.cgroup, Missing)
    cgroup = replace(system.cgroup, path=says("/user.slice/shop.service"))
    family = a_family()
    members = tuple(replace(m, name=says(m.name), role=says(m.role)) for m in family.members)
    mappings = some_mappings(
        a_group(MappingKind.FILE, 50, says("/srv/shop/prices.db")), a_group(MappingKind.ANONYMOUS, 40, says("prices"))
    )
    shown = resident(replace(system, cgroup=cgroup), profile, tasks, types, replace(family, members=members), mappings)
    by_leaf = usage_by_leaf(profile)
    where = frame.where(parts=1)
    leak = a_leak()
    growers = (Grower("site", frame.function, where, 61 * MIB), Grower("task", "threads by main.main", where, 412))
    sentence = f"leak: {frame.function} {where} +61.0 MiB at 38 /min, {frame.where(parts=2)}, of {says('shop-server')}"
    argv = (says("/srv/shop-server"), f"--password={says('hunter2')}", says("--port"), says("http://db/prices"))
    return replace(
        shown,
        target=a_target(name=says("shop-server"), exe=says("/srv/shop-server"), argv=argv),
        groups=grouped(by_leaf, {}, {}),
        before=Before(profile, types),
        objects=object_groups(count_by_type(types), {}, {}),
        tasks=task_groups(tasks_by_group(tasks), {}, {}),
        verdict=replace(leak, summary=sentence, why=sentence, growers=growers),
        findings=(
            Finding(
                rule=f"{says('--port')} rule",
                severity=Severity.CRITICAL,
                at_s=NOON_S,
                summary=sentence,
                evidence={"what": sentence},
            ),
        ),
        missing={
            Capability.GC: Missing(f"{says('/srv/shop/libgc.so')} is not known", f"run {says('/srv/shop-server')}")
        },
        ending=Ending(at_s=NOON_S, replaced=f"pid 41287 now runs {says('/srv/other shop/server')} (exec)"),
    )
