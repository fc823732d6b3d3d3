"""What is said of an action: what it changed, where that can be compared, and no more than has been done."""

from __future__ import annotations

from dataclasses import replace

from memdash.analysis.deeds import changes, deed_figures, deed_words, freed_bytes
from memdash.model.action import Action, Deed
from memdash.model.capability import Capability, Source
from memdash.model.missing import Missing
from memdash.model.sample import Instant, Origin, Sample
from memdash.units import MIB
from tests.fakes import a_sample, a_system, memstats

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
    assert words.startswith(
        "force GC: 12 objects collected in 250.0 ms · freed 2.00 MiB · HeapAlloc 4.00 MiB → 2.00 MiB · HeapObjects "
    )


def test_figures_of_two_sources_are_not_compared() -> None:
    words = deed_words(collection(Source.MEMORY, Source.AGENT))
    assert words.startswith("force GC: 12 objects collected in 250.0 ms · RSS ")
    assert "Heap" not in words
    assert "freed" not in words


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


def test_what_was_allocated_and_freed_meanwhile_is_no_effect() -> None:
    deed = collection(Source.MEMORY, Source.MEMORY)
    busy = replace(deed, after=replace(deed.after, memstats=memstats(4 * MIB, TotalAlloc=(81 * 1024 + 9) * MIB)))
    assert freed_bytes(busy) == 0
    assert "freed nothing · HeapAlloc 4.00 MiB → 4.00 MiB" in deed_words(busy)


def test_a_heap_that_only_grew_was_not_freed() -> None:
    deed = collection(Source.AGENT, Source.AGENT)
    grown = replace(deed, after=replace(deed.after, memstats=memstats(6 * MIB)))
    assert freed_bytes(grown) == -2 * MIB
    assert " · freed nothing · " in deed_words(grown)


def test_a_trim_gives_back_what_rss_lost() -> None:
    deed = replace(collection(Source.AGENT, Source.AGENT), action=Action.TRIM, outcome="memory given back")
    trimmed = replace(deed, after=replace(deed.after, system=a_system(rss_bytes=530 * MIB)))
    assert freed_bytes(trimmed) == 3 * MIB
    assert "trim: memory given back in 250.0 ms · gave back 3.00 MiB · " in deed_words(trimmed)


def test_an_old_figure_is_none_of_after() -> None:
    deed = collection(Source.MEMORY, Source.MEMORY)
    late = {Capability.MEMSTATS: Origin(Source.MEMORY, AT, failing="it is busy")}
    assert isinstance(freed_bytes(replace(deed, after=replace(deed.after, origins=late))), Missing)


def test_what_memdash_did_by_itself_says_why() -> None:
    deed = replace(collection(Source.AGENT, Source.AGENT), cause="gc-at, 82 % of GOMEMLIMIT in use")
    assert deed_words(deed).startswith("force GC by gc-at, 82 % of GOMEMLIMIT in use: 12 objects collected in ")


def test_its_figures_are_those_of_the_sentence() -> None:
    deed = collection(Source.AGENT, Source.AGENT)
    figures = deed_figures(deed)
    assert figures["action"] == "force GC"
    assert (figures["took_s"], figures["freed_bytes"]) == (0.25, 2 * MIB)
    assert (figures["HeapAlloc.before"], figures["HeapAlloc.after"]) == (4 * MIB, 2 * MIB)
    assert "cause" not in figures
    assert [change.metric.key for change in changes(deed)] == ["HeapAlloc", "HeapObjects", "system.rss_bytes"]
    failed = replace(deed, outcome=Missing("it is gone"), cause="gc-at")
    assert deed_figures(failed) == {"action": "force GC", "took_s": 0.25, "cause": "gc-at"}


def test_an_action_is_its_word_and_knows_what_it_changes() -> None:
    words = ["load agent", "force GC", "trim", "sample allocations", "end sampling", "find leaks"]
    assert [action.value for action in Action] == words
    assert Action.UNSAMPLE.question("pid 7") == "End the sampling of pid 7?"
    assert Action.TRIM.changes >= {Capability.MEMSTATS, Capability.SYSTEM}
