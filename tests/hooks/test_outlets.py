"""What hooks hear of, and that one which is slow or broken is nobody else's trouble."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest

from memdash.errors import HookError
from memdash.hooks.alert import CAUSE, Alert
from memdash.hooks.hooks import Hooks
from memdash.hooks.wanted import Wanted
from memdash.model.finding import Severity, TransitionKind
from tests.hooks.conftest import FakeWatch, transition
from tests.waiting import until

PATIENCE_S = 10.0
KINDS = TransitionKind


@dataclass
class FakeHook:
    """Keeps the rules it was told of; waits for ``gate`` and raises ``failure`` if there is one."""

    name: str = "hook fake"
    heard: list[str] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    failure: Exception | None = None

    def __post_init__(self) -> None:
        self.gate.set()

    def tell(self, alert: Alert) -> None:
        self.begun.set()
        self.gate.wait(PATIENCE_S)
        self.heard.append(alert.transition.finding.rule)
        if self.failure is not None:
            raise self.failure

    def cancel(self) -> None:
        self.gate.set()


def following(watch: FakeWatch, *hooks: FakeHook, wanted: Wanted | None = None) -> Hooks:
    made = Hooks([(hook, wanted or Wanted()) for hook in hooks])
    made.follow(watch)
    return made


def test_alerts_come_in_order(watch: FakeWatch) -> None:
    hook = FakeHook()
    hooks = following(watch, hook)
    watch.fire(transition("a"), transition("b"))
    watch.fire(transition("c"))
    assert hooks.finish(PATIENCE_S) == ()
    assert hook.heard == ["a", "b", "c"]
    hooks.close()


def test_a_hook_that_hangs_holds_up_nobody(watch: FakeWatch) -> None:
    stuck, well = FakeHook("stuck"), FakeHook("well")
    stuck.gate.clear()
    hooks = following(watch, stuck, well)
    watch.fire(transition("a"))
    assert hooks.finish(0.2) == ("stuck",)
    assert well.heard == ["a"]
    hooks.close()
    assert stuck.heard == ["a"]


def test_a_failure_is_told_once_until_it_works_again(watch: FakeWatch) -> None:
    hook = FakeHook(failure=HookError("no route"))
    hooks = following(watch, hook)

    def tell(rule: str) -> None:
        watch.fire(transition(rule))
        until(lambda: not hooks.outlets[0].waiting, "its turn")

    tell("a")
    tell("b")
    hook.failure = None
    tell("c")
    hook.failure = ZeroDivisionError("a defect")
    tell("d")
    hooks.close()
    assert watch.notes == [
        "hook fake failed: no route",
        "hook fake failed: a defect of memdash: ZeroDivisionError: a defect",
    ]
    assert watch.evidence == [{CAUSE: "hook fake"}] * 2


def test_a_thousand_alerts_drop_the_oldest_and_say_how_many(watch: FakeWatch) -> None:
    hook = FakeHook()
    hook.gate.clear()
    hooks = following(watch, hook)
    watch.fire(transition("first"))
    hook.begun.wait(PATIENCE_S)
    watch.fire(*(transition(str(number)) for number in range(1000)))
    hook.gate.set()
    assert hooks.finish(PATIENCE_S) == ()
    assert hook.heard == ["first", *map(str, range(936, 1000))]
    assert watch.notes == [
        "hook fake is too slow, and is not told of all alerts",
        "hook fake was too slow, and was not told of 936 alerts",
    ]
    hooks.close()


def test_no_hook_is_told_that_one_has_failed(watch: FakeWatch) -> None:
    hook = FakeHook()
    hooks = following(watch, hook)
    watch.fire(transition("memdash", kind=KINDS.HAPPENED, evidence={CAUSE: "hook page"}), transition("a"))
    hooks.finish(PATIENCE_S)
    assert hook.heard == ["a"]
    hooks.close()


def test_after_the_end_nothing_is_taken(watch: FakeWatch) -> None:
    hook = FakeHook()
    hooks = following(watch, hook)
    hooks.close()
    watch.fire(transition("late"))
    hooks.close()
    assert hook.heard == []


CRITICAL = Severity.CRITICAL


@pytest.mark.parametrize(
    ("wanted", "heard"),
    [
        (Wanted(), ["a opened", "b opened", "a worsened", "memdash happened"]),
        (Wanted(ends=True), ["a opened", "b opened", "a worsened", "memdash happened", "a ended", "b ended"]),
        (Wanted(CRITICAL), ["a worsened"]),
        (Wanted(CRITICAL, ends=True), ["a worsened", "a ended"]),
        (Wanted(rules=frozenset({"b"}), ends=True), ["b opened", "b ended"]),
    ],
)
def test_each_hears_what_it_wants(wanted: Wanted, heard: list[str]) -> None:
    course = [
        transition("a"),
        transition("b"),
        transition("a", CRITICAL, KINDS.WORSENED),
        transition("memdash", kind=KINDS.HAPPENED),
        transition("a", kind=KINDS.ENDED),
        transition("b", kind=KINDS.ENDED),
        transition("never told", kind=KINDS.ENDED),
    ]
    taken = [each for each in course if wanted.takes(1, each)]
    assert [f"{each.finding.rule} {each.kind.value}" for each in taken] == heard


def test_alerts_of_two_processes_are_told_apart() -> None:
    wanted = Wanted(ends=True)
    assert wanted.takes(1, transition("a"))
    assert not wanted.takes(2, transition("a", kind=KINDS.ENDED))
    assert wanted.takes(1, transition("a", kind=KINDS.ENDED))
