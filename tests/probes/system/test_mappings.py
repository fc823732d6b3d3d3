"""The probe that counts mappings, slice by slice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from memdash.errors import AccessDenied, BadRead, TargetExited
from memdash.model.residence import MappingKind, Mappings
from memdash.model.sample import Reading
from memdash.probes.system import mappings as module
from memdash.probes.system.mappings import MappingsProbe
from memdash.process.fields import bytes_of
from memdash.process.identity import identify
from memdash.process.smaps import Mapping

Start = Callable[..., "subprocess.Popen[bytes]"]
PAGE = 4096


def many(number: int) -> Callable[[int], Iterator[Mapping]]:
    def read(pid: int) -> Iterator[Mapping]:
        for at in range(number):
            yield Mapping(at * 2 * PAGE, (at * 2 + 1) * PAGE, b"rw-p", b"/f%d" % (at % 3), PAGE)

    return read


def clock(step_s: float) -> Callable[[], float]:
    """Goes on by so much whenever it is looked at."""
    ticks = count()
    return lambda: next(ticks) * step_s


def finished(probe: MappingsProbe) -> tuple[Reading, list[str]]:
    """The reading that ends a round, and what was said on the way."""
    said = []
    while (reading := probe.read()).pending:
        assert not reading.facts
        said.append(reading.pending)
    return reading, said


def mappings_of(reading: Reading) -> Mappings:
    (fact,) = reading.facts
    assert isinstance(fact, Mappings)
    return fact


def test_a_process_adds_up(start: Start) -> None:
    child = start(sys.executable, "-c", "data = bytearray(20 << 20); print('ready', flush=True); input()")
    assert child.stdout is not None
    child.stdout.readline()
    probe = MappingsProbe(identify(child.pid))
    found = mappings_of(finished(probe)[0])
    probe.close()
    probe.close()
    rollup = Path(f"/proc/{child.pid}/smaps_rollup").read_bytes()
    assert found.counted_bytes == pytest.approx(bytes_of(rollup, b"Rss"), rel=0.01)
    assert found.rss_bytes == pytest.approx(found.counted_bytes, rel=0.05)
    by_kind = {group.kind: group for group in reversed(found.groups)}  # the largest of each kind
    assert by_kind[MappingKind.ANONYMOUS].rss_bytes >= 20 << 20
    assert by_kind[MappingKind.LIBRARY].name
    assert by_kind[MappingKind.STACK].name == "[stack]"


def test_very_many_are_counted_in_slices() -> None:
    probe = MappingsProbe(identify(os.getpid()), many(1000), clock(0.004))
    reading, said = finished(probe)
    assert said[:2] == ["mappings are being counted: 256 so far", "mappings are being counted: 512 so far"]
    assert [(g.name, g.pieces) for g in mappings_of(reading).groups] == [("/f0", 334), ("/f1", 333), ("/f2", 333)]
    assert reading.caveats == ()
    again, said_again = finished(probe)
    assert (mappings_of(again).groups, said_again) == (mappings_of(reading).groups, said)


def test_there_is_an_end_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_MAPPINGS", 500)
    reading, _ = finished(MappingsProbe(identify(os.getpid()), many(100_000)))
    assert mappings_of(reading).total == 500
    assert reading.caveats == ("only the first 500 mappings were counted",)


def test_a_round_that_fails_is_not_gone_on_with() -> None:
    broken = [True]

    def read(pid: int) -> Iterator[Mapping]:
        yield from many(200)(pid)
        if broken:
            raise BadRead("smaps holds something else")

    probe = MappingsProbe(identify(os.getpid()), read, clock(0.010))
    assert probe.read().pending
    with pytest.raises(BadRead):
        finished(probe)
    broken.clear()
    assert mappings_of(finished(probe)[0]).total == 200


def test_no_mappings_at_all_are_no_answer() -> None:
    with pytest.raises(BadRead, match="no memory"):
        finished(MappingsProbe(identify(os.getpid()), many(0)))


def test_one_that_has_ended_says_so(start: Start) -> None:
    child = start("sleep", "60")
    target = identify(child.pid)
    probe = MappingsProbe(target)
    child.kill()
    child.wait()
    with pytest.raises(TargetExited):
        finished(probe)
    probe.close()
    with pytest.raises(TargetExited):
        MappingsProbe(target)


def test_another_users_map_is_closed(start: Start, as_nobody: Callable[[Callable[[], str]], str]) -> None:
    target = identify(start("sleep", "60").pid)
    assert as_nobody(lambda: str(MappingsProbe(target))).startswith(AccessDenied.__name__)
