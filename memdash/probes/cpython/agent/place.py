"""A directory that only one user can enter, where a target and memdash meet: a listening socket, and a few files."""

from __future__ import annotations

import contextlib
import os
import socket
from contextlib import ExitStack
from pathlib import Path

from memdash.errors import AgentUnreachable
from memdash.model.target import Target
from memdash.probes.cpython.agent.leftovers import SOCKET, names_in, opened, remove, sweep
from memdash.probes.cpython.agent.private import private_parents

__all__ = ["Place"]

_PARENTS = ("/tmp", "/var/tmp", "/dev/shm", "/run")  # noqa: S108 - what is made in them is private
_LONGEST_PATH = 107
"""The kernel takes no longer names for sockets."""
_BACKLOG = 128
_MOST_TOLD = 300


class Place:
    """Belongs to ``owner``, a uid. ``path`` is the directory and ``socket_path`` the socket as the target sees them.

    Everything is done by descriptors: the parent directory may be one that others write to, in a file system that the
    target arranges as it likes. Where the path is too long for a socket, that lies in a place of its own.
    """

    def __init__(self, root: str, parents: tuple[str, ...], uid: int, gid: int) -> None:
        """Make it below the first of ``parents`` that will do, in the file system at ``root``.

        Raises AgentUnreachable.
        """
        self.owner = uid
        self._group = gid
        self._name = f"memdash-{os.urandom(6).hex()}"
        self._meeting: Place | None = None
        self._parent, parent = _first_writable(root, parents, self._name)
        with ExitStack() as undone:
            undone.callback(self.close)
            self._directory = -1
            self._directory = self._opened()
            self.path = f"{parent}/{self._name}"
            self.socket_path = f"{self.path}/{SOCKET}"
            if len(os.fsencode(self.socket_path)) > _LONGEST_PATH:
                self._meeting = Place(root, _PARENTS, uid, gid)
                self.socket_path = self._meeting.socket_path
            undone.pop_all()

    def _opened(self) -> int:
        """The directory just made. Whoever arranges the parent may have put another in its place, or mounted one."""
        try:
            directory = opened(self._name, self._parent)
        except OSError as error:
            raise AgentUnreachable(f"no place could be made to meet the agent in: {error.strerror}") from None
        try:
            found = os.fstat(directory)
            is_ours = found.st_uid == os.geteuid() and found.st_mode & 0o077 == 0
            if is_ours and not names_in(directory) and _mount(directory) == _mount(self._parent):
                return directory
        except OSError as error:
            os.close(directory)
            raise AgentUnreachable(f"no place could be made to meet the agent in: {error.strerror}") from None
        os.close(directory)
        raise AgentUnreachable("somebody has put something else where the agent was to be met")

    @classmethod
    def of_ours(cls) -> Place:
        """For programs that we start, which search it for modules: so it lies where nobody else can make it anew."""
        parents = private_parents()
        if not parents:
            raise AgentUnreachable(
                "there is no directory that nobody else can write to, neither $XDG_RUNTIME_DIR nor the user's cache",
                "have ~/.cache and all above it belong to you or to root, and be writable by nobody else",
            )
        sweep(parents, private=True)
        sweep(_PARENTS, private=False)
        return cls("", parents, os.geteuid(), os.getegid())

    @classmethod
    def seen_by(cls, target: Target) -> Place:
        """For a process that runs, which may be another user's, and see other file systems than we do."""
        try:
            status = Path(f"/proc/{target.pid}").stat()
            is_elsewhere = _file_system(target.pid) != _file_system(os.getpid())
        except OSError as error:
            raise AgentUnreachable(f"what files it sees cannot be made out: {error.strerror}") from None
        sweep(_PARENTS, private=False)
        return cls(f"/proc/{target.pid}/root" if is_elsewhere else "", _PARENTS, target.uid, status.st_gid)

    def write(self, name: str, content: bytes) -> None:
        """Make a file that is not there yet. Raises OSError."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(name, flags, 0o600, dir_fd=self._directory), "wb") as file:
            file.write(content)
            self._hand_over(file.fileno())

    def bring(self, name: str, content: bytes) -> None:
        """Write a file that is whole as soon as it is there, unless it is already. Raises OSError."""
        if name in names_in(self._directory):
            return
        made = f"{name}.part"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(made, dir_fd=self._directory)  # left by an attempt that failed, as on a full disk
        self.write(made, content)
        os.rename(made, name, src_dir_fd=self._directory, dst_dir_fd=self._directory)

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
        if self._meeting is not None:
            listening = self._meeting.listen()
            self._meeting.hand_over()
            return listening
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            listening.bind(f"/proc/self/fd/{self._directory}/{SOCKET}")
            os.chmod(SOCKET, 0o600, dir_fd=self._directory)
            if self.owner != os.geteuid():
                os.chown(SOCKET, self.owner, self._group, dir_fd=self._directory, follow_symlinks=False)
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
        if self._meeting is not None:
            self._meeting.close()
        if self._parent < 0:
            return
        if self._directory >= 0:
            remove(self._name, self._parent, self._directory)
            os.close(self._directory)
        else:
            with contextlib.suppress(OSError):
                os.rmdir(self._name, dir_fd=self._parent)
        os.close(self._parent)
        self._parent = self._directory = -1


def _first_writable(root: str, parents: tuple[str, ...], name: str) -> tuple[int, str]:
    """Make a directory ``name`` in the first parent that allows it; that parent, opened, and its path at the root."""
    for parent in parents:
        try:
            held = _opened_below(root, parent)
        except OSError:
            continue
        try:
            os.mkdir(name, 0o700, dir_fd=held)
        except OSError:
            os.close(held)
            continue
        return held, parent
    raise AgentUnreachable(
        f"there is no directory to meet it in: none of {', '.join(parents)} can be written to",
        "mount a tmpfs at /tmp, or run memdash as a user who may write there",
    )


def _opened_below(root: str, path: str) -> int:
    """Open ``path``, none of whose parts may be a link: those of another root would lead into ours. Raises OSError."""
    flags = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
    held = os.open(root or "/", flags)
    for part in path.strip("/").split("/"):
        try:
            inner = os.open(part, flags | os.O_NOFOLLOW, dir_fd=held)
        finally:
            os.close(held)
        held = inner
    return held


def _mount(descriptor: int) -> str:
    """The number of the mount that a descriptor was opened in. Raises OSError."""
    lines = Path(f"/proc/self/fdinfo/{descriptor}").read_text(encoding="ascii").splitlines()
    return next(line for line in lines if line.startswith("mnt_id:"))


def _file_system(pid: int) -> tuple[str, int, int]:
    """What tells apart processes that see different files: mount namespace and root."""
    root = Path(f"/proc/{pid}/root/.").stat()
    return str(Path(f"/proc/{pid}/ns/mnt").readlink()), root.st_dev, root.st_ino
