"""The list of ways of reading is written once."""

from __future__ import annotations

from memdash.probes.cpython import CPython
from memdash.probes.cpython.agent.launch import agents_of_ours
from memdash.probes.registry import PROBES, probes_with


def test_a_watch_of_what_memdash_started_reads_in_the_same_ways() -> None:
    with agents_of_ours() as agents:
        entries = probes_with(agents)
    assert [entry.name for entry in entries] == [entry.name for entry in PROBES]
    assert [entry.launched for entry in entries if isinstance(entry, CPython)] == [agents]
