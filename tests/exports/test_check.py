"""A check as text, JSON, JUnit and annotations."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from memdash.exports.check.github import annotation_lines
from memdash.exports.check.json import line
from memdash.exports.check.junit import junit
from memdash.exports.check.text import headline, lines
from memdash.model.check import Checked, Command, Judgement, Outcome
from memdash.model.finding import NOTES, Figure, Finding, Severity
from memdash.model.sample import Instant
from memdash.model.target import Ending
from memdash.units import MIB, Unit
from tests.fakes import NOON_S, a_snapshot

BROKEN = Judgement(
    name="growth at most 64MiB",
    outcome=Outcome.FAILED,
    why="live heap was 20.0 MiB and is 111.2 MiB 58 s later",
    required=True,
    value=Figure(91.2 * MIB, Unit.BYTES, signed=True),
    limit=Figure(64 * MIB, Unit.BYTES),
    evidence=("+88.0 MiB cart.(*Store).Add cart/store.go:118, 188.2 MiB now",),
)
UNJUDGED = Judgement(name="no leak", outcome=Outcome.UNKNOWN, why="too early", required=False)
UNREAD = Judgement(name="fds at most 9", outcome=Outcome.UNKNOWN, why="open files is not known", required=True)
KEPT = Judgement(
    name="HeapAlloc at most 512MiB",
    outcome=Outcome.PASSED,
    why="highest at 12:07:40",
    required=True,
    value=Figure(212 * MIB, Unit.BYTES),
    limit=Figure(512 * MIB, Unit.BYTES),
)


@pytest.fixture(scope="module")
def checked() -> Checked:
    return Checked(
        judgements=(BROKEN, UNREAD, UNJUDGED, KEPT),
        shown=a_snapshot(3),
        since=Instant(NOON_S - 60, 9940.0),
        samples=61,
        warm_up_s=10.0,
        strict=False,
    )


def test_what_was_done_meanwhile_is_told(checked: Checked) -> None:
    deed = Finding(
        rule=NOTES,
        severity=Severity.OK,
        at_s=NOON_S,
        summary="force GC: in 59 ms · freed 112.2 MiB",
        evidence={"action": "force GC", "freed_bytes": 112.2 * MIB},
    )
    done = replace(checked, deeds=(deed,))
    assert list(lines(done))[2].endswith(" force GC: in 59 ms · freed 112.2 MiB")
    (told,) = json.loads(line(done))["deeds"]
    assert told["figures"]["freed_bytes"] == 112.2 * MIB


def test_as_text_each_budget_is_a_line_and_what_grew_stands_below_it(checked: Checked) -> None:
    assert list(lines(checked)) == [
        "FAILED: shop-server (pid 41287) breaks 1 of 4 budgets, 2 not judged",
        "watched 1m00s, 61 samples · after a warm-up of 10 s",
        "",
        f"FAIL               growth at most 64MiB      +91.2 MiB  42.5 % beyond  {BROKEN.why}",
        "      +88.0 MiB cart.(*Store).Add cart/store.go:118, 188.2 MiB now",
        "FAIL (not judged)  fds at most 9                                       open files is not known",
        "not judged         no leak                                             too early",
        "pass               HeapAlloc at most 512MiB  212.0 MiB    58.6 % left  highest at 12:07:40",
    ]


def test_the_headline_says_how_it_came_out(checked: Checked) -> None:
    passed = replace(checked, judgements=(UNJUDGED, KEPT))
    assert headline(passed) == "PASSED: shop-server (pid 41287) keeps to 1 of 2 budgets, 1 not judged"
    unread = replace(checked, judgements=(UNREAD, KEPT))
    assert headline(unread) == "FAILED: shop-server (pid 41287) keeps to 1 of 2 budgets, 1 not judged"
    assert headline(replace(checked, judgements=(UNREAD,))) == (
        "FAILED: shop-server (pid 41287) could not be held to its budget"
    )
    nothing = headline(replace(checked, judgements=(UNJUDGED,)))
    assert nothing.startswith("PASSED: shop-server (pid 41287) breaks nothing, for nothing was judged: ")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"command": Command(("sh", "-c", "…"), 137)}, "the command exited with code 137"),
        ({"cut_short": "shop-server did not answer for 9 s"}, "the watch was cut short"),
    ],
)
def test_what_fails_it_besides_the_budgets_is_said_in_every_form(
    checked: Checked, changes: dict[str, Any], words: str
) -> None:
    found = replace(checked, judgements=(KEPT,), **changes)
    assert headline(found) == f"FAILED: shop-server (pid 41287) keeps to 1 of 1 budget, but {words}"
    assert json.loads(line(found))["passed"] is False
    (suite,) = ET.fromstring(junit(found))  # noqa: S314 - our own
    assert [case[0].tag for case in suite.findall("testcase")] == ["system-out", "error"]
    assert (suite.get("tests"), suite.get("errors")) == ("2", "1")
    assert list(annotation_lines(found)) == [f"::error title=memdash%3A the check itself::{found.trouble}"]


def test_time_in_which_nothing_was_seen_is_told_apart(checked: Checked) -> None:
    found = replace(checked, lapsed_s=5.0)
    assert "watched 55 s, 61 samples · after a warm-up of 10 s · and 5.0 s in which nothing could be seen" in lines(
        found
    )
    document = json.loads(line(found))
    assert (document["watched_s"], document["lapsed_s"]) == (55.0, 5.0)


def test_how_the_program_behind_a_command_ended_is_told(checked: Checked) -> None:
    ended = replace(checked.shown, ending=Ending(at_s=NOON_S, exit_code=2))
    found = replace(checked, shown=ended, command=Command(("sh", "-c", "./server; true"), 0))
    assert "shop-server exited with code 2 · the command exited with code 0" in list(lines(found))[1]


def test_the_code_of_a_program_that_is_the_command_itself_is_told_once(checked: Checked) -> None:
    ended = replace(checked.shown, ending=Ending(at_s=NOON_S, exit_code=3))
    itself = Command(("./server",), 3, checked.shown.target.pid)
    for judgements in ((BROKEN,), (KEPT,)):
        text = "\n".join(lines(replace(checked, judgements=judgements, shown=ended, command=itself)))
        assert text.count("exited with code 3") == 1, text
    killed = replace(checked.shown, ending=Ending(at_s=NOON_S, signal_number=15))
    found = replace(checked, judgements=(BROKEN,), shown=killed, command=replace(itself, exit_code=143))
    assert list(lines(found))[1].endswith("· shop-server killed by SIGTERM")


def test_the_code_of_a_command_that_fails_behind_a_program_is_told_once(checked: Checked) -> None:
    ended = replace(checked.shown, ending=Ending(at_s=NOON_S, exit_code=2))
    found = replace(checked, judgements=(KEPT,), shown=ended, command=Command(("go", "run", "."), 1, 1))
    told = "\n".join(lines(found))
    assert [told.count(f"{who} exited with code") for who in ("shop-server", "the command")] == [1, 1]


def test_the_same_evidence_is_told_once(checked: Checked) -> None:
    twice = replace(checked, judgements=(BROKEN, replace(BROKEN, name="growth at most 1MiB/min")))
    assert sum("cart.(*Store).Add" in text for text in lines(twice)) == 1


def test_evidence_that_another_budget_has_more_of_is_told_once(checked: Checked) -> None:
    """A budget says when the limit is hit, too; a verdict does not."""
    ahead = "900.0 MiB cgroup limit in 7–9 min if it goes on like that"
    leak = replace(UNJUDGED, outcome=Outcome.FAILED, evidence=BROKEN.evidence)
    both = replace(checked, judgements=(replace(BROKEN, evidence=(ahead, *BROKEN.evidence)), leak))
    told = [text.strip() for text in lines(both)]
    assert [told.count(line) for line in (ahead, *BROKEN.evidence)] == [1, 1]


def test_words_of_the_target_steer_nothing(checked: Checked) -> None:
    evil = replace(BROKEN, evidence=("+1 MiB \x1b[2J\n::error::gone\u202e",))
    found = replace(checked, judgements=(evil,))
    text = "\n".join(lines(found))
    assert "\x1b" not in text
    assert "\\e[2J\\n::error::gone\\u202e" in text
    assert b"\x1b" not in junit(found)
    (annotation,) = annotation_lines(found)
    assert annotation.startswith("::error title=memdash%3A growth at most 64MiB::+91.2 MiB: live heap")
    assert "\n" not in annotation


def test_as_json(checked: Checked) -> None:
    command = Command(("./server", "-v"), None)
    document = json.loads(line(replace(checked, command=command)))
    assert document["schema"] == "memdash.check/1"
    assert (document["passed"], document["strict"], document["cut_short"]) == (False, False, None)
    assert document["command"] == {"argv": ["./server", "-v"], "exit_code": None}
    assert (document["watched_s"], document["warm_up_s"], document["samples"]) == (60.0, 10.0, 61)
    assert document["target"]["name"] == "shop-server"
    broken, unread, unjudged, kept = document["budgets"]
    assert broken == {
        "name": "growth at most 64MiB",
        "outcome": "failed",
        "fails": True,
        "value": 91.2 * MIB,
        "limit": 64 * MIB,
        "unit": "bytes",
        "margin_ratio": -0.425,
        "why": BROKEN.why,
        "evidence": list(BROKEN.evidence),
    }
    assert (unread["outcome"], unread["fails"], unread["value"]) == ("not judged", True, None)
    assert (unjudged["fails"], kept["fails"]) == (False, False)


def test_as_junit_a_budget_is_a_case(checked: Checked) -> None:
    root = ET.fromstring(junit(checked))  # noqa: S314 - our own
    assert root.tag == "testsuites"
    (suite,) = root
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped", "time")} == {
        "tests": "4", "failures": "1", "errors": "1", "skipped": "1", "time": "60.000"
    }  # fmt: skip
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases] == [judgement.name for judgement in checked.judgements]
    assert [case[0].tag for case in cases] == ["failure", "error", "skipped", "system-out"]
    failure = cases[0][0]
    assert failure.get("message") == f"+91.2 MiB: {BROKEN.why}"
    assert failure.text == BROKEN.evidence[0]


def test_annotations_are_of_what_does_not_pass(checked: Checked) -> None:
    assert [text.partition(" ")[0] for text in annotation_lines(checked)] == ["::error", "::error", "::notice"]
