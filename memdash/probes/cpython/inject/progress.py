"""How far an injection has come, as the process that does it tells the one that wants it: one line of JSON each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum

__all__ = ["Progress", "Stage"]


class Stage(Enum):
    """RAN: the script has been run, and nothing of it is left to run. REFUSED: it will never be."""

    RUNNING = "running"
    WAITING = "waiting"
    RAN = "ran"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Progress:
    """``words`` say it in one clause, such as ``waiting for it to wake, blocked in accept``; ``hint`` what helps."""

    stage: Stage
    words: str
    hint: str = ""

    def line(self) -> bytes:
        """With its line feed."""
        return json.dumps([self.stage.value, self.words, self.hint]).encode() + b"\n"

    @classmethod
    def of(cls, line: bytes) -> Progress:
        """From such a line. Raises ValueError."""
        try:
            stage, words, hint = json.loads(line)
        except (TypeError, RecursionError) as error:
            raise ValueError("it is no list of three") from error
        return cls(Stage(stage), str(words), str(hint))
