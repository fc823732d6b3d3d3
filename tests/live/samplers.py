"""Python programs whose allocations are sampled, as memdash does it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from memdash.errors import ProbeError
from memdash.model.action import Action
from memdash.model.memstats import MemStats
from memdash.model.missing import Missing
from memdash.model.profile import Profile, Site, Usage
from memdash.model.sample import Reading
from memdash.probes.cpython import CPython
from memdash.probes.cpython.agent.agents import Agents
from memdash.probes.cpython.agent.launch import environment_for
from memdash.probes.cpython.probes import PymallocProbe
from memdash.probes.cpython.sampler.fitting import built
from memdash.probes.cpython.sampler.readings import SitesProbe
from memdash.probes.cpython.sampler.sampling import Sampling
from memdash.process.identity import identify
from tests.live.target import LiveTarget
from tests.waiting import until

__all__ = ["Held", "SampledTarget", "by_function", "needs_a_sampler"]

_PROGRAM = Path(__file__).parent / "programs/python/sampled.py"

needs_a_sampler = pytest.mark.skipif(
    not built(), reason="no sampler is built: python -m memdash.probes.cpython.sampler.build"
)


class Held(NamedTuple):
    """What the sites of one function add up to."""

    usage: Usage
    stacks: int


def by_function(profile: Profile) -> Mapping[str, Held]:
    """Sites by the last part of the name of their innermost function."""
    found: dict[str, list[Site]] = defaultdict(list)
    for site in profile.sites:
        found[site.leaf.function.rpartition(".")[2]].append(site)
    return {
        name: Held(Usage(*map(sum, zip(*(site.usage for site in sites), strict=True))), len(sites))
        for name, sites in found.items()
    }


class SampledTarget(LiveTarget):
    """The program of ``programs/python/sampled.py``, with the probes of a watch that wants it sampled."""

    def __init__(
        self,
        interpreter: Path,
        agents: Agents | None,
        sampling: Sampling | None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        launched = environment_for(agents) if agents is not None else {}
        super().__init__([interpreter, _PROGRAM], {**launched, **(environment or {})})
        try:
            self.attachment = CPython(launched=agents, sampling=sampling).attach(identify(self.pid))
            self._sites = self._probe(SitesProbe)
            self._memstats = self._probe(PymallocProbe)
        except BaseException:
            super().kill()
            raise

    def _probe(self, kind: type[Any]) -> Any:
        return next(probe for probe in self.attachment.probes if isinstance(probe, kind))

    def told(self, *words: str | int) -> Any:
        """The answer to a command, which is JSON."""
        return json.loads(self.command(*words))

    def reading(self, awaited: Callable[[Reading], object]) -> Reading:
        """The first reading of the sites of which that is so."""

        def look() -> Reading | None:
            with suppress(ProbeError):  # what is being switched may be half on
                reading: Reading = self._sites.read()
                return reading if awaited(reading) else None
            return None

        return until(look, "what is awaited of the sites")

    def profile(self) -> Profile:
        """All that has been sampled until now."""
        self.reading(lambda reading: reading.facts)
        (profile,) = self.reading(lambda reading: reading.facts).facts
        assert isinstance(profile, Profile)
        return profile

    def refusal(self) -> Missing:
        """Why it is not sampled."""
        absent = self.reading(lambda reading: reading.absent and "asked" not in reading.absent.why).absent
        assert absent is not None
        return absent

    def memstats(self) -> MemStats:
        """What is read of the allocators."""
        fact = self._memstats.read().facts[0]
        assert isinstance(fact, MemStats)
        return fact

    def act(self, action: Action) -> str:
        """What comes of an action, by the first who offers it."""
        actor = next(each for each in self.attachment.actors if action in each.offers())
        return actor.act(action)

    def offered(self, action: Action) -> str:
        """The sentence that says what it would do, waited for."""

        def look() -> str | None:
            offers = (actor.offers().get(action) for actor in self.attachment.actors)
            return next((offer for offer in offers if isinstance(offer, str)), None)

        return until(look, f"the offer to {action.value}")

    def detach(self) -> None:
        """Let the target go. May be called twice."""
        self.attachment.close()

    def kill(self) -> None:
        """End it, and the watch."""
        self.detach()
        super().kill()
