"""The watches over the members of a tree: opened once, kept, closed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from memdash.errors import AccessDenied, TargetExited
from memdash.model.family import Family
from memdash.model.missing import Maybe, Missing
from memdash.model.snapshot import Snapshot, State
from memdash.model.target import Target
from memdash.session import Session, Watches
from memdash.session.succession import Succession
from tests.fakes import a_family, a_snapshot, a_target
from tests.sessions import FakeSession

FAMILY = a_family(8)
MASTER, *WORKERS = FAMILY.members


class Kept(FakeSession):
    """A session that only says whether it runs."""

    def __init__(self, target: Target) -> None:
        super().__init__(a_snapshot(1, target=target))
        self.target = target
        self.has_closed = threading.Event()

    def close(self) -> None:
        self.has_closed.set()


class Opened:
    """Watches over handmade members, and the sessions that were opened for them."""

    def __init__(self, survivors: Callable[[Target, Family], Callable[[], Maybe[Family]]] | None = None) -> None:
        self.sessions: list[Kept] = []
        survivors = survivors or (lambda _target, family: lambda: family)
        self.watches = Watches(self._open, identified=self.identified, survivors=survivors)

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
    assert not any(session.has_closed.is_set() for session in opened.sessions)
    opened.watches.turn_to(WORKERS[5])
    assert opened.sessions[1].has_closed.wait(10)
    assert [session.target.pid for session in opened.sessions if session.has_closed.is_set()] == [WORKERS[0].pid]
    opened.watches.turn_to(WORKERS[0])
    assert len(opened.sessions) == 8


def test_closing_closes_all() -> None:
    opened = Opened()
    opened.watches.open(a_target())
    opened.watches.turn_to(WORKERS[0])
    opened.watches.close()
    opened.watches.close()
    assert all(session.has_closed.is_set() for session in opened.sessions)


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


def never(_target: Target, _family: Family) -> Callable[[], Family]:
    raise AssertionError("nobody needs to look")


def test_of_a_live_target_the_tree_is_what_was_read_last() -> None:
    assert Opened(never).watches.family(shown()) is FAMILY


def test_who_asks_for_the_tree_of_a_target_that_ended_never_waits_for_a_look() -> None:
    may_look, looked = threading.Event(), threading.Event()
    targets: list[Target] = []

    def survivors(target: Target, before: Family) -> Callable[[], Family]:
        targets.append(target)

        def look() -> Family:
            assert may_look.wait(10)
            return Family(before.members[1:], target.pid)

        return look

    watches = Opened(survivors).watches
    ended = shown(State.ENDED)
    assert watches.family(ended) is FAMILY  # as it was read last, until the first look is done
    may_look.set()
    while isinstance(family := watches.family(ended), Family) and family.place is not None:
        looked.wait(0.001)
    assert len(targets) == 1
    watches.family(replace(ended, target=a_target(pid=99)))
    assert [target.pid for target in targets] == [ended.target.pid, 99]
    watches.close()


@pytest.mark.parametrize("family", [Missing("nothing reads it"), a_family(0)])
def test_without_a_tree_there_is_nothing_to_look_for(family: Maybe[Family]) -> None:
    assert Opened(never).watches.family(shown(State.ENDED, family)) is family


def test_a_succession_is_looked_at_until_it_is_closed() -> None:
    threads: list[threading.Thread] = []
    enough = threading.Event()

    def look() -> Maybe[Family]:
        threads.append(threading.current_thread())
        if len(threads) == 1:
            raise ValueError("a defect of ours")
        enough.set()
        return FAMILY

    succession = Succession(FAMILY, look, every_s=0.001)
    assert enough.wait(10)
    succession.close()
    threads[0].join(10)
    assert set(threads) == {threads[0]} != {threading.current_thread()}
    assert not threads[0].is_alive()
    assert succession.newest is FAMILY


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
    assert all(session.has_closed.is_set() for session in sessions)
