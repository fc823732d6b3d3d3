"""What hooks are told of an alert, schema ``memdash-alert/1``: one line of JSON.

``target`` and ``finding`` are those of the document ``memdash/1``. ``event`` is ``opened``, ``worsened``, ``ended`` or
``happened``. ``text`` says it all in one line, under the name that chat servers read.
"""

from __future__ import annotations

import json

from memdash import __version__
from memdash.exports.json import Object, finding_row, nulled, target_row
from memdash.model.finding import Transition
from memdash.model.sample import Instant
from memdash.model.target import Target
from memdash.units import iso_time

__all__ = ["alert_document", "alert_line"]

_WORDS_AT_MOST, _LONGEST_WORD = 64, 4096
"""Of a target's command line, so that no hook is sent megabytes."""


def alert_document(target: Target, at: Instant, transition: Transition, text: str) -> Object:
    """What ``json.dumps`` takes. A target's environment is not in it."""
    row = nulled(target_row(target, at.wall_s))
    if target.is_local:
        row["argv"] = [word[:_LONGEST_WORD] for word in target.argv[:_WORDS_AT_MOST]]
    return {
        "schema": "memdash-alert/1",
        "version": __version__,
        "event": transition.kind.value,
        "at": iso_time(at.wall_s),
        "text": text,
        "target": row,
        "finding": finding_row(transition.finding),
    }


def alert_line(target: Target, at: Instant, transition: Transition, text: str) -> bytes:
    """The same as one line of ASCII."""
    return json.dumps(alert_document(target, at, transition, text), allow_nan=False).encode("ascii") + b"\n"
