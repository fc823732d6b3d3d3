"""One way of reading opened on one target, at once or on a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from memdash.errors import ProbeError, TargetError, TargetExited, UnsupportedRuntime, defects_told
from memdash.model.action import Action
from memdash.model.missing import Maybe, Missing
from memdash.model.target import Target
from memdash.probes.probe import Attachment, Fit, ProbeEntry, Refusal, judged

__all__ = ["LOOKED_FOR", "Late", "Opening", "opening"]

LOOKED_FOR = Missing("what could be asked in the program is still being looked for")


@dataclass(frozen=True, slots=True)
class Opening:
    """What came of it: an attachment, or why there is none."""

    entry: ProbeEntry
    verdict: Fit | Refusal
    outcome: Attachment | ProbeError | TargetError | None = None

    def close(self) -> None:
        """Let go of what nobody wants any more."""
        if isinstance(self.outcome, Attachment):
            self.outcome.close()


def opening(entry: ProbeEntry, target: Target) -> Opening:
    """Try to open it. Raises TargetExited."""
    verdict = judged(entry, target)
    if isinstance(verdict, Refusal):
        return Opening(entry, verdict)
    try:
        with defects_told():
            return Opening(entry, verdict, entry.attach(target))
    except TargetExited:
        raise
    except (ProbeError, TargetError) as error:
        return Opening(entry, verdict, error)


class Late:
    """Opens those who have to ask somebody first, so that nothing else waits for an answer.

    An actor that offers only to wait; when it is asked, ``join`` is given what has been opened meanwhile, and who is
    still being opened.
    """

    def __init__(
        self,
        target: Target,
        entries: Sequence[ProbeEntry],
        join: Callable[[Opening, Sequence[ProbeEntry]], object],
    ) -> None:
        self._target = target
        self._waiting = list(entries)
        self._join = join
        self._opened: SimpleQueue[Opening | TargetExited] = SimpleQueue()
        self._closed = threading.Event()
        threading.Thread(target=self._open, args=(tuple(entries),), name="memdash-opening", daemon=True).start()

    def _open(self, entries: Sequence[ProbeEntry]) -> None:
        for entry in entries:
            if self._closed.is_set():
                return
            try:
                self._opened.put(opening(entry, self._target))
            except TargetExited as error:
                self._opened.put(error)
                return
            if self._closed.is_set():
                self.close()

    def offers(self) -> Mapping[Action, Maybe[str]]:
        """That it is being looked for, as long as it is. Raises TargetExited."""
        while (found := self._next()) is not None:
            if isinstance(found, TargetExited):
                raise found
            self._waiting.remove(found.entry)
            self._join(found, tuple(self._waiting))
        return dict.fromkeys(frozenset[Action]().union(*(entry.wanted_for for entry in self._waiting)), LOOKED_FOR)

    def _next(self) -> Opening | TargetExited | None:
        try:
            return self._opened.get_nowait()
        except Empty:
            return None

    def act(self, action: Action) -> str:
        """Raises UnsupportedRuntime."""
        raise UnsupportedRuntime(f"{action.value} has to wait: {LOOKED_FOR.why}")

    def cancel(self) -> None:
        """Join nobody any more. From any thread."""
        self._closed.set()

    def news(self) -> tuple[str, ...]:
        """Told when they are joined."""
        return ()

    def close(self) -> None:
        """Let go of all that has not been joined, now or when it has been opened. May be called twice."""
        self._closed.set()
        while (found := self._next()) is not None:
            if isinstance(found, Opening):
                found.close()
