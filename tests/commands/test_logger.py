"""A log beside a watch: a line a sample, alerts of their own, and nobody who reads it can hold up who writes."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field, replace
from typing import Any

from memdash.commands.logbook import Sink
from memdash.commands.logger import Logger
from memdash.exports.lines import CsvLines, JsonLines, Lines
from memdash.model.finding import NOTES, Finding, Severity, Transition, TransitionKind
from memdash.model.sample import Instant
from memdash.model.snapshot import State
from tests.fakes import NOON_S, a_snapshot
from tests.sessions import FakeSession


class Watched(FakeSession):
    """A session that publishes what it is told to."""

    def __init__(self) -> None:
        super().__init__(a_snapshot(2))

    def tick(self, seconds: float = 1.0, **changes: Any) -> None:
        at = Instant(self.shown.at.wall_s + seconds, self.shown.at.mono_s + seconds)
        given: dict[str, Any] = {"at": at, "transitions": ()}
        self.publish(replace(self.shown, **(given | changes)))


@dataclass
class Kept:
    """Lines as they come; ``blocked`` holds up who writes, ``fails`` raises."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    blocked: threading.Event = field(default_factory=threading.Event)
    asked: threading.Event = field(default_factory=threading.Event)
    fails: OSError | None = None

    def __post_init__(self) -> None:
        self.blocked.set()

    def write(self, data: bytes) -> None:
        self.asked.set()
        self.blocked.wait(30)
        if self.fails is not None:
            raise self.fails
        self.lines += [json.loads(line) for line in data.splitlines()]


def logger(watched: Watched, sink: Sink, told: list[str] | None = None, lines: Lines | None = None) -> Logger:
    made = Logger([watched], lines or JsonLines(), sink, (told if told is not None else []).append)
    made.start()
    return made


def events(kept: Kept) -> list[str]:
    return [line["event"] for line in kept.lines]


def test_each_sample_has_one_line_and_the_last_says_how_many() -> None:
    watched, kept = Watched(), Kept()
    log = logger(watched, kept)
    watched.tick(state=State.ATTACHING)
    watched.tick(state=State.LIVE)
    watched.tick(0)
    watched.tick()
    watched.tick(0, state=State.ENDED)
    log.close(NOON_S, "exited with code 0")
    assert events(kept) == ["start", "sample", "sample", "end"]
    assert (kept.lines[-1]["samples"], kept.lines[-1]["why"]) == (2, "exited with code 0")


def test_what_comes_late_of_a_moment_makes_no_second_line() -> None:
    watched, kept = Watched(), Kept()
    log = logger(watched, kept)
    watched.tick()
    kept.asked.wait(30)
    watched.tick(0)
    log.close(NOON_S, "")
    assert events(kept) == ["start", "sample", "end"]


def test_alerts_and_notes_have_lines_of_their_own() -> None:
    watched, kept = Watched(), Kept()
    log = logger(watched, kept)
    alert = Finding(rule="heap", severity=Severity.CRITICAL, at_s=NOON_S, summary="too large")
    note = Finding(rule=NOTES, severity=Severity.INFO, at_s=NOON_S, summary="baseline set")
    grave = replace(note, severity=Severity.WARNING, summary="it does not answer")
    watched.tick(findings=(note,))
    opened = (Transition(TransitionKind.OPENED, alert), Transition(TransitionKind.HAPPENED, grave))
    watched.tick(findings=(grave, alert, note), transitions=opened)
    watched.tick(findings=(grave, alert, note))
    log.close(NOON_S, "")
    told = [(line["what"], line["level"], line["summary"]) for line in kept.lines if line["event"] == "finding"]
    assert told == [
        ("note", "info", "baseline set"),
        ("opened", "critical", "too large"),
        ("happened", "warning", "it does not answer"),
    ]


def test_a_reader_that_is_slow_holds_up_nobody_and_loses_the_oldest() -> None:
    watched, kept = Watched(), Kept()
    kept.blocked.clear()
    log = logger(watched, kept)
    watched.tick()
    kept.asked.wait(30)
    for _ in range(1000):
        watched.tick()
    kept.blocked.set()
    log.close(NOON_S, "", 30)
    assert kept.lines[-1]["dropped"] == 400
    assert kept.lines[-1]["samples"] == 601


def test_a_reader_that_never_reads_is_given_up() -> None:
    watched, kept = Watched(), Kept()
    kept.blocked.clear()
    log = logger(watched, kept)
    watched.tick()
    kept.asked.wait(30)
    log.close(NOON_S, "SIGTERM", patience_s=0.05)
    kept.blocked.set()
    assert "end" not in events(kept)


def test_a_reader_that_has_gone_ends_it() -> None:
    watched, kept, told = Watched(), Kept(fails=BrokenPipeError()), list[str]()
    log = logger(watched, kept, told)
    watched.tick()
    assert log.is_gone.wait(30)
    watched.tick()
    log.close(NOON_S, "")
    assert told == []


def test_a_full_disk_is_told_once_and_when_it_is_over() -> None:
    watched, kept, told = Watched(), Kept(fails=OSError(28, "No space left on device")), list[str]()
    log = logger(watched, kept, told)
    for _ in range(3):
        kept.asked.clear()
        watched.tick()
        assert kept.asked.wait(30)
    kept.fails = None
    watched.tick()
    log.close(NOON_S, "")
    assert told == ["the log cannot be written: No space left on device", "the log can be written again"]
    assert kept.lines[-1]["dropped"] == 3
    assert events(kept)[-2:] == ["sample", "end"]


def test_what_has_no_line_does_not_tell_that_a_full_disk_is_over() -> None:
    watched, kept, told = Watched(), Kept(fails=OSError(28, "No space left on device")), list[str]()
    log = logger(watched, kept, told, CsvLines())
    for _ in range(3):
        kept.asked.clear()
        watched.tick()
        assert kept.asked.wait(30)
    log.close(NOON_S, "")
    assert told == ["the log cannot be written: No space left on device"]
    assert log.is_failing
