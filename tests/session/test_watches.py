"""The watches over the members of a tree: opened once, kept, closed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from memdash.errors import AccessDenied, TargetExited
from memdash.model.action import Action
from memdash.model.family import Family, Member
from memdash.model.missing import Maybe, Missing
from memdash.model.snapshot import Snapshot, State
from memdash.model.target import Target
from memdash.session import Session, Watches
from tests.fakes import a_family, a_snapshot, a_target

FAMILY = a_family(8)
MASTER, *WORKERS = FAMILY.members


class Kept:
    """A session that only says whether it runs."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.started = 0
        self.closed = threading.Event()

    def start(self) -> None:
        self.started += 1

    def snapshot(self) -> Snapshot:
        return replace(a_snapshot(1), target=self.target)

    def subscribe(self, listener: Callable[[Snapshot], None]) -> Callable[[], None]:
        return lambda: None

    def mark_baseline(self) -> None:
        """Nobody asks."""

    def clear_baseline(self) -> None:
        """Nobody asks."""

    def act(self, action: Action) -> None:
        """Nobody asks."""

    def close(self) -> None:
        self.closed.set()


class Opened:
    """Watches over handmade members, and the sessions that were opened for them."""

    def __init__(self, looked: Callable[[Target, Family], Maybe[Family]] = lambda _target, family: family) -> None:
        self.sessions: list[Kept] = []
        self.now_s = 100.0
        self.watches = Watches(self._open, identified=self.identified, looked=looked, now_s=lambda: self.now_s)

    def _open(self, target: Target) -> Session:
        self.sessions.append(Kept(target))
        return self.sessions[-1]

    @staticmethod
    def identified(pid: int) -> Target:
        (member,) = (member for member in FAMILY.members if member.pid == pid)
        return a_target(pid=pid, start_ticks=member.start_ticks)


def test_the_first_is_not_started_and_a_member_is() -> None:
    opened = Opened()
    opened.watches.open(a_target())
    opened.watches.turn_to(WORKERS[0])
    assert [session.started for session in opened.sessions] == [0, 1]
    assert opened.sessions[1].target.pid == WORKERS[0].pid


def test_who_was_seen_before_is_the_same_watch() -> None:
    opened = Opened()
    first = opened.watches.open(a_target())
    worker = opened.watches.turn_to(WORKERS[0])
    assert opened.watches.turn_to(MASTER) is first
    assert opened.watches.turn_to(WORKERS[0]) is worker
    assert len(opened.sessions) == 2


def test_beyond_six_the_longest_unseen_is_closed() -> None:
    opened = Opened()
    opened.watches.open(a_target())
    for worker in WORKERS[:5]:
        opened.watches.turn_to(worker)
    opened.watches.turn_to(MASTER)
    assert not any(session.closed.is_set() for session in opened.sessions)
    opened.watches.turn_to(WORKERS[5])
    assert opened.sessions[1].closed.wait(10)
    assert [session.target.pid for session in opened.sessions if session.closed.is_set()] == [WORKERS[0].pid]
    opened.watches.turn_to(WORKERS[0])
    assert len(opened.sessions) == 8


def test_closing_closes_all() -> None:
    opened = Opened()
    opened.watches.open(a_target())
    opened.watches.turn_to(WORKERS[0])
    opened.watches.close()
    opened.watches.close()
    assert all(session.closed.is_set() for session in opened.sessions)


def test_who_has_gone_cannot_be_turned_to() -> None:
    def gone(pid: int) -> Target:
        raise TargetExited(f"process {pid} has ended")

    watches = Watches(Kept, identified=gone)
    with pytest.raises(TargetExited):
        watches.turn_to(WORKERS[0])


def test_a_pid_that_went_to_another_process_is_not_watched() -> None:
    opened = Opened()
    reused = replace(WORKERS[0], start_ticks=1)
    with pytest.raises(TargetExited, match="belongs to another one"):
        opened.watches.turn_to(reused)
    assert not opened.sessions


def test_what_cannot_be_opened_is_not_kept() -> None:
    refuse = [True]

    def opener(target: Target) -> Session:
        if refuse[0]:
            raise AccessDenied("its files are closed to us")
        return Kept(target)

    watches = Watches(opener, identified=Opened.identified)
    with pytest.raises(AccessDenied):
        watches.turn_to(WORKERS[0])
    refuse[0] = False
    assert watches.turn_to(WORKERS[0]).snapshot().target.pid == WORKERS[0].pid


# The tree


def shown(state: State = State.LIVE, family: Maybe[Family] = FAMILY) -> Snapshot:
    snapshot = a_snapshot(1)
    return replace(snapshot, state=state, sample=replace(snapshot.sample, family=family))


def test_of_a_live_target_the_tree_is_what_was_read_last() -> None:
    def never(_target: Target, _family: Family) -> Family:
        raise AssertionError("nobody needs to look")

    assert Opened(never).watches.family(shown()) is FAMILY


def test_of_a_target_that_ended_the_tree_is_looked_at_anew_now_and_then() -> None:
    looks: list[tuple[Member, ...]] = []

    def looked(target: Target, before: Family) -> Family:
        looks.append(before.members)
        return Family(before.members[1:], target.pid)

    opened = Opened(looked)
    for _ in range(3):
        family = opened.watches.family(shown(State.ENDED))
        assert isinstance(family, Family)
        assert family.place is None
    assert len(looks) == 1
    opened.now_s += 4.0
    opened.watches.family(shown(State.ENDED))
    assert len(looks) == 2
    other = replace(shown(State.ENDED), target=a_target(pid=99))
    opened.watches.family(other)
    assert len(looks) == 3


@pytest.mark.parametrize("family", [Missing("nothing reads it"), a_family(0)])
def test_without_a_tree_there_is_nothing_to_look_for(family: Maybe[Family]) -> None:
    assert Opened(lambda *_: pytest.fail("looked")).watches.family(shown(State.ENDED, family)) is family


def test_all_are_closed_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=10)

    class Slow(Kept):
        def close(self) -> None:
            both.wait()
            super().close()

    sessions = [Slow(a_target(pid=pid)) for pid in (1, 2)]
    waiting = iter(sessions)
    watches = Watches(lambda _: next(waiting))
    for session in sessions:
        watches.open(session.target)
    watches.close()
    assert all(session.closed.is_set() for session in sessions)
