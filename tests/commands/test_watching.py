"""What several verbs do to watch without a screen."""

import os
from collections.abc import Callable

import pytest

from memdash.commands.target import Choice
from memdash.commands.watching import named
from memdash.probes.registry import PROBES

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
