"""Files of /proc/PID that cannot be read, by what the kernel says to that."""

from __future__ import annotations

import errno
import os

import pytest

from memdash.errors import AccessDenied, BadRead, TargetExited, UnsupportedRuntime
from memdash.process.refused import Refusals

REFUSALS = Refusals("pages", "the kernel has no pages", "it came with Linux 9")
NOBODY = 2**22 + 1


@pytest.mark.parametrize(
    ("pid", "number", "error"),
    [
        (os.getpid(), errno.EACCES, AccessDenied),
        (os.getpid(), errno.ENOENT, UnsupportedRuntime),
        (os.getpid(), errno.ESRCH, TargetExited),
        (NOBODY, errno.ENOENT, TargetExited),
        (os.getpid(), errno.EMFILE, BadRead),
    ],
    ids=["not permitted", "no such file", "ended", "nobody", "too many files"],
)
def test_each_refusal_is_told_apart(pid: int, number: int, error: type[Exception]) -> None:
    assert type(REFUSALS.of(pid, OSError(number, os.strerror(number)))) is error


def test_what_helps_is_told_where_the_kernel_is_too_old() -> None:
    assert REFUSALS.of(os.getpid(), FileNotFoundError()).hint == "it came with Linux 9"
