"""A target that ends when told, who acts on it, and a listener that keeps all it hears."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from memdash.errors import BadRead, MemdashError
from memdash.model.action import Action, Deed
from memdash.model.capability import Capability
from memdash.model.missing import Maybe, Missing
from memdash.model.sample import Fact, Sample
from memdash.model.target import Ending, Silence
from tests.fakes import memstats

GO = frozenset({Capability.MEMSTATS})
PATIENCE_S = 10.0


class PipeWatch:
    """A target that ends when told: its descriptor becomes readable."""

    def __init__(self) -> None:
        self._read_fd, self._write_fd = os.pipe()
        self._ending: Ending | None = None
        self.closed = threading.Event()

    def end(self, ending: Ending) -> None:
        self._ending = ending
        os.write(self._write_fd, b"x")

    def check(self) -> Ending | None:
        return self._ending

    def silence(self) -> Silence | None:
        return None

    def fileno(self) -> int:
        return self._read_fd

    def close(self) -> None:
        if not self.closed.is_set():
            os.close(self._read_fd)
            os.close(self._write_fd)
            self.closed.set()


@dataclass
class Ear:
    samples: list[Sample] = field(default_factory=list)
    first: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    ending: Ending | None = None
    error: MemdashError | None = None
    offers: Mapping[Action, Maybe[str]] = field(default_factory=dict)
    news: list[str] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    def on_sample(self, sample: Sample) -> None:
        self.samples.append(sample)
        self.first.set()

    def on_offers(self, offers: Mapping[Action, Maybe[str]], news: Sequence[str]) -> None:
        self.offers = offers
        self.news += news

    def on_deed(self, deed: Deed) -> None:
        self.deeds.append(deed)
        self.done.set()

    def on_end(self, ending: Ending) -> None:
        self.ending = ending
        self.over.set()

    def on_failure(self, error: MemdashError) -> None:
        self.error = error
        self.over.set()


def answering() -> tuple[Fact, ...]:
    return (memstats(),)


class Actor:
    """Offers to force a collection, and refuses to trim."""

    def __init__(self) -> None:
        self.acted: list[Action] = []
        self.closed = 0

    def offers(self) -> Mapping[Action, Maybe[str]]:
        return {Action.FORCE_GC: "runs gc.collect()", Action.TRIM: Missing("no agent", "press a")}

    def act(self, action: Action) -> str:
        if self.acted:
            raise BadRead("it is busy")
        self.acted.append(action)
        return "12 objects freed"

    def cancel(self) -> None:
        """What it does is done at once."""

    def news(self) -> tuple[str, ...]:
        return ("hello",) if not self.acted else ()

    def close(self) -> None:
        self.closed += 1
