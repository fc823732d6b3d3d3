import pytest

from memdash.process.fields import bytes_of, number_of

STATUS = b"Name:\tVmRSS:\t9 kB\nVmPeak:\t    8 kB\nVmRSS:\t    1364 kB\nThreads:\t7\nSwapPss:               0 kB"


def test_kilobytes_are_given_in_bytes_wherever_the_line_stands() -> None:
    assert bytes_of(STATUS, b"VmRSS") == 1364 * 1024
    assert bytes_of(STATUS, b"SwapPss") == 0
    assert bytes_of(b"MemTotal:       24684096 kB\nMemFree: 1 kB\n", b"MemTotal") == 24684096 * 1024


def test_a_process_cannot_pass_its_name_off_as_a_line() -> None:
    assert bytes_of(b"Name:\tVmRSS:\t9 kB\nVmRSS:\t2 kB\n", b"VmRSS") == 2048


def test_part_of_a_name_is_another_name() -> None:
    text = b"total_inactive_file 9\ninactive_file 5\nmax 3\noom 2\noom_kill 1\n"
    assert [number_of(text, name) for name in (b"inactive_file", b"max", b"oom", b"oom_kill")] == [5, 3, 2, 1]


@pytest.mark.parametrize("text", [b"", b"VmSize:\t1 kB\n", b"xVmRSS:\t1 kB\n"])
def test_a_line_that_is_not_there_is_a_key_error(text: bytes) -> None:
    with pytest.raises(KeyError):
        bytes_of(text, b"VmRSS")


def test_what_is_no_number_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        number_of(b"max max\n", b"max")
