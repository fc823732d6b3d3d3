"""What the kernel told a program when it started: enough to know where it was loaded.

/proc/PID/auxv is one read of some 300 bytes; the same from /proc/PID/maps takes parsing thousands of lines, and on
layered file systems their inodes are not those of the executable. Source: getauxval(3), proc_pid_auxv(5).
"""

from __future__ import annotations

from array import array

from memdash.errors import AccessDenied, BadRead, TargetExited
from memdash.process.elf import Elf

__all__ = ["load_bias"]

_AT_ENTRY = 9
_PAIR_BYTES = 16
_LARGEST_BYTES = 4096


def load_bias(pid: int, elf: Elf) -> int:
    """What to add to an address in the executable to get its address in the process; 0 unless it is a PIE.

    Raises AccessDenied, TargetExited, BadRead.
    """
    try:
        with open(f"/proc/{pid}/auxv", "rb", buffering=0) as file:
            content: bytes = file.read(_LARGEST_BYTES)
    except PermissionError:
        raise AccessDenied(f"the kernel does not let memdash look into process {pid}") from None
    except (FileNotFoundError, ProcessLookupError):
        raise TargetExited(f"process {pid} has ended") from None
    if not content:
        raise TargetExited(f"process {pid} has ended")
    words = array("Q", content[: len(content) // _PAIR_BYTES * _PAIR_BYTES])
    entries = dict(zip(words[0::2], words[1::2], strict=True))
    if _AT_ENTRY not in entries:
        raise BadRead(f"the kernel does not say where process {pid} was loaded")
    return entries[_AT_ENTRY] - elf.entry_address
