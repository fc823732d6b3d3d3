"""``--sample``: what is sampled of a Python's allocations, in what we start and in what runs already."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from memdash.commands.options import typed
from memdash.errors import UsageError

if TYPE_CHECKING:
    from memdash.probes.cpython.sampler.sampling import Sampling

__all__ = ["Sampled", "refuse_agent"]


@dataclass(frozen=True, slots=True)
class Sampled:
    """What the user said of it."""

    sample: int | None
    sample_domains: tuple[str, ...]

    def of_command(self, trace: int | None, *, read_only: bool) -> Sampling | None:
        """In what we start: unless it is said otherwise, or traced. Raises UsageError for what contradicts itself."""
        is_meant = bool(self.sample) and typed("sample")
        if is_meant and read_only:
            raise UsageError("--sample and --read-only exclude each other", "leave one of them away")
        if is_meant and trace is not None:
            raise UsageError(
                "--trace and --sample exclude each other: either tells the allocation sites",
                "--sample takes 4 to 15 % of CPU time, --trace is exact and takes several times what the program does",
            )
        return None if read_only or trace is not None or self.sample == 0 else self.of_profile()

    def of_running(self, *, agent: bool) -> Sampling | None:
        """In what runs already: at once where its agent is asked for too, else when asked. Raises UsageError."""
        if self.sample and not agent and typed("sample"):
            raise UsageError(
                "a program that runs is sampled by memdash's agent, and that is only loaded when it is asked for",
                "give --agent too; what memdash -- COMMAND and memdash check -- COMMAND start is sampled without it",
            )
        return replace(self.of_profile(), at_once=agent) if self.sample else None

    def check_of_profile(self, *, agent: bool) -> None:
        """Raise UsageError for what contradicts that for a profile the agent samples, and nobody else."""
        if not agent and self.sample and typed("sample"):
            raise UsageError("--sample is for what memdash's agent samples", "add --agent")
        if agent and self.sample == 0 and typed("sample"):
            raise UsageError("--agent samples for the profile, and --sample off says not to", "leave one of them away")

    def of_profile(self) -> Sampling:
        """By the agent, for a profile alone: at the rate that was said, or the usual one."""
        from memdash.probes.cpython.sampler.sampling import Sampling  # none of those who only read need it

        usual = Sampling(domains=self.sample_domains)
        return replace(usual, rate_bytes=self.sample) if self.sample else usual


def refuse_agent(*, agent: bool, read_only: bool) -> None:
    """Raise UsageError where an agent is to come into a program to which nothing is to be done."""
    if agent and read_only:
        raise UsageError("--agent and --read-only exclude each other", "leave one of them away")
