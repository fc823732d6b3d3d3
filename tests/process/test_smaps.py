"""Mappings one by one, as the kernel tells them."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from memdash.errors import AccessDenied, BadRead, TargetExited
from memdash.process import smaps
from memdash.process.fields import bytes_of
from memdash.process.smaps import Mapping, read_mappings, require_readable
from tests.waiting import until

Start = Callable[..., "subprocess.Popen[bytes]"]
KIB = 1024

LINES = b"""\
Size:               1312 kB
KernelPageSize:        4 kB
MMUPageSize:           4 kB
Rss:                1048 kB
Pss:                 524 kB
Pss_Dirty:            60 kB
Shared_Clean:        900 kB
Shared_Dirty:          0 kB
Private_Clean:        88 kB
Private_Dirty:        60 kB
Referenced:         1048 kB
Anonymous:            60 kB
Swap:                 16 kB
SwapPss:              16 kB
Locked:                0 kB
VmFlags: rd mr mw me sd
"""
EMPTY = b"Size:           4 kB\nRss:            0 kB\nPss:            0 kB\nSwap:           0 kB\n"
TEXT = (
    b"00400000-00548000 r-xp 00001000 fe:00 2476376                            /srv/shop server\\012x (deleted)\n"
    + LINES
    + b"00548000-00549000 ---p 00000000 00:00 0 \n"
    + EMPTY
    + b"7f0000000000-7f0000148000 rw-p 00000000 00:00 0                          [anon: Go: heap]\n"
    + LINES
    + b"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n"
    + EMPTY
)
FIGURES = {
    "rss_bytes": 1048 * KIB,
    "pss_bytes": 524 * KIB,
    "private_bytes": 148 * KIB,
    "anonymous_bytes": 60 * KIB,
    "swap_bytes": 16 * KIB,
}
EXPECTED = [
    Mapping(0x400000, 0x548000, b"r-xp", b"/srv/shop server\\012x (deleted)", **FIGURES),
    Mapping(0x548000, 0x549000, b"---p", b""),
    Mapping(0x7F0000000000, 0x7F0000148000, b"rw-p", b"[anon: Go: heap]", **FIGURES),
    Mapping(0xFFFFFFFFFF600000, 0xFFFFFFFFFF601000, b"--xp", b"[vsyscall]"),
]


def written(text: bytes, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Mapping]:
    """What is read of such a file, in pieces of that many bytes."""
    (tmp_path / "smaps").write_bytes(text)
    monkeypatch.setattr(smaps, "_opened", lambda _: os.open(tmp_path / "smaps", os.O_RDONLY))
    monkeypatch.setattr(smaps, "_CHUNK_BYTES", chunk)
    return list(read_mappings(1))


@pytest.mark.parametrize("chunk", [1 << 16, 1500, 700])
def test_takes_it_apart_however_it_comes(chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert written(TEXT, chunk, tmp_path, monkeypatch) == EXPECTED


def test_a_kernel_that_tells_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = b"00400000-00548000 r-xp 00001000 fe:00 2476376 /srv/shop\nRss: 4 kB\n"
    assert written(short, 4096, tmp_path, monkeypatch) == [
        Mapping(0x400000, 0x548000, b"r-xp", b"/srv/shop", rss_bytes=4 * KIB)
    ]


@pytest.mark.parametrize("text", [b"00400000-00548000 r-xp 00001000 fe:00 1 /x\nRss: much\n", b"\0" * 40_000])
def test_nonsense_is_told(text: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadRead, match="something else"):
        written(text, 4096, tmp_path, monkeypatch)


def test_of_a_process_at_rest_it_is_what_the_kernel_sums_up(start: Start) -> None:
    child = start(sys.executable, "-c", "print('ready', flush=True); input()")
    assert child.stdout is not None
    child.stdout.readline()
    until(lambda: psutil.Process(child.pid).status() == "sleeping", "its rest")
    found = list(read_mappings(child.pid))
    rollup = Path(f"/proc/{child.pid}/smaps_rollup").read_bytes()
    assert sum(mapping.rss_bytes for mapping in found) == bytes_of(rollup, b"Rss")
    assert sum(mapping.anonymous_bytes for mapping in found) == bytes_of(rollup, b"Anonymous")
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert any(mapping.name == b"[stack]" for mapping in found)


def test_a_touched_mapping_of_our_own() -> None:
    size = 300 * mmap.PAGESIZE
    with mmap.mmap(-1, size) as shared:
        shared.write(b"x" * 100 * mmap.PAGESIZE)
        assert any(
            m.end - m.start == size and m.rss_bytes == 100 * mmap.PAGESIZE and m.name == b"/dev/zero (deleted)"
            for m in read_mappings(os.getpid())
        )


def test_one_that_has_ended_says_so(start: Start) -> None:
    child = start("sleep", "60")
    before = read_mappings(child.pid)
    next(before)
    child.kill()
    child.wait()
    with pytest.raises(TargetExited):
        require_readable(child.pid)
    with pytest.raises(TargetExited):
        next(read_mappings(child.pid))
    with suppress(TargetExited):  # what the kernel had written down already still comes
        list(before)


def test_another_users_are_closed(start: Start, as_nobody: Callable[[Callable[[], str]], str]) -> None:
    child = start("sleep", "60")
    assert as_nobody(lambda: str(list(read_mappings(child.pid)))).startswith(AccessDenied.__name__)
