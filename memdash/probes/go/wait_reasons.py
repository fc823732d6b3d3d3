"""What a goroutine does, in Go's words: ``chan receive``, ``select``, ``IO wait``, ``running``.

Source: runtime/runtime2.go (waitReasonStrings), runtime/traceback.go (gStatusStrings, goroutineheader).
"""

from __future__ import annotations

import re
import struct

from memdash.errors import BadRead
from memdash.probes.go.program import Program

__all__ = ["States"]

_LONGEST_TEXT = 64
_STATUSES = {
    "_Grunnable": "runnable",
    "_Grunning": "running",
    "_Gsyscall": "syscall",
    "_Gwaiting": "waiting",
    "_Gcopystack": "copystack",
    "_Gpreempted": "preempted",
    "_Gleaked": "waiting",
}


class States:
    """The words for every status and wait reason of one program."""

    def __init__(self, program: Program) -> None:
        """Raises what reading memory raises, but for a table of texts that makes no sense."""
        constants = program.layout.constants
        self._statuses = {constants[name]: text for name, text in _STATUSES.items() if name in constants}
        self._leaked = constants.get("_Gleaked")
        self._reasons = _texts(program) or tuple(map(_spelt, program.layout.wait_reasons))

    def words(self, status: int, reason: int) -> str:
        """As in the first line of a goroutine in a traceback; what is unknown has its number."""
        text = self._statuses.get(status, f"status {status}")
        if not reason:
            return text
        return self._reasons[reason] if reason < len(self._reasons) else f"wait reason {reason}"

    def is_leaked(self, status: int) -> bool:
        """Whether the runtime has found that nothing can ever wake it."""
        return status == self._leaked


def _texts(program: Program) -> tuple[str, ...]:
    """The program's own words: a patch release may have added some. Empty when they cannot be read."""
    names = program.layout.wait_reasons
    if "waitReasonStrings" not in program.addresses:
        return ()
    try:
        headers = program.memory.read(program.addresses["waitReasonStrings"], 16 * len(names))
        texts = [
            program.memory.read(address, size).decode() if 0 < size <= _LONGEST_TEXT else ""
            for address, size in struct.iter_unpack("<QQ", headers)
        ]
    except (BadRead, UnicodeDecodeError):
        return ()
    return tuple(texts) if all(text.isprintable() and text for text in texts[1:]) else ()


def _spelt(name: str) -> str:
    """A constant's name as words: ``chan receive`` for ChanReceive, ``IO wait`` for IOWait."""
    words = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z][a-z]+|[A-Z]+", name)
    return " ".join(word if word.isupper() else word.lower() for word in words)
