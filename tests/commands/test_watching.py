"""What several verbs do to watch without a screen."""

import os
from collections.abc import Callable
from dataclasses import replace

import pytest

from memdash.commands.target import Choice
from memdash.commands.watching import ending_code, named
from memdash.errors import ProbeError
from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.snapshot import State
from memdash.probes.registry import PROBES
from tests.fakes import a_snapshot

Run = Callable[..., tuple[int, str, str]]


def test_what_is_named_twice_is_watched_once_and_stays_in_its_place() -> None:
    ours, above = os.getpid(), os.getppid()
    found = named(Choice(pid=ours, entries=PROBES[:1]), [str(above), str(ours), str(above)])
    assert [each.target.pid for each in found] == [ours, above]
    assert [each.entries for each in found] == [PROBES[:1], PROBES]


@pytest.mark.parametrize("verb", ["log", "record", "serve"])
def test_what_cannot_be_muted_is_told_before_a_process_is_waited_for(run: Run, verb: str) -> None:
    code, _, err = run(verb, "--wait-for", "no-program-has-this-name", "--mute", "nonsense", "-d", "100ms")
    assert (code, "there is no rule 'nonsense'" in err) == (2, True)


def test_a_watch_that_fails_half_way_is_told_and_no_success(capfd: pytest.CaptureFixture[str]) -> None:
    why = Missing("Too many open files", "raise its limit")
    shown = replace(a_snapshot(3), state=State.REFUSED, missing=dict.fromkeys(Capability, why))
    for duration_s in (None, 3.0):
        with pytest.raises(ProbeError, match="could not be read to the end"):
            ending_code([a_snapshot(3), shown], duration_s, 0, "it is shorter")
    assert "Too many open files. Raise its limit" in capfd.readouterr().err
