"""Which TCP ports a process itself listens on, and whether it is the one that answers at an address.

Source: proc_pid_fd(5), proc_pid_net(5), net/ipv4/tcp_ipv4.c (tcp_get_idx): addresses are hexadecimal, in words of the
machine's byte order.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import sys
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from memdash.errors import AccessDenied, BadRead, TargetExited

__all__ = ["Listening", "answers_at", "listening_on", "shares_our_network"]

_MOST_FILES = 1 << 16
_MOST_LINES = 1 << 17
_LISTEN = b"0A"
_SOCKET = re.compile(r"socket:\[(\d+)\]")
_ANY, _ANY6 = "0.0.0.0", "::"  # noqa: S104 - compared, not bound
_HINT = "run memdash as the user who owns the process, or with sudo; or give the URL itself"


class Listening(NamedTuple):
    """An address that is listened on; ``0.0.0.0`` and ``::`` mean all of the machine's."""

    host: str
    port: int

    @property
    def reached_by(self) -> tuple[str, ...]:
        """The hosts to reach it by from this machine; what listens on all addresses is reached by the loopback's."""
        if self.host == _ANY:
            return ("127.0.0.1",)
        return ("127.0.0.1", "::1") if self.host == _ANY6 else (self.host,)


def listening_on(pid: int) -> tuple[Listening, ...]:
    """The ports that a process holds open for connections, each once, in no particular order. 7 ms for 1000 files.

    Raises AccessDenied when the kernel does not show its open files, TargetExited, BadRead.
    """
    own = _inodes(pid)
    return tuple(dict.fromkeys(entry for entry, inode in _listed(pid) if inode in own))


def answers_at(pid: int, host: str, port: int) -> bool:
    """Whether a connection to an address of this machine reaches this process, and can reach no other one.

    Of those who listen on a port the kernel takes the one that names the address, then one for all addresses; several
    that name it alike (SO_REUSEPORT) get connections by turns. Raises as ``listening_on`` does.
    """
    own = _inodes(pid)
    listed = [(entry.host, inode) for entry, inode in _listed(pid) if entry.port == port]
    for listened in (host, _ANY6 if ":" in host else _ANY, _ANY6):
        who = {inode for other, inode in listed if other == listened}
        if who:
            return who <= own
    return False


def shares_our_network(pid: int) -> bool:
    """Whether an address means the same to it and to us; a container has loopback addresses of its own.

    Raises AccessDenied, TargetExited, BadRead.
    """
    try:
        return os.stat(f"/proc/{pid}/ns/net").st_ino == os.stat("/proc/self/ns/net").st_ino  # noqa: PTH116 - no path
    except PermissionError:
        raise AccessDenied(f"the kernel does not show which network process {pid} is in", _HINT) from None
    except OSError as error:
        raise _failed(pid, error) from None


def _inodes(pid: int) -> set[bytes]:
    try:
        return set(_sockets(pid))
    except PermissionError:
        raise AccessDenied(f"the kernel does not show which ports process {pid} listens on", _HINT) from None
    except OSError as error:
        raise _failed(pid, error) from None


def _failed(pid: int, error: OSError) -> TargetExited | BadRead:
    """It has ended only when the kernel says so: we may have run out of descriptors ourselves."""
    if isinstance(error, (FileNotFoundError, ProcessLookupError)):
        return TargetExited(f"process {pid} has ended")
    return BadRead(f"the sockets of process {pid} cannot be read: {error.strerror}")


def _sockets(pid: int) -> Iterator[bytes]:
    """The inode numbers of its sockets."""
    folder = f"/proc/{pid}/fd"
    with os.scandir(folder) as files:
        for file in islice(files, _MOST_FILES):
            try:
                found = _SOCKET.fullmatch(os.readlink(file.path))  # noqa: PTH115 - a third of the time
            except FileNotFoundError:
                continue  # closed meanwhile
            if found:
                yield found[1].encode()


def _listed(pid: int) -> Iterator[tuple[Listening, bytes]]:
    """Who listens in its network, each with the inode of its socket."""
    for name in ("tcp", "tcp6"):
        yield from _listed_in(f"/proc/{pid}/net/{name}")


def _listed_in(path: str) -> Iterator[tuple[Listening, bytes]]:
    """Those of a table. What listens comes first, before any number of connections."""
    try:
        with open(path, "rb") as file:
            for line in islice(file, 1, _MOST_LINES):
                fields = line.split()
                if len(fields) < 10 or fields[3] != _LISTEN:
                    return
                host, _, port = fields[1].partition(b":")
                yield Listening(_address(host), int(port, 16)), fields[9]
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            raise BadRead(f"{path} cannot be read: {error.strerror}") from None
        return  # no IPv6 here, or the process has ended


def _address(text: bytes) -> str:
    raw = bytes.fromhex(text.decode())
    packed = b"".join(raw[i : i + 4][:: -1 if sys.byteorder == "little" else 1] for i in range(0, len(raw), 4))
    if packed.startswith(b"\0" * 10 + b"\xff\xff"):
        packed = packed[12:]  # an IPv4 address in IPv6 clothes
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)
