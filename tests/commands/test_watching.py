"""What several verbs do to watch without a screen."""

import os

from memdash.commands.target import Choice
from memdash.commands.watching import named
from memdash.probes.registry import PROBES


def test_what_is_named_twice_is_watched_once_and_stays_in_its_place() -> None:
    ours, above = os.getpid(), os.getppid()
    found = named(Choice(pid=ours, entries=PROBES[:1]), [str(above), str(ours), str(above)])
    assert [each.target.pid for each in found] == [ours, above]
    assert [each.entries for each in found] == [PROBES[:1], PROBES]
