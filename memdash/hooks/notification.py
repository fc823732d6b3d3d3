"""What a terminal is sent so that it rings, or tells its desktop.

Of the two sequences for the desktop one is sent, since some terminals know both and would tell twice. OSC 777 came with
rxvt-unicode, OSC 9 with iTerm2; what knows neither ignores them. A multiplexer passes on what is wrapped for it, tmux
only with ``set -g allow-passthrough on``.
"""

from __future__ import annotations

from collections.abc import Mapping

from memdash.plain import plain

__all__ = ["BELL", "notification"]

BELL = "\a"

_LONGEST = 200
_OF_777 = ("ghostty", "wezterm", "foot", "rxvt", "konsole", "contour")


def notification(words: str, environment: Mapping[str, str]) -> str:
    """The sequence that has the terminal described by ``environment`` show these words on the desktop."""
    shown = plain(words)[:_LONGEST].replace(";", ",")  # which separates the parts of a sequence
    called = " ".join(environment.get(name, "") for name in ("TERM", "TERM_PROGRAM", "LC_TERMINAL")).lower()
    if "VTE_VERSION" in environment or any(name in called for name in _OF_777):
        sequence = f"\x1b]777;notify;memdash;{shown}\x1b\\"
    else:
        sequence = f"\x1b]9;{shown}\x1b\\"
    if environment.get("TMUX"):
        return f"\x1bPtmux;{sequence.replace(chr(27), chr(27) * 2)}\x1b\\"
    return sequence
