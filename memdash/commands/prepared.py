"""What a command that we start is given on its way: memdash's agent for its Pythons, and tracing if that is wanted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from memdash.commands.output import tell
from memdash.errors import AgentUnreachable
from memdash.probes.probe import ProbeEntry
from memdash.probes.registry import PROBES, probes_with

__all__ = ["Prepared", "prepared", "tell_tracing"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What to add to the environment of the command, and who reads what comes of it."""

    environment: Mapping[str, str] = field(default_factory=dict)
    entries: Sequence[ProbeEntry] = PROBES


def tell_tracing(trace: int | None) -> None:
    """Say what it costs that somebody has asked for tracing."""
    if trace is not None:
        tell("tracing is on: a Python that allocates much runs several times slower")


@contextlib.contextmanager
def prepared(*, agent: bool, trace: int | None = None) -> Iterator[Prepared]:
    """With ``agent``, Pythons load it as they start, where a place can be made for them to meet.

    With ``trace``, they keep so many frames of each allocation's stack.
    """
    traced = {} if trace is None else {"PYTHONTRACEMALLOC": str(trace)}
    if not agent:
        yield Prepared(traced)
        return
    from memdash.probes.cpython.agent.launch import agents_of_ours, environment_for

    try:
        agents = agents_of_ours()
    except AgentUnreachable as error:
        tell(f"it starts without memdash's agent: {error.what}")
        yield Prepared(traced)
        return
    with agents:
        yield Prepared({**environment_for(agents), **traced}, probes_with(agents))
