"""The process tree that a target belongs to: its program from the first process on, and all that those started.

Measured: a look at a tree of five among 2 000 processes takes 4 ms of CPU time, every fifth look, which reads the
parents of all, 40 ms; a member costs 50 µs, and its PSS what smaps_rollup costs (9 ms for each resident GiB).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from memdash.errors import BadRead, TargetExited
from memdash.model.capability import Capability, Source
from memdash.model.family import Family, Member
from memdash.model.missing import Maybe, Missing
from memdash.model.sample import Reading
from memdash.model.target import Target
from memdash.probes.system.kinship import Seen, is_kin, role
from memdash.process.fields import bytes_of
from memdash.process.identity import executable
from memdash.process.stat import STAT_BYTES, parse_stat, resident_bytes
from memdash.process.tree import Parentage

__all__ = ["FamilyProbe", "Shares", "Survivors"]

_CADENCE_S = 4.0
_MEMBERS_AT_MOST = 1000
_ARGV_BYTES = 4096
_GENERATIONS_AT_MOST = 64

_FIRST_SHARES_S, _SHARES_S = 0.1, 0.01
"""CPU time for PSS in one read: more in the first, so that a single report has it."""

_OLD_S = 30.0
_ALONE = Missing("it is the only process of its tree", "see PSS")
_NOT_YET = Missing("not read yet: to be cheap, the members are read in turn")
_CLOSED = Missing(
    "the kernel shows the memory map of a process only to its owner", "run memdash as that user, or with sudo"
)
_ENDED = Missing("it has just ended")
_NONE = Missing("the kernel has no smaps_rollup for it")


class FamilyProbe:
    """One Family a read. Raises TargetExited once the target is no more the process that it was."""

    name = "system.family"
    capabilities = frozenset({Capability.FAMILY})
    cadence_s = _CADENCE_S

    def __init__(self, target: Target) -> None:
        self._target = target
        self._parentage = Parentage()
        self._shares = Shares()

    def read(self) -> Reading:
        """The tree as it stands now. Raises TargetExited, BadRead."""
        own = self._own()
        if own is None or own.stat.start_ticks != self._target.start_ticks:
            raise TargetExited(f"process {self._target.pid} has ended")
        members = _around(own, self._parentage)
        caveats = []
        if len(members) == _MEMBERS_AT_MOST:
            caveats.append(f"only the first {_MEMBERS_AT_MOST} members are counted")
        if len(members) > 1:
            members = self._shares.given_to(members)
            if (oldest_s := self._shares.oldest_s) > _OLD_S:
                caveats.append(f"PSS is read in turn, the oldest {oldest_s:.0f} s ago")
        return Reading(Source.PROC, (Family(members, own.pid),), tuple(caveats))

    def _own(self) -> Seen | None:
        """None once it has ended, and only then: that we have no descriptors left does not end a watch."""
        try:
            return _look_at(self._target.pid)
        except (FileNotFoundError, ProcessLookupError):
            return None
        except OSError as error:
            raise BadRead(f"its files in /proc cannot be read: {error.strerror}") from None

    def close(self) -> None:
        """It holds nothing open."""


class Survivors:
    """The tree of a target that has ended, around the first of those known of it that still runs; maybe nobody."""

    def __init__(self, target: Target, before: Family) -> None:
        self._target = target
        self._known = before.members
        self._parentage = Parentage()
        self._shares = Shares()

    def look(self) -> Family:
        """Those that run now. Who has come since the look before is known in the next."""
        own_pid = self._target.pid
        for member in self._known:
            seen = _seen(member.pid) if member.pid != own_pid else None
            if seen is not None and seen.stat.start_ticks == member.start_ticks:
                self._known = self._shares.given_to(_around(seen, self._parentage))
                has_its_pid = any(member.pid == own_pid for member in self._known)
                return Family(self._known, 0 if has_its_pid else own_pid)
        return Family((), own_pid)


class Shares:
    """The PSS of members, read in turn, as many at a time as the CPU time allows and at least one."""

    def __init__(
        self, cpu_s: Callable[[], float] = time.thread_time, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._cpu_s = cpu_s
        self._now_s = now_s
        self._read: dict[tuple[int, int], tuple[float, Maybe[int]]] = {}

    def given_to(self, members: Sequence[Member]) -> tuple[Member, ...]:
        """The members with what is known of their PSS; those longest unread are read now."""
        keys = {(member.pid, member.start_ticks) for member in members}
        until_s = self._cpu_s() + (_SHARES_S if self._read else _FIRST_SHARES_S)
        self._read = {key: held for key, held in self._read.items() if key in keys}
        for key in sorted(keys, key=lambda key: self._read[key][0] if key in self._read else 0.0):
            self._read[key] = (self._now_s(), _pss_bytes(key[0]))
            if self._cpu_s() > until_s:
                break
        unread = (0.0, _NOT_YET)
        return tuple(replace(m, pss_bytes=self._read.get((m.pid, m.start_ticks), unread)[1]) for m in members)

    @property
    def oldest_s(self) -> float:
        """How long ago the longest unread of those that are known was read."""
        return self._now_s() - min((at_s for at_s, _ in self._read.values()), default=self._now_s())


def _around(seen: Seen, parentage: Parentage) -> tuple[Member, ...]:
    """The tree that a process stands in; only what it started itself, where that is too large or just comes apart."""
    children = parentage.look()
    members = tuple(_members(_root_of(seen), children, seen.pid))
    if any(member.pid == seen.pid for member in members):
        return members
    return tuple(_members(seen, children, seen.pid))


def _root_of(own: Seen) -> Seen:
    """The first process of the same program, upwards from ``own``."""
    root = _with_exe(own)
    for _ in range(_GENERATIONS_AT_MOST):
        parent = _seen(root.stat.parent) if root.stat.parent not in (0, os.getpid()) else None
        if parent is None or not is_kin(root, parent := _with_exe(parent)):
            break
        root = parent
    return root


def _members(root: Seen, children: Mapping[int, Sequence[int]], own_pid: int) -> Iterator[Member]:
    """The root and all below, each before those it started, the oldest first; memdash and what it started left out."""
    waiting: list[tuple[Seen, Seen | None, int]] = [(root, None, 0)]
    skipped = {os.getpid()} - {own_pid}
    found = {root.pid}
    for _ in range(_MEMBERS_AT_MOST):
        if not waiting:
            return
        member, parent, depth = waiting.pop()
        yield _member(member, parent, depth)
        pids = [pid for pid in children.get(member.pid, ()) if pid not in found and pid not in skipped]
        born = [child for pid in pids[:_MEMBERS_AT_MOST] if (child := _seen(pid)) and child.stat.parent == member.pid]
        born.sort(key=lambda child: (child.stat.start_ticks, child.pid), reverse=True)
        found.update(child.pid for child in born)
        waiting += [(child, member, depth + 1) for child in born]


def _member(member: Seen, parent: Seen | None, depth: int) -> Member:
    return Member(
        pid=member.pid,
        start_ticks=member.stat.start_ticks,
        parent=member.stat.parent,
        depth=depth,
        name=member.stat.name,
        role=role(member, parent),
        state=member.stat.state_word,
        rss_bytes=_rss_bytes(member.pid),
        pss_bytes=_ALONE,
    )


def _seen(pid: int) -> Seen | None:
    """None for what has ended, has no memory of its own, or cannot be looked at."""
    try:
        return _look_at(pid)
    except (OSError, BadRead):
        return None


def _look_at(pid: int) -> Seen | None:
    """None for what has exited, or has no memory of its own. Raises OSError, BadRead."""
    stat = parse_stat(_read(pid, "stat", STAT_BYTES))
    argv = _read(pid, "cmdline", _ARGV_BYTES)
    if (stat.has_exited and stat.threads <= 1) or stat.is_kernel_thread:
        return None
    text = argv.rstrip(b"\0").decode(errors="backslashreplace")
    return Seen(pid, stat, tuple(text.split("\0")) if text else ())


def _with_exe(seen: Seen) -> Seen:
    path, exe_id = executable(seen.pid)
    return replace(seen, exe=path, exe_id=exe_id)


def _read(pid: int, name: str, size_bytes: int) -> bytes:
    with open(f"/proc/{pid}/{name}", "rb", buffering=0) as file:
        return file.read(size_bytes) or b""


def _rss_bytes(pid: int) -> Maybe[int]:
    try:
        return resident_bytes(pid)
    except OSError:
        return _ENDED


def _pss_bytes(pid: int) -> Maybe[int]:
    try:
        return bytes_of(_read(pid, "smaps_rollup", _ARGV_BYTES), b"Pss")
    except PermissionError:
        return _CLOSED
    except ProcessLookupError:
        return _ENDED
    except (OSError, LookupError, ValueError):
        return _NONE
