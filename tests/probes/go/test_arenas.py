"""Where the heap is said to be."""

import pytest

from memdash.errors import BadRead
from memdash.model.residence import Arenas
from memdash.probes.go.arenas import read_arenas
from memdash.probes.go.probes import ArenasProbe
from tests.probes.go.runtime import FakeRuntime

CHUNK = 4 << 20
FIRST, SECOND = (0xC0_0000_0000, 0xC0_0000_0000 + 7 * CHUNK), (0xC1_0000_0000, 0xC1_0000_0000 + CHUNK)


def test_the_ranges_of_the_page_allocator(runtime: FakeRuntime) -> None:
    runtime.arenas(FIRST, SECOND)
    assert read_arenas(runtime.program) == (FIRST, SECOND)


def test_a_program_that_has_just_begun_has_none(runtime: FakeRuntime) -> None:
    assert read_arenas(runtime.program) == ()


@pytest.mark.parametrize(
    ("ranges", "total"),
    [
        ((FIRST, SECOND), 7 * CHUNK),
        ((SECOND, FIRST), None),
        (((FIRST[1], FIRST[0]),), None),
        (((FIRST[0], FIRST[0] + 4096),), None),
    ],
    ids=["total", "order", "backwards", "part of a chunk"],
)
def test_what_does_not_add_up_is_refused(
    runtime: FakeRuntime, ranges: tuple[tuple[int, int], ...], total: int | None
) -> None:
    if total is None:
        total = sum(end - start for start, end in ranges) % (1 << 64)
    runtime.arenas(*ranges, total=total)
    with pytest.raises(BadRead, match="add up"):
        read_arenas(runtime.program)


def test_an_absurd_number_is_refused(runtime: FakeRuntime) -> None:
    at = runtime.addresses["mheap_"] + runtime.at("mheap", "pages") + runtime.at("pageAlloc", "inUse")
    runtime.put(at + 8, (1 << 40).to_bytes(8, "little"))
    with pytest.raises(BadRead, match="pieces"):
        read_arenas(runtime.program)


def test_the_probe_counts_their_pages(runtime: FakeRuntime) -> None:
    """The ranges are not mapped in our own process, so there is none."""
    runtime.arenas(FIRST)
    probe = ArenasProbe(runtime.program)
    assert probe.read().facts == (Arenas((FIRST,), 0, 0),)
    probe.close()
    probe.close()
