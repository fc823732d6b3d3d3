from pathlib import Path

import psutil
import pytest

from memdash.errors import BadRead
from memdash.process.stat import TICKS_PER_S, parse_stat

LINE = (
    b"4242 (a) Z (b)) S 1 4242 4242 0 -1 4194560 1027 88 5 0 70 30 1 2 20 0 4 0 99887 2990080 455 18446744073709551615"
    b" 94 95 96 0 0 0 0 4096 2 0 0 0 17 1 0 0 0 0 0 97 98 99 100 101 102 103 9\n"
)


def test_takes_the_line_apart_by_the_numbers_of_the_manual() -> None:
    stat = parse_stat(LINE)
    assert stat.name == "a) Z (b)"
    assert stat.state == "S"
    assert (stat.parent, stat.minor_faults, stat.major_faults) == (1, 1027, 5)
    assert (stat.user_ticks, stat.system_ticks) == (70, 30)
    assert (stat.threads, stat.start_ticks, stat.code_start, stat.exit_status) == (4, 99887, 94, 9)
    assert not stat.is_kernel_thread
    assert not stat.has_exited
    assert not stat.is_exiting


def test_flags_and_states_are_told() -> None:
    assert parse_stat(LINE.replace(b"4194560", b"2129984")).is_kernel_thread
    assert parse_stat(LINE.replace(b"4194560", b"4194564")).is_exiting
    assert parse_stat(LINE.replace(b") S", b") Z")).has_exited


def test_says_of_this_process_what_psutil_says() -> None:
    stat, told = parse_stat(Path("/proc/self/stat").read_bytes()), psutil.Process()
    assert stat.parent == told.ppid()
    assert stat.threads == told.num_threads()
    assert stat.user_ticks / TICKS_PER_S == pytest.approx(told.cpu_times().user, abs=1)


@pytest.mark.parametrize("line", [b"", b"12 (x", b"12 (x) S 1 2 3"])
def test_anything_else_is_a_bad_read(line: bytes) -> None:
    with pytest.raises(BadRead):
        parse_stat(line)
