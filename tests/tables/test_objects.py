"""Live objects by type as a table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memdash.analysis.objects import count_by_type, object_groups
from memdash.model.missing import Missing
from memdash.model.snapshot import Snapshot
from memdash.tables.objects import ObjectMeasure, ObjectOrder, objects_table
from memdash.tables.table import Table, Tone
from tests.fakes import some_objects
from tests.tables.conftest import a_python_snapshot


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    now, then = count_by_type(some_objects()), count_by_type(some_objects(0.8))
    groups = object_groups(now, then, {"dict": (1, 2, 3)})
    shown = a_python_snapshot(objects=groups)
    return replace(shown, sample=replace(shown.sample, objects=some_objects()))


def column(table: Table, key: str) -> list[str]:
    index = [c.key for c in table.columns].index(key)
    return [row.cells[index].text for row in table.rows]


def test_the_largest_come_first_with_their_share(snapshot: Snapshot) -> None:
    table = objects_table(snapshot)
    assert column(table, "type")[:3] == ["dict", "str", "shop.cart.Order"]
    assert column(table, "figure")[0] == "61.7 MiB"
    assert column(table, "share")[:2] == ["59", "27"]
    assert column(table, "other")[0] == "367 513"
    assert column(table, "change")[0] == "+12.3 MiB"
    assert column(table, "other_change")[0] == "+73 503"
    cells = table.rows[0].cells
    assert cells[2].bar == 1.0
    assert cells[4].tone is Tone.GROWS
    assert cells[6].spark == (1.0, 2.0, 3.0)


def test_measured_by_objects(snapshot: Snapshot) -> None:
    table = objects_table(snapshot, ObjectMeasure.OBJECTS)
    assert [c.title for c in table.columns][:5] == ["objects", "%", "", "bytes", "Δ objects"]
    assert column(table, "figure")[0] == "367 513"
    assert column(table, "type")[3] == "list"


@pytest.mark.parametrize(
    ("order", "first", "reversed_first"),
    [
        (ObjectOrder.FIGURE, "dict", "collections.OrderedDict"),
        (ObjectOrder.OTHER, "dict", "collections.OrderedDict"),
        (ObjectOrder.CHANGE, "dict", "shop.internal.catalogue.search.index.inverted.Index.<locals>.Posting"),
        (ObjectOrder.TYPE, "collections.OrderedDict", "tuple"),
    ],
)
def test_orders(snapshot: Snapshot, order: ObjectOrder, first: str, reversed_first: str) -> None:
    assert column(objects_table(snapshot, order=order), "type")[0] == first
    assert reversed_first in column(objects_table(snapshot, order=order, reverse=True), "type")


def test_a_text_keeps_the_types_that_contain_it(snapshot: Snapshot) -> None:
    assert column(objects_table(snapshot, wanted="DICT"), "type") == ["dict", "collections.OrderedDict"]
    assert objects_table(snapshot, wanted="no such").empty == "no type matches 'no such'"


def test_a_type_that_is_gone_stays_with_its_loss(snapshot: Snapshot) -> None:
    then = count_by_type(some_objects())
    now = {name: row for name, row in then.items() if name != "list"}
    table = objects_table(replace(snapshot, objects=object_groups(now, then, {})))
    row = next(row for row in table.rows if row.key == "list")
    assert (row.cells[0].text, row.cells[4].text, row.cells[4].tone) == ("0 B", "-5.60 MiB", Tone.SHRINKS)


def test_below_stands_how_to_get_sites(snapshot: Snapshot) -> None:
    why = Missing("CPython keeps no record", "start it as memdash --trace")
    assert objects_table(replace(snapshot, groups=why)).footnote == "Start it as memdash --trace"
    assert objects_table(snapshot).footnote == ""


def test_without_objects_it_says_why(snapshot: Snapshot) -> None:
    table = objects_table(replace(snapshot, objects=Missing("objects are being counted: 34 % so far")))
    assert (table.rows, table.empty) == ((), "Objects are being counted: 34 % so far")


def test_every_row_has_a_cell_a_column_and_figures_fit(snapshot: Snapshot) -> None:
    for measure in ObjectMeasure:
        table = objects_table(snapshot, measure)
        for row in table.rows:
            for cell, spec in zip(row.cells, table.columns, strict=True):
                assert not spec.width or len(cell.text) <= spec.width
