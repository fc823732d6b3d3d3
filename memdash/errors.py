"""The errors of memdash: what happened, and what to try.

    MemdashError
    ├── UsageError                 2   the request makes no sense
    ├── BadProfile                 2   what was to be read as a profile is none
    ├── HookError                  1   somebody could not be told of an alert
    ├── RecordingError             2   a recording cannot be read or written
    │   ├── Corrupt                    it is damaged, or no recording at all
    │   └── NewerFormat                a later memdash wrote it
    ├── TargetError                3   something about the process
    │   ├── NoSuchTarget           3   no process has that pid, or none matches that name
    │   ├── AccessDenied           4   the kernel refuses to let us read it
    │   └── TargetExited           5   it was there and has gone
    └── ProbeError                 1   one way of reading a target failed
        ├── UnsupportedRuntime         not what this probe reads
        ├── LayoutRefused              the numbers would not be trustworthy
        ├── BadRead                    memory was unmapped, or held nonsense
        ├── TimedOut                   it did not answer in time
        ├── AgentUnreachable           the agent in the target is not there, or talks nonsense
        ├── EndpointUnreachable    5   a server does not answer, or not to the end
        ├── BadAnswer              2   what a server answers is not what was asked for
        ├── OutOfFiles        70   memdash may open no more files
        └── Defect            70   memdash itself went wrong

Raised low, turned into ``Missing`` at the probe boundary (``sampling.roster``), printed only in ``cli``, drawn only in
``ui``. Every error carries one line saying what happened and a hint saying what to try.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = [
    "AccessDenied",
    "AgentUnreachable",
    "BadAnswer",
    "BadProfile",
    "BadRead",
    "Corrupt",
    "Defect",
    "EndpointUnreachable",
    "HookError",
    "LayoutRefused",
    "MemdashError",
    "NewerFormat",
    "NoSuchTarget",
    "OutOfFiles",
    "ProbeError",
    "RecordingError",
    "TargetError",
    "TargetExited",
    "TimedOut",
    "UnsupportedRuntime",
    "UsageError",
    "defect_of",
    "defects_told",
    "told_where",
]


class MemdashError(Exception):
    """The root: ``str(error)`` is one line without a final stop, ``hint`` says what to try (may be empty)."""

    exit_code = 1
    default_hint = ""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint or self.default_hint


class UsageError(MemdashError):
    """The request cannot be carried out as it was put."""

    exit_code = 2
    default_hint = "see memdash --help"


class BadProfile(MemdashError):
    """What was to be read as a profile is none, is damaged, or is more than any profile is."""

    exit_code = 2
    default_hint = (
        "a profile is what /debug/pprof/heap answers without ?debug=1, or what memdash profile PID -o FILE writes"
    )


class HookError(MemdashError):
    """A command, a webhook or a file that was to follow an alert has not worked."""


class RecordingError(MemdashError):
    """A recording cannot be read, or not be written where it was to be."""

    exit_code = 2


class Corrupt(RecordingError):
    """What was to be read as a recording is damaged, or none."""

    default_hint = "what can be read of a damaged one: memdash record --salvage FILE -o NEW"


class NewerFormat(RecordingError):
    """It was written in a format that this memdash does not know yet."""

    default_hint = "read it with the memdash that wrote it, or a later one"


class TargetError(MemdashError):
    """Something is wrong with the process we were pointed at."""

    exit_code = 3


class NoSuchTarget(TargetError):
    """No process has that pid, or none matches."""

    default_hint = "memdash ps lists the processes that can be watched"


class AccessDenied(TargetError):
    """The kernel does not let us read this process."""

    exit_code = 4
    default_hint = (
        "run memdash as the user who owns the process, or with sudo; in a container add the SYS_PTRACE capability; "
        "with kernel.yama.ptrace_scope at 1 or more even your own processes need one of these"
    )


class TargetExited(TargetError):
    """The process was there and has ended."""

    exit_code = 5


class ProbeError(MemdashError):
    """One way of reading the target failed; other ways may still work."""


class UnsupportedRuntime(ProbeError):
    """The target is not of the kind this probe reads."""


class LayoutRefused(ProbeError):
    """The target's memory does not look as its version says, so no number is shown."""


class BadRead(ProbeError):
    """An address was not mapped, or what stood there made no sense."""


class TimedOut(ProbeError):
    """What should have answered did not, for as long as we wait."""


class AgentUnreachable(ProbeError):
    """The agent in the target cannot be reached any more, or never could be."""


class EndpointUnreachable(ProbeError):
    """A server does not answer, or stopped before it had answered all."""

    exit_code = 5


class BadAnswer(ProbeError):
    """A server answers, but not what was asked for: the URL is of something else.

    ``status`` is that of HTTP, 0 where it is not about that; ``retry_after_s`` how long it wants to be left alone.
    """

    exit_code = 2

    def __init__(self, what: str, hint: str = "", *, status: int = 0, retry_after_s: float = 0.0) -> None:
        super().__init__(what, hint)
        self.status = status
        self.retry_after_s = retry_after_s


class Defect(ProbeError):
    """memdash itself went wrong. Where that happens while reading, it costs no more than what was being read.

    A gate must never take it for a finding, so its exit code is sysexits' EX_SOFTWARE.
    """

    exit_code = 70
    default_hint = "report it with what the same command says under -v"

    def __init__(self, error: Exception) -> None:
        super().__init__(f"a defect of memdash: {type(error).__name__}{f': {error}' if str(error) else ''}")


class OutOfFiles(ProbeError):
    """memdash may have no more files open. That is no finding either, so it has a defect's exit code."""

    exit_code = 70
    default_hint = "allow it more with ulimit -n, or end what holds too many"

    def __init__(self, error: OSError) -> None:
        which = "" if error.filename is None else f": {os.fsdecode(error.filename)}"
        super().__init__(f"memdash may open no more files{which}")


def defect_of(error: Exception) -> Defect | OutOfFiles:
    """What ``error`` shows: a defect, whose traceback is printed under ``--verbose``, or that no file can be opened."""
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return OutOfFiles(error)
    if os.environ.get("MEMDASH_DEBUG"):
        with suppress(OSError):  # whatever stands in the way of talk, the error itself has to come out
            import traceback  # 6 ms

            traceback.print_exception(error)
    return Defect(error)


@contextmanager
def told_where(where: str) -> Iterator[None]:
    """Around what makes sense of a text: a UsageError about it says first where it was found."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{where}: {error.what}", error.hint) from None


@contextmanager
def defects_told() -> Iterator[None]:
    """Around code that a target's content may trip up: what is no MemdashError comes out as ``defect_of`` it."""
    try:
        yield
    except MemdashError:
        raise
    except Exception as error:
        raise defect_of(error) from error
