"""What hooks are told: bounded, plain, without what nobody knows."""

from __future__ import annotations

import json

from memdash.exports.alert import alert_line
from memdash.model.finding import Finding, Severity, Transition, TransitionKind
from memdash.model.sample import Instant
from memdash.model.target import Target
from tests.fakes import NOON_S, a_target

NOW = Instant(NOON_S, 10_000.0)
OPENED = Transition(
    TransitionKind.OPENED,
    Finding(rule="heap", severity=Severity.CRITICAL, at_s=NOON_S, summary="é\u202e", evidence={"value": float("nan")}),
)


def test_a_command_line_of_megabytes_is_cut() -> None:
    line = alert_line(a_target(argv=("x" * (1 << 20),) * 1000), NOW, OPENED, "words")
    assert len(line) < 300_000
    assert line.isascii()
    assert line.count(b"\n") == 1


def test_what_is_not_known_is_null() -> None:
    told = json.loads(alert_line(Target.at_url("http://h:6060", "h:6060"), NOW, OPENED, "words"))
    assert (told["target"]["pid"], told["target"]["argv"], told["target"]["url"]) == (None, None, "http://h:6060")
    assert told["finding"]["evidence"] == {"value": None}
    assert told["finding"]["severity"] == "critical"
    assert (told["finding"]["measured"], told["finding"]["worst"]) == (None, None)
    assert told["text"] == "words"
