import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict

import psutil
import pytest

from memdash.errors import AccessDenied, TargetExited
from memdash.model.missing import Missing
from memdash.model.system import Smaps
from memdash.probes.system.smaps import SmapsProbe, parse_smaps
from tests.waiting import until

Start = Callable[..., "subprocess.Popen[bytes]"]

ROLLUP = b"""\
55c0e0b1d000-7ffd1b1c5000 ---p 00000000 00:00 0                          [rollup]
Rss:                4368 kB
Pss:                1124 kB
Pss_Dirty:           707 kB
Shared_Clean:       3112 kB
Shared_Dirty:        920 kB
Private_Clean:        24 kB
Private_Dirty:       312 kB
Referenced:         4368 kB
Anonymous:          1232 kB
Shared_Hugetlb:        0 kB
Private_Hugetlb:    2048 kB
Swap:                 16 kB
SwapPss:               8 kB
"""


def test_sums_the_lines() -> None:
    assert parse_smaps(ROLLUP) == Smaps(
        pss_bytes=1124 * 1024,
        uss_bytes=(24 + 312 + 2048) * 1024,
        anonymous_bytes=1232 * 1024,
        file_bytes=(4368 - 1232) * 1024,
        swap_pss_bytes=8 * 1024,
    )


def test_a_line_that_an_older_kernel_lacks_is_missing_alone() -> None:
    smaps = parse_smaps(ROLLUP.replace(b"SwapPss", b"Something"))
    assert smaps.swap_pss_bytes == Missing("smaps_rollup has no line SwapPss")
    assert smaps.pss_bytes == 1124 * 1024
    assert all(isinstance(value, Missing) for value in asdict(parse_smaps(b"")).values() if not isinstance(value, dict))


def test_a_process_at_rest_has_what_psutil_says(start: Start) -> None:
    child = start(sys.executable, "-c", "data = bytearray(8 << 20); print('ready', flush=True); input()")
    assert child.stdout is not None
    child.stdout.readline()
    until(lambda: psutil.Process(child.pid).status() == "sleeping", "its rest")
    probe = SmapsProbe(child.pid)
    try:
        (smaps,) = probe.read().facts
    finally:
        probe.close()
        probe.close()
    told = psutil.Process(child.pid).memory_full_info()
    assert isinstance(smaps, Smaps)
    assert smaps.uss_bytes == told.uss
    assert smaps.pss_bytes == pytest.approx(told.pss, rel=0.02)  # others may start to share its libraries meanwhile
    assert isinstance(smaps.anonymous_bytes, int)
    assert smaps.anonymous_bytes >= 8 << 20
    assert isinstance(smaps.file_bytes, int)
    assert smaps.anonymous_bytes + smaps.file_bytes == told.rss


def test_a_process_that_has_ended_says_so(start: Start) -> None:
    child = start("sleep", "60")
    probe = SmapsProbe(child.pid)
    child.kill()
    child.wait()
    with pytest.raises(TargetExited):
        probe.read()
    probe.close()
    with pytest.raises(TargetExited):
        SmapsProbe(child.pid)


def test_another_users_map_is_closed(start: Start, as_nobody: Callable[[Callable[[], str]], str]) -> None:
    child = start("sleep", "60")
    assert as_nobody(lambda: str(SmapsProbe(child.pid))).startswith(AccessDenied.__name__)
