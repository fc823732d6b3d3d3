"""Which process is the real program when a command is only its wrapper: ``go run``, ``uv run``, a shell, make, npm.

Nothing here knows the wrappers by name but for those that are themselves written in Go: they would be taken for the
program. What counts as telling (a runtime that a probe reads) is said by the caller.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from memdash.errors import TargetError
from memdash.model.target import Target
from memdash.process.identity import identify
from memdash.process.tree import Parentage

__all__ = ["Branch", "Standing", "branch", "principal", "settle"]

_DRIVERS = frozenset({"go", "air", "gow", "wgo", "reflex"})
"""Go programs whose job is to build and start another one."""

_TOOLS = "/pkg/tool/"
"""Where a Go toolchain keeps its compiler and linker, which ``go run`` starts before the program."""

_FIRST_PAUSE_S = 0.03
_LONGEST_PAUSE_S = 0.3


@dataclass(frozen=True, slots=True)
class Branch:
    """A process and those it started that still run, oldest first."""

    target: Target
    children: tuple[Branch, ...] = ()

    def below(self) -> Iterator[Branch]:
        """All descendants, the nearest generation first."""
        generation: Sequence[Branch] = self.children
        while generation:
            yield from generation
            generation = [child for parent in generation for child in parent.children]


class Standing(Enum):
    """How sure a choice is."""

    CERTAIN = "it runs on something a probe reads"
    LIKELY = "nothing more telling has been started"
    NOT_YET = "its job is to start another program"


_RESTLESS_S = 6.0
"""A script whose children come and go is watched itself after so long."""

_ENOUGH_S = {Standing.CERTAIN: 0.0, Standing.LIKELY: 2.0, Standing.NOT_YET: math.inf}
"""How long a choice must hold: a script may set up things before it starts what it is about."""


def branch(pid: int, parentage: Parentage) -> Branch:
    """Look at ``pid`` and its descendants now. Raises what ``identify`` raises for ``pid`` itself."""
    return Branch(identify(pid), _children(pid, parentage.look()))


def _children(pid: int, by_parent: Mapping[int, Sequence[int]]) -> tuple[Branch, ...]:
    found = []
    for child in by_parent.get(pid, ()):
        try:
            found.append(Branch(identify(child), _children(child, by_parent)))
        except TargetError:
            continue
    return tuple(sorted(found, key=lambda started: (started.target.start_ticks, started.target.pid)))


def principal(root: Branch, telling: Callable[[Target], bool]) -> tuple[Target, Standing]:
    """Choose the process that the command was about.

    The root itself when it tells something and is no driver, so of a master and its workers the master; else the
    nearest descendant that does; else the last of the only children; a driver that has started nothing is no choice
    yet.
    """
    for each in (root, *root.below()):
        if not _is_driver(each.target) and not _is_tool(each.target) and telling(each.target):
            return each.target, Standing.CERTAIN
    last = root
    while len(children := [child for child in last.children if not _is_tool(child.target)]) == 1:
        last = children[0]
    return last.target, Standing.NOT_YET if _is_driver(last.target) else Standing.LIKELY


def _is_driver(target: Target) -> bool:
    return target.name in _DRIVERS


def _is_tool(target: Target) -> bool:
    return _TOOLS in target.exe


def settle(pid: int, telling: Callable[[Target], bool], pause: Callable[[float], object] = time.sleep) -> Target:
    """Wait until it is clear what ``pid``, just started, is about: the same choice twice, a likely one for 2 s.

    Waits for a driver as long as it runs: it may have to compile first. Raises TargetExited or NoSuchTarget once
    ``pid`` has ended.
    """
    held: tuple[int, tuple[int, int]] | None = None
    held_s, pause_s, restless_s = 0.0, _FIRST_PAUSE_S, 0.0
    parentage = Parentage()
    while True:
        root = branch(pid, parentage)
        choice, standing = principal(root, telling)
        restless_s = restless_s + pause_s if standing is Standing.LIKELY else 0.0
        if restless_s > _RESTLESS_S:
            return root.target
        if held != (choice.pid, choice.exe_id):
            held, held_s = (choice.pid, choice.exe_id), 0.0
        elif held_s >= _ENOUGH_S[standing]:
            return choice
        pause(pause_s)
        held_s, pause_s = held_s + pause_s, min(1.5 * pause_s, _LONGEST_PAUSE_S)
