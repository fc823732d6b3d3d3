"""The local processes: all of them, those of a name, and one that has yet to start."""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from memdash.errors import BadRead, TargetError
from memdash.model.target import Target
from memdash.process.identity import identify
from memdash.process.stat import parse_stat, resident_bytes
from memdash.process.tree import pids

__all__ = ["Candidate", "Lookout", "matching", "processes", "user_name", "wait_for"]

_LOOK_EVERY_S = 0.3


@dataclass(frozen=True, slots=True)
class Candidate:
    """A process that could be watched, its resident set, and the pid of its parent (0: there is none to be seen)."""

    target: Target
    rss_bytes: int
    parent: int


def processes() -> tuple[Candidate, ...]:
    """Every process with memory of its own that /proc shows, largest first; costs 0.15 ms each.

    What ends while the list is made, kernel threads and zombies are left out.
    """
    found = []
    for pid in pids():
        try:
            target, stat = identify(pid), parse_stat(Path(f"/proc/{pid}/stat").read_bytes())
            found.append(Candidate(target, resident_bytes(pid), stat.parent))
        except (TargetError, BadRead, OSError):
            continue
    return tuple(sorted(found, key=lambda candidate: (-candidate.rss_bytes, candidate.target.pid)))


def matching(pattern: str) -> tuple[Target, ...]:
    """The processes meant by ``pattern``: those of exactly that name, else with it in the name, else in an argument.

    The caller decides what to make of several. memdash itself is never meant, nor is a shell or sudo that has the
    pattern among its arguments only because it started memdash.
    """
    targets = [candidate.target for candidate in processes() if candidate.target.pid != os.getpid()]
    ours = set(_ancestors(os.getpid()))
    return (
        tuple(target for target in targets if pattern in _names(target))
        or tuple(target for target in targets if any(pattern in name for name in _names(target)))
        or tuple(t for t in targets if t.pid not in ours and any(pattern in word for word in t.argv))
    )


class Lookout:
    """Looks out for a process of exactly this name, time and again.

    A process is looked at when it is new and whenever the kernel's name for it changes, as it does by exec.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._seen: dict[int, bytes] = {}

    def look(self) -> Target | None:
        """The newest of those that have come since it looked before; at first, of all that run."""
        now = {pid: comm for pid in sorted(pids()) if (comm := _comm(pid))}
        changed = [pid for pid, comm in now.items() if self._seen.get(pid) != comm and pid != os.getpid()]
        self._seen = now
        hits = [target for pid in changed if (target := _identified(pid)) and self._name in _names(target)]
        return max(hits, key=lambda target: target.start_ticks, default=None)


def wait_for(name: str, pause: Callable[[float], object] = time.sleep) -> Target:
    """The process of exactly that name: the newest that runs, or else the first to start. May wait for ever."""
    lookout = Lookout(name)
    while (found := lookout.look()) is None:
        pause(_LOOK_EVERY_S)
    return found


@lru_cache(maxsize=256)
def user_name(uid: int) -> str:
    """The login name, or the number of a user that this machine (or container) does not know."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _names(target: Target) -> set[str]:
    """By what a person calls it: the kernel's name, the file that runs, and what it was started as."""
    program = target.argv[0] if target.argv else ""
    return {target.name, Path(target.exe).name, Path(program).name} - {""}


def _identified(pid: int) -> Target | None:
    try:
        return identify(pid)
    except TargetError:
        return None


def _comm(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/comm").read_bytes()
    except OSError:
        return b""


def _ancestors(pid: int) -> Iterator[int]:
    """``pid`` and those above it, up to the first that /proc does not show."""
    while pid > 0:
        yield pid
        try:
            pid = parse_stat(Path(f"/proc/{pid}/stat").read_bytes()).parent
        except OSError:
            return
