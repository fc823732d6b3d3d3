"""What runs on this machine and how well each process can be read."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from memdash.model.target import Target
from memdash.probes.probe import Fit, ProbeEntry, Refusal, judged
from memdash.process.forest import forest
from memdash.process.listing import processes

__all__ = ["Surveyed", "survey"]

_TOO_LATE = Refusal("not looked at: the list would have taken too long", "memdash doctor PID looks at one process")


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A process, its runtime if one was made out, and what each way of reading says, most telling first.

    ``above`` are the pids over it in its tree, the outermost first; ``below`` is how many it and those have started,
    ``tree_rss_bytes`` the RSS of it and of all of them.
    """

    target: Target
    rss_bytes: int
    up_s: float
    verdicts: tuple[tuple[str, Fit | Refusal], ...]
    above: tuple[int, ...] = ()
    below: int = 0
    tree_rss_bytes: int = 0

    @property
    def best(self) -> Fit | None:
        """The most telling way of reading it."""
        fits = [verdict for _, verdict in self.verdicts if isinstance(verdict, Fit)]
        return max(fits, key=lambda fit: fit.score, default=None)


def survey(
    entries: Sequence[ProbeEntry], limit_s: float, clock_s: Callable[[], float] = time.monotonic
) -> Iterator[Surveyed]:
    """Judge every local process but this one, tree by tree, the largest first, as fast as the caller takes them.

    An executable is judged once for each user that runs it. After ``limit_s`` seconds the rest are listed unjudged.
    """
    until_s = clock_s() + limit_s
    verdicts_of: dict[tuple[tuple[int, int], int], tuple[tuple[str, Fit | Refusal], ...]] = {}
    for planted in forest(candidate for candidate in processes() if candidate.target.pid != os.getpid()):
        target = planted.candidate.target
        key = (target.exe_id, target.uid)
        verdicts = verdicts_of.get(key) if target.exe else None
        if verdicts is None:
            late = clock_s() > until_s
            verdicts = tuple((entry.name, _TOO_LATE if late else judged(entry, target)) for entry in entries)
            if not late:
                verdicts_of[key] = verdicts
        surveyed = Surveyed(
            target,
            planted.candidate.rss_bytes,
            max(time.time() - target.started_at_s, 0.0),
            verdicts,
            planted.above,
            planted.below,
            planted.tree_rss_bytes,
        )
        if (best := surveyed.best) is not None:
            target = replace(target, runtime=best.runtime, runtime_version=best.runtime_version)
        yield replace(surveyed, target=target)
