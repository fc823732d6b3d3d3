"""All there is to say about the live objects of one type."""

from __future__ import annotations

from dataclasses import replace

from memdash.analysis.objects import count_by_type, object_groups
from memdash.model.capability import Capability, Source
from memdash.model.missing import Missing
from memdash.model.sample import Instant, Origin
from memdash.model.snapshot import Snapshot
from memdash.tables.row_figures import RowFigure
from memdash.tables.row_type import type_figures, type_paragraphs
from memdash.tables.table import Tone
from tests.fakes import NOON_S, some_objects
from tests.tables.conftest import a_python_snapshot

AT = Instant(NOON_S, 10_000.0)


def a_snapshot(share_before: float) -> Snapshot:
    now, then = count_by_type(some_objects()), count_by_type(some_objects(share_before))
    return a_python_snapshot(objects=object_groups(now, then, {}), since={Capability.OBJECTS: AT})


def figures(snapshot: Snapshot) -> dict[str, RowFigure]:
    assert not isinstance(snapshot.objects, Missing)
    return {figure.label: figure for figure in type_figures(snapshot.objects[0], snapshot)}


def test_figures_say_since_when_they_changed() -> None:
    shown = figures(a_snapshot(0.8))
    assert shown["holds"] == RowFigure("holds", "61.7 MiB", "367 513", "objects, 59.2 % of all", tone=Tone.STRONG)
    assert shown["change"][1:3] == ("+12.3 MiB", "+73 503")
    assert shown["change"].tone is Tone.GROWS
    assert list(shown) == ["holds", "change", "each"]


def test_one_look_says_nothing_of_changes() -> None:
    assert figures(a_snapshot(1.0))["change"].more == "a change takes two readings"


def test_what_counts_and_what_is_not_counted() -> None:
    shown = a_snapshot(0.8)
    assert len(type_paragraphs(shown)) == 1
    origins = {Capability.OBJECTS: Origin(Source.MEMORY, AT, ("numbers are none", "so are names"))}
    shown = replace(shown, sample=replace(shown.sample, origins=origins))
    assert type_paragraphs(shown)[1] == "Numbers are none; so are names."
