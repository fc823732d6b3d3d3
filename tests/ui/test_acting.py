"""Nothing is done to a target without a question, and the answer that is one key away is no."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.widgets import Button
from textual.widgets._toast import ToastRack

from memdash.model.action import Action
from memdash.model.missing import Missing
from memdash.model.snapshot import State
from memdash.model.target import Ending, Runtime
from memdash.session import Watches
from memdash.ui.app import MemdashApp, Options
from memdash.ui.screens.dashboard import Dashboard
from tests.fakes import NOON_S, a_target
from tests.sessions import FakeSession
from tests.ui.conftest import Show, Shown, a_watch

OFFERS = {
    Action.FORCE_GC: "Runs gc.collect() in the target; its threads wait meanwhile.",
    Action.TRIM: Missing("the agent is not loaded", "press a"),
}


async def test_a_confirmed_action_is_passed_on(show: Show) -> None:
    async with show(a_watch(actions=OFFERS)) as shown:
        await shown.press("ctrl+g")
        assert "Runs gc.collect() in the target" in shown.text
        assert isinstance(shown.app.focused, Button)
        assert shown.app.focused.id == "cancel"
        await shown.press("right", "enter")
        assert shown.session.asked == [Action.FORCE_GC]
        assert "gc.collect" not in shown.text


@pytest.mark.parametrize("answer", ["enter", "escape", "q"])
async def test_anything_else_means_no(show: Show, answer: str) -> None:
    async with show(a_watch(actions=OFFERS)) as shown:
        await shown.press("ctrl+g", answer)
        assert shown.session.asked == []
        assert shown.app.is_running
        assert "gc.collect" not in shown.text


def told(shown: Shown) -> str:
    """The newest notification."""
    return str([*shown.app._notifications][-1].message)


async def test_what_cannot_be_done_says_why_and_what_helps(show: Show) -> None:
    async with show(a_watch(actions=OFFERS)) as shown:
        await shown.press("ctrl+t")
        assert "The agent is not loaded. Press a" in told(shown)
        await shown.press("A")
        assert "The agent is for CPython. Of a Go program all is read without it" in told(shown)
        assert shown.session.asked == []


@pytest.mark.parametrize(
    ("runtime", "key", "words"),
    [
        (Runtime.GO, "P", "Go samples its allocations by itself. Its heap profile is shown without"),
        (Runtime.GO, "ctrl+t", "Go gives memory back by itself"),
        (Runtime.CPYTHON, "L", "Only a Go program can search"),
        (Runtime.NATIVE, "P", "Sampling is for CPython"),
        (Runtime.NATIVE, "ctrl+t", "Nothing in this process can do that. memdash doctor PID says how"),
    ],
)
async def test_what_is_for_another_runtime_says_so_and_what_there_is(
    show: Show, runtime: Runtime, key: str, words: str
) -> None:
    async with show(replace(a_watch(), target=a_target(runtime=runtime))) as shown:
        await shown.press(key)
        assert words in told(shown)
        assert shown.session.asked == []


async def test_what_is_said_already_is_not_said_once_more_beside_it(show: Show) -> None:
    async with show() as shown:
        for key in ("ctrl+t", "ctrl+t", "ctrl+t", "P"):
            await shown.pilot.press(key)
            await shown.pilot.pause()
        assert [told.title for told in shown.app._notifications] == [Action.TRIM.value, Action.SAMPLE.value]


async def test_where_the_agent_can_be_loaded_its_key_is_told(show: Show) -> None:
    missing = Missing("only the agent can do that", "memdash --agent PID loads it")
    offers = {Action.FORCE_GC: missing, Action.LOAD_AGENT: "Runs memdash's agent in the target"}
    async with show(a_watch(actions=offers)) as shown:
        await shown.press("ctrl+g")
        assert told(shown).endswith("memdash --agent PID loads it. Press A to load it")


async def test_nothing_is_done_to_a_target_that_has_ended(show: Show) -> None:
    async with show(a_watch(actions=OFFERS, state=State.ENDED)) as shown:
        await shown.press("ctrl+g")
        assert "The target is not live" in told(shown)


async def test_a_target_that_ended_while_it_was_asked_is_told_of(show: Show) -> None:
    async with show(a_watch(actions=OFFERS)) as shown:
        await shown.press("ctrl+g")
        await shown.publish(a_watch(actions=OFFERS, state=State.ENDED, ending=Ending(at_s=NOON_S, signal_number=9)))
        await shown.press("right", "enter")
        assert told(shown) == "not done, the target has ended: killed by SIGKILL"
        assert shown.session.asked == []


async def test_what_is_under_way_is_not_asked_for_again(show: Show) -> None:
    async with show(a_watch(actions=OFFERS)) as shown:
        shown.session.doing = {Action.FORCE_GC}
        await shown.press("ctrl+g")
        assert told(shown) == "One is under way already. The alert log says what comes of it"
        assert "gc.collect" not in shown.text
        shown.session.doing.clear()
        await shown.press("ctrl+g")
        shown.session.doing = {Action.FORCE_GC}
        await shown.press("right", "enter")
        assert shown.session.asked == []
        assert told(shown).startswith("One is under way already")


async def test_the_question_names_what_will_be_done_and_to_whom(show: Show) -> None:
    begin, end = "Loads memdash's sampler into the target", "Gives the target its own allocators back"
    offers = {Action.SAMPLE: begin, Action.UNSAMPLE: Missing("its allocations are not sampled")}
    async with show(a_watch(actions=offers)) as shown:
        await shown.press("P")
        assert "Sample the allocations of pid 41287?" in shown.text
        assert begin in shown.text
        await shown.press("escape")
        sampled = {Action.SAMPLE: Missing("they are sampled already"), Action.UNSAMPLE: end}
        await shown.publish(a_watch(actions=sampled))
        await shown.press("P")
        assert "End the sampling of pid 41287?" in shown.text
        await shown.press("right", "enter")
        assert shown.session.asked == [Action.UNSAMPLE]


async def test_only_what_is_offered_has_a_key_in_the_footer(show: Show) -> None:
    async with show(a_watch()) as shown:
        assert "force GC" not in shown.lines[-1]
        await shown.publish(a_watch(actions=OFFERS))
        assert "ctrl+g force GC" in shown.lines[-1]


async def test_what_is_told_in_passing_does_not_lie_over_the_alert_log() -> None:
    session = FakeSession(a_watch())
    app = MemdashApp(lambda: Dashboard(session, Watches(lambda _: session)), Options())
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        app.notify("under way")
        await pilot.pause()
        assert app.screen.query_one(ToastRack).styles.dock == "top"
