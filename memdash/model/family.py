"""A process tree: a master and its workers."""

from __future__ import annotations

from dataclasses import dataclass

from memdash.model.missing import Maybe, Missing

__all__ = ["Family", "Member"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One process of the tree. ``depth`` is 0 for the root; ``role`` is what its arguments say, untrusted text."""

    pid: int
    parent: int
    depth: int
    name: str
    role: str
    rss_bytes: Maybe[int]
    pss_bytes: Maybe[int]


@dataclass(frozen=True, slots=True)
class Family:
    """The tree that the target belongs to, in the order of a drawing: each member before those it started."""

    members: tuple[Member, ...]
    own_pid: int

    @property
    def rss_bytes(self) -> Maybe[int]:
        """The members' RSS added up; pages that they share count once for each."""
        return _sum(tuple(member.rss_bytes for member in self.members))

    @property
    def pss_bytes(self) -> Maybe[int]:
        """The members' PSS added up: what the tree really takes."""
        return _sum(tuple(member.pss_bytes for member in self.members))


def _sum(parts: tuple[Maybe[int], ...]) -> Maybe[int]:
    total = 0
    for part in parts:
        if isinstance(part, Missing):
            return part
        total += part
    return total
