"""One watch after another: the next process of the name is found, once, and nothing is waited for that cannot come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from memdash.model.snapshot import Snapshot, State
from memdash.model.target import Target
from memdash.process.listing import Lookout
from memdash.session import Session
from memdash.session.following import Following
from tests.fakes import a_snapshot, a_target

FIRST, SECOND = a_target(), a_target(pid=5, start_ticks=999_999)


class Kept:
    """A session whose state is set from outside."""

    def __init__(self, target: Target) -> None:
        self.target, self.state, self.calls = target, State.LIVE, list[str]()

    def start(self) -> None:
        self.calls.append("start")

    def snapshot(self) -> Snapshot:
        return replace(a_snapshot(1), target=self.target, state=self.state)

    def close(self) -> None:
        self.calls.append("close")


class Machine:
    """Processes as they come, and the sessions that were opened over them."""

    def __init__(self, *seen: Target | None) -> None:
        self.seen = list(seen)
        self.looked = 0
        self.opened: list[Kept] = []

    def open(self, target: Target) -> Session:
        self.opened.append(Kept(target))
        return cast("Session", self.opened[-1])

    def look(self) -> Target | None:
        self.looked += 1
        return self.seen.pop(0) if self.seen else None

    def lookout(self) -> Callable[[str], Lookout]:
        return lambda _: cast("Lookout", self)


def following(machine: Machine, target: Target | None = FIRST, *, goes_on: bool = True) -> Following:
    made = Following("shop-server", machine.open, target, goes_on=goes_on, lookout=machine.lookout())
    made.start()
    return made


def pid(watch: Following) -> int | None:
    shown = watch.snapshot()
    return None if shown is None else shown.target.pid


def test_nobody_is_looked_for_while_it_lives() -> None:
    machine = Machine(SECOND)
    watch = following(machine)
    assert (watch.turn(), machine.looked, pid(watch)) == (False, 0, FIRST.pid)


def test_the_next_of_its_name_is_watched_after_its_end() -> None:
    machine = Machine(None, SECOND)
    watch = following(machine)
    machine.opened[0].state = State.ENDED
    assert [watch.turn(), watch.turn(), watch.turn()] == [False, True, False]
    assert pid(watch) == SECOND.pid
    assert [kept.calls for kept in machine.opened] == [["start", "close"], ["start"]]


def test_what_was_named_by_its_pid_has_no_successor() -> None:
    machine = Machine(SECOND)
    watch = following(machine, goes_on=False)
    machine.opened[0].state = State.ENDED
    assert (watch.turn(), machine.looked) == (False, 0)


def test_who_cannot_be_read_is_not_tried_again_as_long_as_it_is_the_same() -> None:
    machine = Machine(FIRST, None, SECOND)
    watch = following(machine)
    machine.opened[0].state = State.REFUSED
    assert [watch.turn(), watch.turn()] == [False, True]
    assert pid(watch) == SECOND.pid


def test_the_first_of_a_name_is_waited_for() -> None:
    machine = Machine(None, FIRST)
    watch = following(machine, None)
    assert (pid(watch), watch.turn(), pid(watch), watch.turn(), pid(watch)) == (None, False, None, True, FIRST.pid)


def test_it_ends_with_the_watch_that_goes_on() -> None:
    machine = Machine()
    watch = following(machine)
    watch.close()
    watch.close()
    assert machine.opened[0].calls == ["start", "close", "close"]
    following(machine, None).close()
