"""Members of structs, wherever they stand."""

from __future__ import annotations

import struct

import pytest

from memdash.errors import LayoutRefused
from memdash.probes.cpython.record import Record


def test_members_come_in_our_order_from_wherever_they_stand() -> None:
    record = Record((24, "Q"), (8, "i"), (20, "B"))
    assert (record.start, record.size) == (8, 24)
    assert record.part(1000) == (1008, 24)
    buffer = struct.pack("<i8xB3xQ", -5, 7, 99)
    assert record.row(buffer) == (99, -5, 7)
    assert list(record.rows(buffer + buffer)) == [(99, -5, 7), (99, -5, 7)]


@pytest.mark.parametrize("at", [4, 1 << 20, (1 << 64) - 8])
def test_places_where_no_member_can_stand_are_refused(at: int) -> None:
    with pytest.raises(LayoutRefused):
        Record((0, "Q"), (at, "Q"))
