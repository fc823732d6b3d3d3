import pytest

from memdash.process.fields import bytes_by_name, numbers_by_name


def test_only_lines_in_kilobytes_are_taken_and_given_in_bytes() -> None:
    text = b"Name:\tVmRSS:  9 kB\nVmRSS:\t    1364 kB\nThreads:\t7\nHugePages_Total:       5\nSwapPss:         0 kB\n"
    assert bytes_by_name(text) == {b"VmRSS": 1364 * 1024, b"SwapPss": 0}


def test_a_name_that_looks_like_a_line_does_not_count() -> None:
    assert bytes_by_name(b"Name:\tVmRSS:\t1 kB\nVmSize:\t2 kB\n") == {b"VmSize": 2048}


def test_named_numbers() -> None:
    assert numbers_by_name(b"low 0\noom_kill 3\n") == {b"low": 0, b"oom_kill": 3}
    assert numbers_by_name(b"") == {}


@pytest.mark.parametrize("text", [b"low", b"low max\n"])
def test_what_is_no_list_of_named_numbers_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        numbers_by_name(text)
