"""What is said of an action: what it changed, where that can be compared, and no more than has been done."""

from __future__ import annotations

from dataclasses import replace

from memdash.analysis.deeds import deed_words
from memdash.model.action import Action, Deed
from memdash.model.capability import Capability, Source
from memdash.model.missing import Missing
from memdash.model.sample import Instant, Origin, Sample
from tests.fakes import MIB, a_sample, memstats

AT = Instant(0.0, 0.0)


def sample(heap_bytes: int, source: Source) -> Sample:
    return replace(a_sample(AT, memstats(heap_bytes)), origins={Capability.MEMSTATS: Origin(source, AT)})


def collection(before: Source, after: Source) -> Deed:
    return Deed(
        action=Action.FORCE_GC,
        outcome="12 objects collected",
        took_s=0.25,
        before=sample(4 * MIB, before),
        after=sample(2 * MIB, after),
    )


def test_figures_of_one_source_are_told_before_and_after() -> None:
    words = deed_words(collection(Source.AGENT, Source.AGENT))
    assert words.startswith("force GC: 12 objects collected in 250.0 ms · HeapAlloc 4.00 MiB → 2.00 MiB · HeapObjects ")


def test_figures_of_two_sources_are_not_compared() -> None:
    words = deed_words(collection(Source.MEMORY, Source.AGENT))
    assert words.startswith("force GC: 12 objects collected in 250.0 ms · RSS ")
    assert "Heap" not in words


def test_what_is_only_begun_is_said_to_be_under_way() -> None:
    deed = replace(collection(Source.AGENT, Source.AGENT), action=Action.LOAD_AGENT, outcome="asked for", begun=True)
    assert deed_words(deed) == "load agent, under way: asked for"


def test_a_failure_tells_why_and_what_helps() -> None:
    deed = replace(collection(Source.AGENT, Source.AGENT), outcome=Missing("it is gone", "start it again"))
    assert deed.failed
    assert deed_words(deed) == "force GC: It is gone. Start it again"


def test_what_changes_nothing_tells_no_figures() -> None:
    deed = replace(collection(Source.MEMORY, Source.MEMORY), action=Action.LOAD_AGENT, outcome="done")
    assert deed_words(deed) == "load agent: done"


def test_an_action_is_its_word_and_knows_what_it_changes() -> None:
    assert [action.value for action in Action] == ["load agent", "force GC", "trim", "find leaks"]
    assert Action.TRIM.changes >= {Capability.MEMSTATS, Capability.SYSTEM}
