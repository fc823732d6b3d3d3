"""Where agents connect: those of a program that memdash has started, all its Python processes, or that of one target.

An agent is let in when the kernel names its user as the one that the place was made for, and it knows the token. It
then waits, doing nothing, until the watch over its process claims it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
import time
from collections.abc import Iterator

from memdash.errors import AgentUnreachable
from memdash.probes.cpython.agent.leftovers import CAME, CUSTOMIZE, FAILURE, REST, SCRIPT
from memdash.probes.cpython.agent.peer import Peer
from memdash.probes.cpython.agent.place import Place
from memdash.probes.cpython.agent.script import agent_text, customize_text, first_text

__all__ = ["Agents"]

_MOST_STRANGERS = 64
_MOST_AGENTS = 1000
_GREETING_S = 5.0


class Agents:
    """Listens as long as it is open; whatever has come is looked at when somebody claims. Safe from any thread."""

    def __init__(self, place: Place, *, follows_forks: bool) -> None:
        """Takes ``place`` over. Raises AgentUnreachable, and then it is closed."""
        self._place = place
        self._token = os.urandom(16).hex()
        self._lock = threading.Lock()
        self._strangers: dict[Peer, float] = {}
        self._waiting: dict[int, Peer] = {}
        self._listening = None
        self._is_called, self._has_come = not follows_forks, False
        atexit.register(self.close)  # the thread that is to close it may be held up by the target until then
        try:
            place.write(SCRIPT, first_text(f"{place.path}/{REST}").encode())
            rest = agent_text(place.socket_path, self._token, place.path, follows_forks=follows_forks)
            place.write(REST, rest.encode())
            if follows_forks:
                place.write(CUSTOMIZE, customize_text().encode())
            self._listening = place.listen()
            place.hand_over()
        except OSError as error:
            self.close()
            raise AgentUnreachable(f"no place could be made to meet the agent in: {error.strerror}") from None

    @property
    def path(self) -> str:
        """The directory as the target sees it."""
        return self._place.path

    @property
    def script_path(self) -> str:
        """What a target is to run so that its agent comes, as it sees it; running it again does no harm."""
        return f"{self._place.path}/{SCRIPT}"

    def bring(self, name: str, content: bytes) -> None:
        """Put a file beside the script, for its targets to open; it stays if it is there. Raises AgentUnreachable."""
        with self._lock:
            if self._listening is None:
                raise AgentUnreachable("the agent has gone")
            try:
                self._place.bring(name, content)
            except OSError as error:
                raise AgentUnreachable(f"{name} cannot be put where the agent is met: {error.strerror}") from None

    def failure(self) -> str:
        """Why an agent could not start, in its own words, which are not to be trusted; empty when none has said so."""
        with self._lock:
            return self._place.told(FAILURE) if self._listening is not None else ""

    def claim(self, pid: int) -> Peer | None:
        """The agent of a process, once it is there; from then on it is the caller's, who may give it back."""
        with self._lock:
            self._look()
            return self._waiting.pop(pid, None)

    def give_back(self, peer: Peer) -> None:
        """Let an agent wait again, for the next one who claims it."""
        with self._lock:
            if self._listening is None:
                peer.close()
            else:
                self._admit(peer)

    def close(self) -> None:
        """Let all who wait go, and remove every trace. May be called twice."""
        with self._lock:
            for peer in (*self._strangers, *self._waiting.values()):
                peer.close()
            self._strangers.clear()
            self._waiting.clear()
            if self._listening is not None:
                self._listening.close()
                self._listening = None
            self._place.close()
        atexit.unregister(self.close)

    def __enter__(self) -> Agents:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _look(self) -> None:
        """Let in who has come, and let go who has gone."""
        for pid, peer in list(self._waiting.items()):
            if peer.is_gone():
                peer.close()
                del self._waiting[pid]
        now_s = time.monotonic()
        for peer in self._newcomers():
            self._strangers[peer] = now_s + _GREETING_S
        for peer, until_s in list(self._strangers.items()):
            with contextlib.suppress(AgentUnreachable):
                greeting = peer.greeting()
                if greeting is None and now_s < until_s:
                    continue
                if greeting is not None and greeting.get("hello") == self._token:
                    del self._strangers[peer]
                    self._admit(peer)
                    continue
            del self._strangers[peer]
            peer.close()

    def _newcomers(self) -> Iterator[Peer]:
        while self._listening is not None and len(self._strangers) < _MOST_STRANGERS:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            peer = Peer(connection)
            if peer.uid == self._place.owner:
                yield peer
            else:
                peer.close()

    def _admit(self, peer: Peer) -> None:
        """One for each process: of two, the one that came first is that of the main interpreter."""
        held = self._waiting.get(peer.pid)
        if len(self._waiting) >= _MOST_AGENTS or (held is not None and not held.is_gone()):
            peer.close()
            return
        if held is not None:
            held.close()
        self._waiting[peer.pid] = peer
        if self._is_called and not self._has_come:
            self._has_come = True
            with contextlib.suppress(OSError):
                self._place.write(CAME, b"")
