"""One process under stress whose allocations are sampled and not, in turns, while the samples are read from outside.

The sampler gets in, is switched and is read as memdash does it. Whatever shows that anything was there is an
AssertionError: a result that is not that of a process left alone, an answer that does not come, a line on stderr,
allocators that are not those from before, an exit code.
"""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

from memdash.errors import ProbeError
from memdash.model.action import Action
from memdash.model.missing import Missing
from memdash.model.profile import Profile
from memdash.probes.cpython.agent.agents import Agents
from memdash.probes.cpython.agent.launch import agents_of_ours, environment_for
from memdash.probes.cpython.agent.link import AgentLink
from memdash.probes.cpython.sampler.sampling import DOMAINS, Sampling
from memdash.probes.cpython.sampler.switch import Switch
from tests.live.packages import joined
from tests.live.sampling import SamplerSide
from tests.live.target import LiveTarget
from tests.waiting import until

__all__ = ["ENDINGS", "Counts", "Trial", "run"]

ENDINGS = ("return", "exit", "quit", "exec")
"""The last of them goes on as another program under the same pid, and is sampled there too."""

_PROGRAM = Path(__file__).parent / "mixture.py"
_RATES_BYTES = (512, 4 << 10, 64 << 10)
_DEEPEST = 64
_LONGEST_TURN_S = 0.06
_PATIENCE_S = 60.0
_ROOM_MIB = 150
_ENOUGH = 16
"""Cycles, of which every other one is read: by chance."""
_NOT_YET = "has not ended yet"


class Trial(NamedTuple):
    """What is to be done: the interpreter, the set of works in mixture.py, whether it is launched or injected into.

    ``packages`` is what the works import besides the standard library.
    """

    executable: Path
    works: str
    launched: bool
    ending: str
    seconds: float
    seed: int
    packages: Path | None = None


@dataclass(slots=True)
class Counts:
    """How much there was of it."""

    cycles: int = 0
    refused: int = 0
    readings: int = 0
    samples: int = 0
    stale: int = 0
    signals: int = 0
    rounds: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        rounds = sum(self.rounds.values())
        return (
            f"{self.cycles} cycles, {self.samples} samples, {self.readings} readings, {rounds} rounds, "
            f"{self.signals} signals, {self.refused} refused, {self.stale} stale"
        )


class Stressed(LiveTarget):
    """The program of ``mixture.py``; what it writes to stderr is kept."""

    def __init__(self, trial: Trial, environment: Mapping[str, str]) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the target
        super().__init__(
            [trial.executable, "-W", "ignore", _PROGRAM, trial.works],
            _with(trial.packages, environment),
            stderr=self._errors,
        )

    def end(self, way: str) -> None:
        """See it end, having said nothing."""
        self.send("end", way)
        if way == "exec":
            word, pid, _ = self._line().split()
            assert (word, pid) == ("ready", str(self.pid))
            return
        code = self._process.wait(_PATIENCE_S)
        assert self._process.stdout is not None
        unasked = self._unread + self._process.stdout.read()
        ended = code, unasked, self.complaints()
        assert ended == (0, b"", b""), ended

    def complaints(self) -> bytes:
        self._errors.seek(0)
        return self._errors.read()

    def kill(self) -> None:
        super().kill()
        self._errors.close()


def run(trial: Trial) -> Counts:
    """Raises AssertionError, or what LiveTarget raises of a target that has died or hangs."""
    rng, counts = random.Random(trial.seed), Counts()
    expected = _undisturbed(trial.executable, trial.works, trial.packages)
    with agents_of_ours() as agents, Stressed(trial, environment_for(agents) if trial.launched else {}) as target:
        before = target.command("allocators")
        target.command("expect", expected)
        _limit(target, trial.works)
        target.command("begin")
        with closing(SamplerSide(target.pid, agents if trial.launched else None)) as side:
            side.meet()
            until_s = time.monotonic() + trial.seconds
            while time.monotonic() < until_s and _is_there(side.link, trial):
                _cycle(side, rng, counts, trial)
            told = json.loads(target.command("finish"))
            assert told["wrong"] == [], told["wrong"]
            counts.rounds, counts.signals = told["rounds"], told["signals"]
            if trial.works != "memory":
                assert min(counts.samples, *counts.rounds.values()) > 0, counts
                assert counts.readings or counts.cycles < _ENOUGH, counts
            # an agent that had no memory left gives the allocators back when it has gone
            until(lambda: target.command("allocators") == before, "the program's own allocators")
            if _is_there(side.link, trial):
                target.command("begin" if trial.ending != "exit" else "rounds")
                _switch(side.switch(_any_sampling(rng)), Action.SAMPLE, counts, trial)
            target.end(trial.ending)
        if trial.ending == "exec":
            _after_exec(target, agents, trial, counts)
    return counts


def _limit(target: LiveTarget, works: str) -> None:
    if works == "memory":
        target.command("limit", _ROOM_MIB)


def _after_exec(target: Stressed, agents: Agents, trial: Trial, counts: Counts) -> None:
    with closing(SamplerSide(target.pid, agents if trial.launched else None)) as side:
        side.meet()
        _switch(side.switch(Sampling()), Action.SAMPLE, counts, trial)
        target.end("exit")


def _cycle(side: SamplerSide, rng: random.Random, counts: Counts, trial: Trial) -> None:
    """On, read or not, off."""
    switch = side.switch(_any_sampling(rng))
    if not _switch(switch, Action.SAMPLE, counts, trial):
        return
    feed = side.feed(switch)
    until_s = time.monotonic() + rng.random() * _LONGEST_TURN_S
    try:
        sites = feed.sites()
        if rng.random() < 0.5 and not isinstance(sites, Missing):
            probe = side.probe(feed)
            reading = probe.read()
            while reading.pending and time.monotonic() < until_s + 1:
                reading = probe.read()
            for profile in reading.facts:
                assert isinstance(profile, Profile)
                assert profile.total.alloc_bytes >= profile.total.inuse_bytes >= 0
                counts.readings += 1
        time.sleep(max(until_s - time.monotonic(), 0))
        if not isinstance(sites, Missing):
            header = sites.tables.look().header
            counts.samples += header.samples
            counts.stale += header.stale
    finally:
        _switch(switch, Action.UNSAMPLE, counts, trial)
    counts.cycles += 1


def _switch(switch: Switch, action: Action, counts: Counts, trial: Trial) -> bool:
    """Whether that was done; it may ask for another try, and where there is no memory left all may fail."""
    try:
        switch.act(action)
    except ProbeError as error:
        if trial.works != "memory" and _NOT_YET not in error.what:
            raise
        counts.refused += 1
        return False
    return True


def _is_there(link: AgentLink, trial: Trial) -> bool:
    """Where there is no memory left, the agent may have gone."""
    return trial.works != "memory" or link.absence() is None


def _any_sampling(rng: random.Random) -> Sampling:
    domains = tuple(name for name in DOMAINS if rng.random() < 0.7) or tuple(DOMAINS)
    return Sampling(rng.choice(_RATES_BYTES), domains, rng.randint(1, _DEEPEST))


@cache
def _undisturbed(executable: Path, works: str, packages: Path | None) -> str:
    """What the works make in a process of their own."""
    with LiveTarget([executable, "-W", "ignore", _PROGRAM, works], _with(packages, {})) as target:
        _limit(target, works)
        return target.command("digests")


def _with(packages: Path | None, environment: Mapping[str, str]) -> Mapping[str, str]:
    return environment if packages is None else joined(environment, {"PYTHONPATH": str(packages)})
