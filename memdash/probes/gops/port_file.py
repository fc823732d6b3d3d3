"""The file in which a gops agent leaves its port, in the files and under the pid that its program sees.

What it says is believed only when the program itself listens there. Source: github.com/google/gops, internal
(ConfigDir, PIDFile, GetPort); agents of November 2016 wrote ~/.gops/.PID.
"""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator, Mapping

from memdash.errors import AccessDenied, EndpointUnreachable, UnsupportedRuntime
from memdash.model.target import Target
from memdash.network.address import Address
from memdash.process.environment import environment
from memdash.process.identity import pid_inside
from memdash.process.sockets import listening_on, shares_our_network

__all__ = ["address_of"]

_LARGEST_PORT = (1 << 16) - 1
_FILE_BYTES = 32
_OPENED = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_START_ONE = "an agent is in a program that imports github.com/google/gops/agent and calls agent.Listen"


def address_of(target: Target) -> Address:
    """Where the target's agent listens, by its port file and by the target's own sockets.

    Raises UnsupportedRuntime when no agent has left a port, EndpointUnreachable when what was left makes no sense or
    leads elsewhere, AccessDenied and TargetExited.
    """
    refusal: EndpointUnreachable | None = None
    for path in _paths(target):
        try:
            port = _port_in(path)
            if port is not None:
                return _own(target, port)
        except EndpointUnreachable as error:
            refusal = refusal or error
    raise refusal or UnsupportedRuntime("no gops agent has left a port for it", _START_ONE)


def _paths(target: Target) -> Iterator[str]:
    """Where its file may be, the likeliest first."""
    variables, pid = environment(target.pid), pid_inside(target.pid)
    if chosen := variables.get("GOPS_CONFIG_DIR"):
        yield _seen(target.pid, f"{chosen}/{pid}")
    if chosen := variables.get("XDG_CONFIG_HOME"):
        yield _seen(target.pid, f"{chosen}/gops/{pid}")
    for home in dict.fromkeys(_homes(target.uid, variables)):
        yield _seen(target.pid, f"{home}/.config/gops/{pid}")
        yield _seen(target.pid, f"{home}/.gops/.{pid}")


def _homes(uid: int, variables: Mapping[str, str]) -> Iterator[str]:
    if home := variables.get("HOME"):
        yield home
    try:
        yield pwd.getpwuid(uid).pw_dir
    except KeyError:  # a user of a container
        return


def _seen(pid: int, path: str) -> str:
    """A path of the target's, which may have another root than we have, as we get there."""
    return f"/proc/{pid}/{'root' if path.startswith('/') else 'cwd/'}{path}"


def _port_in(path: str) -> int | None:
    """What the file says; None when there is none. Raises EndpointUnreachable."""
    try:
        file = os.open(path, _OPENED)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise EndpointUnreachable(f"the port file of its gops agent cannot be read: {error.strerror}") from None
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise EndpointUnreachable("where a gops agent leaves its port there is something else than a file")
        text = os.read(file, _FILE_BYTES).strip()
    except OSError as error:
        raise EndpointUnreachable(f"the port file of its gops agent cannot be read: {error.strerror}") from None
    finally:
        os.close(file)
    if not text.isdigit() or not 0 < int(text) <= _LARGEST_PORT:
        raise EndpointUnreachable("the port file of its gops agent holds no port")
    return int(text)


def _own(target: Target, port: int) -> Address:
    """Where the target listens on that port. Raises EndpointUnreachable when it does not."""
    if not shares_our_network(target.pid):
        raise EndpointUnreachable(
            "it has a network of its own, as in a container: its gops agent cannot be reached from here",
            "run memdash where the process runs: docker exec, or kubectl debug",
        )
    try:
        hosts = [listening.reached_by[0] for listening in listening_on(target.pid) if listening.port == port]
    except AccessDenied as error:
        raise AccessDenied(f"that port {port} is its own cannot be made sure of: {error.what}", error.hint) from None
    if not hosts:
        raise EndpointUnreachable(
            f"the port file of its gops agent is stale: it does not listen on port {port}",
            "the program has closed its agent, or the file was left by another one that had this pid",
        )
    return Address(host=hosts[0], port=port)
