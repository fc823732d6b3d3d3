"""What is to be sampled of a Python's allocations, and how densely."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DOMAINS", "Sampling"]

DOMAINS = {"raw": 1, "mem": 2, "obj": 4, "numpy": 8}
"""The bits of ``domain_t`` in ``sampler.c``; the names are those that ``config_values`` knows.

``obj`` and ``mem`` need the GIL; by ``raw`` zlib and others get buffers without it.
"""


@dataclass(frozen=True, slots=True)
class Sampling:
    """One sample every ``rate_bytes`` in the mean, with stacks of up to ``depth`` frames.

    64 KiB: it costs hardly more than 2 MiB, for what an allocation costs that is not sampled counts most, and finds
    the largest sites with an error of some 6 %. ``at_once`` is as soon as there is an agent; else a person has to ask.
    """

    rate_bytes: int = 64 << 10
    domains: tuple[str, ...] = tuple(DOMAINS)
    depth: int = 32
    at_once: bool = True

    @property
    def bits(self) -> int:
        """The domains as the sampler takes them."""
        return sum(DOMAINS[name] for name in self.domains)
