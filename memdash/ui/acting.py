"""From a key to something done to the target: offered, asked, confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from memdash.model.action import Action, nobody_does
from memdash.model.missing import Maybe, Missing
from memdash.model.snapshot import Snapshot, State
from memdash.ui.commands import COMMANDS

if TYPE_CHECKING:
    from memdash.session import Session

__all__ = ["ask_to_act", "how_to_sample"]

_UNDER_WAY = Missing("one is under way already", "the alert log says what comes of it")


def ask_to_act(screen: Screen[Any], session: Session, shown: Snapshot, *actions: Action) -> None:
    """Ask whether the first of these that can be done shall be, and pass it on; or say why the first cannot.

    The alert log tells what came of it.
    """
    action = next((one for one in actions if not isinstance(_offer(shown, one), Missing)), actions[0])
    offer = _offer(shown, action)
    if shown.state is not State.LIVE:
        offer = Missing("the target is not live")
    elif not isinstance(offer, Missing) and session.is_doing(action):
        offer = _UNDER_WAY
    if isinstance(offer, Missing):
        words = ". ".join(filter(None, (offer.words, _what_helps(shown, action))))
        screen.notify(words, title=action.value, severity="warning", markup=False)
        return
    from memdash.ui.screens.confirm import Confirm

    def answered(wanted: bool | None) -> None:
        if not wanted:
            return
        newest = session.snapshot()
        if newest.state is not State.LIVE:
            ended = f"has ended: {newest.ending.words}" if newest.ending else "is not live any more"
            screen.notify(f"not done, the target {ended}", title=action.value, severity="warning", markup=False)
            return
        if session.is_doing(action):  # memdash may have begun it by itself while a person was asked
            screen.notify(_UNDER_WAY.words, title=action.value, severity="warning", markup=False)
            return
        session.act(action)
        screen.notify("under way; the alert log says what comes of it", title=action.value, timeout=3)

    word = action.value[0].upper() + action.value[1:]
    screen.app.push_screen(Confirm(action.question(shown.target.place), offer, word), answered)


def _offer(shown: Snapshot, action: Action) -> Maybe[str]:
    return shown.actions.get(action, nobody_does(action, shown.target.runtime))


def _what_helps(shown: Snapshot, action: Action) -> str:
    """The key that loads the agent, where that is what is missing and can be done; probes know of no keys."""
    loading = _offer(shown, Action.LOAD_AGENT)
    if action is Action.LOAD_AGENT or shown.state is not State.LIVE or isinstance(loading, Missing):
        return ""
    return f"Press {_key(Action.LOAD_AGENT)} to load it"


def how_to_sample(shown: Snapshot) -> str:
    """Which keys bring allocation sites where there are none; empty when it takes more than keys."""
    if shown.state is not State.LIVE:
        return ""
    if not isinstance(_offer(shown, Action.SAMPLE), Missing):
        return f"{_key(Action.SAMPLE)} samples its allocations: then the lines that hold its memory are shown here"
    if Action.SAMPLE in shown.actions and not isinstance(_offer(shown, Action.LOAD_AGENT), Missing):
        return f"{_key(Action.LOAD_AGENT)} loads memdash's agent, {_key(Action.SAMPLE)} then samples its allocations"
    return ""


def _key(action: Action) -> str:
    return next(command.shown for command in COMMANDS if command.needs is action)
