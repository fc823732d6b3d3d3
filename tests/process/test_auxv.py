"""Where a program was loaded."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from memdash.errors import AccessDenied, TargetExited
from memdash.process.auxv import load_bias
from memdash.process.elf import Elf
from memdash.process.memory import ProcessMemory


def test_the_program_stands_where_its_headers_say_plus_the_bias() -> None:
    with Elf(sys.executable) as elf, ProcessMemory(os.getpid()) as memory:
        segment = next(segment for segment in elf.segments if segment.is_loaded)
        loaded_at = segment.address + load_bias(os.getpid(), elf)
        assert memory.read(loaded_at, 64) == elf.read(segment.address, 64)


def test_a_process_that_has_ended(zombie: int) -> None:
    with Elf(sys.executable) as elf, pytest.raises(TargetExited):
        load_bias(zombie, elf)


def test_no_such_process() -> None:
    with Elf(sys.executable) as elf, pytest.raises(TargetExited):
        load_bias(2**22 + 1, elf)


def test_a_process_of_somebody_else(
    start: Callable[..., subprocess.Popen[bytes]], as_nobody: Callable[[Callable[[], str]], str]
) -> None:
    child = start("cat")
    with Elf(sys.executable) as elf:
        assert as_nobody(lambda: str(load_bias(child.pid, elf))).startswith(AccessDenied.__name__)
