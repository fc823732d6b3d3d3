"""Who started whom, read again and again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from memdash.process.tree import Parentage

Start = Callable[..., "subprocess.Popen[bytes]"]


def put(proc: Path, pid: int, parent: int) -> None:
    (proc / str(pid)).mkdir(exist_ok=True)
    (proc / str(pid) / "stat").write_bytes(b"%d (a) b ) (c) S %d 1 2" % (pid, parent))


def seen(parentage: Parentage) -> dict[int, list[int]]:
    return {parent: sorted(pids) for parent, pids in parentage.look().items()}


def test_of_this_process_it_knows_the_children(start: Start) -> None:
    children = {start("sleep", "60").pid for _ in range(3)}
    assert children <= set(Parentage().look()[os.getpid()])


def test_only_what_may_have_changed_is_read_again(tmp_path: Path) -> None:
    for pid, parent in ((1, 0), (10, 1), (11, 10)):
        put(tmp_path, pid, parent)
    parentage = Parentage(tmp_path)
    assert seen(parentage) == {0: [1], 1: [10], 10: [11]}
    put(tmp_path, 12, 10)
    (tmp_path / "11" / "stat").unlink()
    assert seen(parentage) == {0: [1], 1: [10], 10: [11, 12]}


def test_an_orphan_is_found_with_its_new_parent(tmp_path: Path) -> None:
    for pid, parent in ((1, 0), (10, 1), (11, 10)):
        put(tmp_path, pid, parent)
    parentage = Parentage(tmp_path)
    parentage.look()
    (tmp_path / "10" / "stat").unlink()
    (tmp_path / "10").rmdir()
    put(tmp_path, 11, 1)
    assert seen(parentage) == {0: [1], 1: [11]}


def test_a_reused_pid_is_noticed_in_time(tmp_path: Path) -> None:
    for pid, parent in ((1, 0), (10, 1), (11, 10)):
        put(tmp_path, pid, parent)
    parentage = Parentage(tmp_path)
    parentage.look()
    put(tmp_path, 11, 1)
    for _ in range(5):
        last = seen(parentage)
    assert last == {0: [1], 1: [10, 11]}


def test_what_ends_or_is_nonsense_meanwhile_is_left_out(tmp_path: Path) -> None:
    put(tmp_path, 1, 0)
    (tmp_path / "10").mkdir()
    (tmp_path / "11").mkdir()
    (tmp_path / "11" / "stat").write_bytes(b"")
    (tmp_path / "12").mkdir()
    (tmp_path / "12" / "stat").write_bytes(b"12 (x) S many")
    (tmp_path / "self").mkdir()
    assert seen(Parentage(tmp_path)) == {0: [1]}
