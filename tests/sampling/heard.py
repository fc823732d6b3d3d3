"""What a sampler tells, and a watch whose target ends when a test wants."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from memdash.errors import MemdashError
from memdash.model.action import Action, Deed
from memdash.model.capability import Capability
from memdash.model.missing import Maybe
from memdash.model.sample import Fact, Sample
from memdash.model.target import Ending, Silence
from memdash.sampling.clock import SystemClock
from memdash.sampling.roster import Roster
from memdash.sampling.sampler import Sampler
from tests.fakes import FakeProbe, memstats

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


def sampler(probe: FakeProbe, watch: PipeWatch, ear: Ear, interval_s: float = 60.0) -> Sampler:
    clock = SystemClock()
    return Sampler(lambda: Roster([probe], {}, clock), watch, clock, interval_s, ear)
