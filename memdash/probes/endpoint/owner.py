"""Whether it is the target itself that answers at an address: known before anything is asked there."""

from __future__ import annotations

from memdash.errors import AccessDenied, BadAnswer, EndpointUnreachable
from memdash.model.missing import Missing
from memdash.model.target import Target
from memdash.network.client import Check, Client
from memdash.network.wire import Peer
from memdash.plain import excerpt
from memdash.probes.endpoint.discover import VARS_BYTES, Found
from memdash.probes.endpoint.memstats import cmdline_of
from memdash.process.sockets import answers_at, shares_our_network

__all__ = ["Owner"]

_CMDLINE_BYTES = 1 << 20


class Owner:
    """A process that is asked at an address of which only it may be the owner.

    On this machine the kernel tells who listens; elsewhere, or where it does not tell, a server may at least say by
    which command it was started. From any thread.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._is_known = False
        self._denied: AccessDenied | None = None

    def check(self, peer: Peer) -> None:
        """Make sure of whoever a connection has reached.

        Raises EndpointUnreachable when it is another process of this machine, TargetExited, BadRead.
        """
        try:
            if not peer.is_here or not shares_our_network(self._target.pid):
                return
            is_own = answers_at(self._target.pid, peer.host, peer.port)
        except AccessDenied as error:
            self._denied = error
            return
        if not is_own:
            raise EndpointUnreachable(
                f"process {self._target.pid} does not listen on port {peer.port}, or not alone: nothing was asked",
                "memdash --url watches whoever does",
            )
        self._is_known = True

    def doubt(self, found: Found) -> Missing | None:
        """Why nothing may be done through what was found, or None when it is the target's.

        Raises BadAnswer when what answers says that it is another program, EndpointUnreachable.
        """
        if self._is_known:
            return None
        told = _told(found, self.check)
        if told is None:
            return Missing(
                "the endpoint does not tell whose it is, and so nothing is done through it",
                "memdash --url names a server on its own account",
            )
        if list(self._target.argv) != told:
            raise BadAnswer(
                f"it is not process {self._target.pid} that answers: it is {excerpt(' '.join(told))!r}",
                "memdash --url watches that one",
            )
        if self._denied is not None:  # two of the same program are started alike
            return Missing(
                f"that the endpoint is its own cannot be made sure of: {self._denied.what}", self._denied.hint
            )
        return None


def _told(found: Found, check: Check) -> list[str] | None:
    """The command line, as net/http/pprof or expvar has it; None where neither tells."""
    if not isinstance(found.pprof, Missing):
        try:
            body = Client(found.pprof, check=check).get("cmdline", most_bytes=_CMDLINE_BYTES).body
            return body.decode(errors="backslashreplace").split("\0")
        except BadAnswer:  # it is not served, and so not held against it
            pass
    if not isinstance(found.vars, Missing):
        return cmdline_of(Client(found.vars, check=check).get(most_bytes=VARS_BYTES).body)
    return None
