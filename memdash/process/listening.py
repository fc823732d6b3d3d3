"""The TCP ports that a process listens on, from /proc/PID/net/tcp and tcp6. Source: proc_pid_net(5).

That table is of the process's whole network; which sockets are its own, its open files tell.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator, Set
from pathlib import Path
from typing import NamedTuple

from memdash.errors import AccessDenied, TargetExited

__all__ = ["Listener", "listeners", "shares_network"]

_LISTENS = b"0A"  # TCP_LISTEN of include/net/tcp_states.h
_TABLE_BYTES = 1 << 20  # 7000 lines of 150 bytes; listening sockets come first
_MOST_FILES = 1 << 16  # 1.5 µs each
_ANYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not listened on
_V4_IN_V6 = "::ffff:"


class Listener(NamedTuple):
    """One address and port that something listens on. ``address`` is as from ``inet_ntop``: ``127.0.0.1``, ``::``."""

    address: str
    port: int

    @property
    def host(self) -> str:
        """Where to connect to on this machine: the loopback when it listens everywhere."""
        return "127.0.0.1" if self.address in _ANYWHERE else self.address.removeprefix(_V4_IN_V6)


def listeners(pid: int) -> tuple[Listener, ...]:
    """What the process itself listens on, by port; of one with more than 65536 open files perhaps not all.

    They are those of its own network: connect only when that ``shares_network``. Raises AccessDenied when the kernel
    does not show its open files, TargetExited when it is gone.
    """
    try:
        by_inode = {
            inode: listener
            for name, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6))
            for inode, listener in _table(Path(f"/proc/{pid}/net/{name}"), family)
        }
        return tuple(sorted({by_inode[inode] for inode in _own(pid, by_inode.keys())}, key=lambda one: one[::-1]))
    except PermissionError:
        raise AccessDenied(f"the kernel does not show the open files of process {pid}") from None
    except (FileNotFoundError, ProcessLookupError, OSError):
        raise TargetExited(f"process {pid} has ended") from None


def shares_network(pid: int) -> bool:
    """Whether its ports are ours too: a container has others of the same numbers. False when the kernel hides it."""
    try:
        return Path(f"/proc/{pid}/ns/net").readlink() == Path("/proc/self/ns/net").readlink()
    except OSError:
        return False


def _table(path: Path, family: socket.AddressFamily) -> Iterator[tuple[int, Listener]]:
    """The listening sockets of a network, by inode; what does not look like one is passed over."""
    try:
        with path.open("rb", buffering=_TABLE_BYTES) as file:
            content = file.read(_TABLE_BYTES)
    except FileNotFoundError:
        if path.parent.exists():  # a kernel without IPv6
            return
        raise
    for line in content.splitlines()[1:]:
        fields = line.split(maxsplit=10)
        if len(fields) < 10 or fields[3] != _LISTENS:
            break
        address, _, port = fields[1].partition(b":")
        try:
            yield int(fields[9]), Listener(_address(address, family), int(port, 16))
        except (ValueError, OverflowError):
            continue


def _address(text: bytes, family: socket.AddressFamily) -> str:
    """The kernel writes words of 32 bits as its own numbers, though they stand in network order."""
    words = (int(text[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(text), 8))
    return socket.inet_ntop(family, b"".join(words))


def _own(pid: int, inodes: Set[int]) -> Iterator[int]:
    """Those of the sockets that are among its open files."""
    left = set(inodes)
    with os.scandir(f"/proc/{pid}/fd") as files:
        for _, file in zip(range(_MOST_FILES), files, strict=False):
            if not left:
                return
            try:
                kind, _, number = os.readlink(file.path).partition(":[")  # noqa: PTH115 - a Path costs twice as much
            except FileNotFoundError:  # closed meanwhile
                continue
            if kind == "socket" and (inode := int(number.removesuffix("]"))) in left:
                left.remove(inode)
                yield inode
