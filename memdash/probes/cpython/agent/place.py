"""A directory that only one user can enter, where a target and memdash meet: a listening socket, and a few files."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
from contextlib import ExitStack
from pathlib import Path

from memdash.errors import AgentUnreachable
from memdash.model.target import Target

__all__ = ["Place"]

_PARENTS = ("/tmp", "/var/tmp", "/dev/shm", "/run")  # noqa: S108 - what is made in them is private
_LONGEST_PATH = 107 - len("/memdash-0123456789ab/agent.socket")
"""The kernel takes no longer names for sockets."""
_SOCKET = "agent.socket"
_BACKLOG = 128
_MOST_TOLD = 300


class Place:
    """Belongs to ``owner``, a uid. ``path`` is the directory and ``socket_path`` the socket as the target sees them.

    Everything is done by descriptors: the parent directory may be one that others write to, in a file system that the
    target arranges as it likes.
    """

    def __init__(self, root: str, parents: tuple[str, ...], uid: int, gid: int) -> None:
        """Make it below the first of ``parents`` that will do, in the file system at ``root``.

        Raises AgentUnreachable.
        """
        self.owner = uid
        self._group = gid
        self._name = f"memdash-{os.urandom(6).hex()}"
        self._parent, parent = _first_writable(root, parents, self._name)
        with ExitStack() as undone:
            undone.callback(self.close)
            self._directory = -1
            self._directory = self._opened()
            self.path = f"{parent}/{self._name}"
            self.socket_path = f"{self.path}/{_SOCKET}"
            undone.pop_all()

    def _opened(self) -> int:
        try:
            return os.open(self._name, os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._parent)
        except OSError as error:
            raise AgentUnreachable(f"no place could be made to meet the agent in: {error.strerror}") from None

    @classmethod
    def of_ours(cls) -> Place:
        """For programs that we start."""
        temporary = os.environ.get("TMPDIR", "").rstrip("/")
        is_usable = temporary.startswith("/") and os.pathsep not in temporary
        return cls("", (temporary, *_PARENTS) if is_usable else _PARENTS, os.geteuid(), os.getegid())

    @classmethod
    def seen_by(cls, target: Target) -> Place:
        """For a process that runs, which may be another user's, and see other file systems than we do."""
        try:
            status = Path(f"/proc/{target.pid}").stat()
            is_elsewhere = _file_system(target.pid) != _file_system(os.getpid())
        except OSError as error:
            raise AgentUnreachable(f"what files it sees cannot be made out: {error.strerror}") from None
        return cls(f"/proc/{target.pid}/root" if is_elsewhere else "", _PARENTS, target.uid, status.st_gid)

    def write(self, name: str, text: str) -> None:
        """Raises OSError."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(name, flags, 0o600, dir_fd=self._directory), "w", encoding="utf-8") as file:
            file.write(text)
            self._hand_over(file.fileno())

    def told(self, name: str) -> str:
        """What the target has left there, its first 300 bytes as printable text; empty when there is nothing."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            number = os.open(name, flags, dir_fd=self._directory)
        except OSError:
            return ""
        try:
            text = os.read(number, _MOST_TOLD).decode("utf-8", "backslashreplace")
        except OSError:
            return ""
        finally:
            os.close(number)
        return "".join(letter if letter.isprintable() else " " for letter in text).strip()

    def listen(self) -> socket.socket:
        """Make the socket; it does not block. Raises OSError."""
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            listening.bind(f"/proc/self/fd/{self._directory}/{_SOCKET}")
            os.chmod(_SOCKET, 0o600, dir_fd=self._directory)
            if self.owner != os.geteuid():
                os.chown(_SOCKET, self.owner, self._group, dir_fd=self._directory, follow_symlinks=False)
            listening.listen(_BACKLOG)
        except BaseException:
            listening.close()
            raise
        return listening

    def hand_over(self) -> None:
        """Let its owner in, now that everything is there. Raises OSError."""
        self._hand_over(self._directory)

    def _hand_over(self, descriptor: int) -> None:
        if self.owner != os.geteuid():
            os.fchown(descriptor, self.owner, self._group)

    def close(self) -> None:
        """Remove it with all that is in it. May be called twice."""
        if self._parent < 0:
            return
        shutil.rmtree(self._name, ignore_errors=True, dir_fd=self._parent)
        for descriptor in (self._parent, self._directory):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self._parent = -1


def _first_writable(root: str, parents: tuple[str, ...], name: str) -> tuple[int, str]:
    """Make a directory ``name`` in the first parent that allows it; that parent, opened, and its path at the root."""
    for parent in parents:
        if len(os.fsencode(parent)) > _LONGEST_PATH:
            continue
        try:
            opened = os.open(root + parent, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            os.mkdir(name, 0o700, dir_fd=opened)
        except OSError:
            os.close(opened)
            continue
        return opened, parent
    raise AgentUnreachable(
        f"there is no directory to meet it in: neither {', '.join(parents[:-1])} nor {parents[-1]} can be written to",
        "mount a tmpfs at /tmp, or run memdash as a user who may write there",
    )


def _file_system(pid: int) -> tuple[str, int, int]:
    """What tells apart processes that see different files: mount namespace and root."""
    root = Path(f"/proc/{pid}/root/.").stat()
    return str(Path(f"/proc/{pid}/ns/mnt").readlink()), root.st_dev, root.st_ino
