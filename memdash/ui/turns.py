"""Keys take their turns: none is looked at before all that the one before it does is done."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from textual import events, on
from textual.app import App, ReturnType
from textual.message import Message

__all__ = ["Turns"]

_ROUNDS = 3
"""Enter in a line goes to it as a key, from there as an action, and from that as a message to its screen."""
_PATIENCE_S = 1.0
"""A round is lost with the widget that it went to; a view may take nearly as long to open."""
_AT_ONCE = ("ctrl+c", "ctrl+q")
"""Out of memdash, whatever it is busy with."""


@dataclass
class _Round(Message):
    """Follows a key from the widget in use up to the app: once it is back, what the key led to has been there too."""

    number: int


class Turns(App[ReturnType]):
    """Hands one key or paste at a time to the screen.

    Textual 8.2 hands on all that came in one write at once, each to what has the focus just then, and only afterwards
    looks whether a key is bound: text that followed a slash was taken for commands, what followed the opening of a
    dialog was lost, and ctrl+u removed what was typed after it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[events.Event] = deque()
        self._number = 0
        self._left = 0
        self._deadline: asyncio.TimerHandle | None = None

    async def on_event(self, event: events.Event) -> None:
        """Take what is typed in turn, all else at once."""
        is_typed = isinstance(event, events.Key | events.Paste) and not event.is_forwarded
        if is_typed and not (isinstance(event, events.Key) and event.key in _AT_ONCE):
            self._waiting.append(event)
            if not self._left:
                await self._take_next()
        else:
            await super().on_event(event)

    async def _take_next(self) -> None:
        if self._waiting:
            self._left = _ROUNDS
            await super().on_event(self._waiting.popleft())
            self._send_round()

    def _send_round(self) -> None:
        self._number += 1
        sent = _Round(self._number)
        self._deadline = asyncio.get_running_loop().call_later(_PATIENCE_S, self.post_message, sent)
        if not (self.focused or self.screen).post_message(sent):
            self.post_message(sent)

    @on(_Round)
    async def _come_round(self, sent: _Round) -> None:
        """One is back, or will not come back."""
        if sent.number != self._number or self._deadline is None:
            return
        self._deadline.cancel()
        self._deadline, self._left = None, self._left - 1
        if self._left:
            self._send_round()
        else:
            await self._take_next()
