"""A process tree: a master and its workers."""

from __future__ import annotations

from dataclasses import dataclass

from memdash.model.missing import Maybe, Missing

__all__ = ["Family", "Member"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One process of the tree. ``depth`` is 0 for the root; ``role`` is what its arguments say, untrusted text.

    ``start_ticks`` tells it from a later process with its pid, as in a Target; ``state`` is a word: ``sleeping``.
    """

    pid: int
    start_ticks: int
    parent: int
    depth: int
    name: str
    role: str
    state: str
    rss_bytes: Maybe[int]
    pss_bytes: Maybe[int]


@dataclass(frozen=True, slots=True)
class Family:
    """The tree that the target belongs to, in the order of a drawing: each member before those it started.

    ``own_pid`` is that of the target, which is no longer among the members once it has ended.
    """

    members: tuple[Member, ...]
    own_pid: int

    @property
    def is_tree(self) -> bool:
        """Whether there is anyone but the target."""
        return any(member.pid != self.own_pid for member in self.members)

    @property
    def place(self) -> int | None:
        """The index of the target among the members; None once it has ended."""
        return next((index for index, member in enumerate(self.members) if member.pid == self.own_pid), None)

    def beside(self, step: int) -> Member | None:
        """The member that comes ``step`` after the target, from the last on with the first; None when there is none.

        After a target that has ended comes the youngest member, which is likely what took its place; before it the
        root.
        """
        if not self.is_tree:
            return None
        if self.place is None:
            return max(self.members, key=lambda member: member.start_ticks) if step > 0 else self.members[0]
        return self.members[(self.place + step) % len(self.members)]

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
