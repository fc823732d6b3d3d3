import sys

import pytest

from memdash.probes.cpython.version import CPythonVersion, from_number, from_words


@pytest.mark.parametrize(
    ("number", "text"),
    [(0x030B07F0, "3.11.7"), (0x030D12F0, "3.13.18"), (0x030F00A3, "3.15.0a3"), (0x030E00C1, "3.14.0rc1")],
)
def test_the_number_is_taken_apart(number: int, text: str) -> None:
    version = from_number(number)
    assert version is not None
    assert version.text == text


def test_the_number_of_this_interpreter() -> None:
    assert from_number(sys.hexversion) == CPythonVersion(*sys.version_info[1:3], sys.version.split()[0])


@pytest.mark.parametrize("number", [0, 0x020712F0, 0x040000F0, 0x030B0700, 0xFFFFFFFF, 1 << 40])
def test_what_is_no_such_number(number: int) -> None:
    assert from_number(number) is None


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (b"\x003.9.18 (main, Nov 23 2026, 10:48:03) \n[GCC 12.2.0]\x00", "3.9.18"),
        (b"3.8.18 (default, Nov  5 2026, 10:24:12) \n[Clang 14.0.0 (clang-1400)]\x00\x00", "3.8.18"),
        (b"\xff\xff3.10.0rc2+ (heads/3.10:b494f59, Sep  7 2026) \n[GCC 12]", "3.10.0rc2"),
        (b"3.9.2 3.9.3 is not it \x003.9.4 (main, x) [GCC]", "3.9.4"),
    ],
)
def test_the_words_are_found_in_memory(words: bytes, text: str) -> None:
    version = from_words(b"\x00" * 100 + words + b"\x00" * 100)
    assert version is not None
    assert version.text == text
    assert f"3.{version.minor}.{version.micro}" == text.removesuffix("rc2")


def test_the_words_of_this_interpreter() -> None:
    version = from_words(sys.version.encode())
    assert version is not None
    assert (version.minor, version.micro) == sys.version_info[1:3]


@pytest.mark.parametrize("memory", [b"", b"3.9.18", b"3.9.18 (main) ", b"2.7.18 (main) \n[GCC 12]", b"\x00" * 5000])
def test_memory_without_the_words(memory: bytes) -> None:
    assert from_words(memory) is None
