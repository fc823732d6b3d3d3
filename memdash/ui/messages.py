"""What is sent to the screen from outside of it."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from memdash.model.snapshot import Snapshot

__all__ = ["Rung", "Sampled"]


@dataclass
class Sampled(Message):
    """A new moment. A slow screen sees only the newest: what it missed is in the snapshot's history."""

    snapshot: Snapshot

    def can_replace(self, message: Message) -> bool:
        """Stand in for an older one still waiting."""
        return isinstance(message, Sampled)


@dataclass
class Rung(Message, bubble=False):
    """The terminal is to be sent a sequence that draws nothing: its bell."""

    sequence: str
