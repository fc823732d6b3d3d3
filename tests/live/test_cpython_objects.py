"""Live objects by type of every interpreter of this machine, against what its own collector counts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from memdash.errors import BadRead, TargetExited
from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.objects import Objects
from memdash.model.probe import Probe
from memdash.probes.cpython import CPYTHON
from memdash.probes.probe import Attachment
from memdash.process.identity import identify
from memdash.session import read_once
from tests.live.pythons import Python, each
from tests.live.target import LiveTarget

pytestmark = pytest.mark.live

PROGRAM = Path(__file__).parent / "programs/python/objects.py"
NUMBER = 2000
OWN_OBJECTS = 8
"""Objects of one type that running the target's command makes or frees besides those that were asked for."""

NAMES = {
    *(f"__main__.{name}" for name in ("WithDict", "Slotted", "Weak", "OfMeta", "OfMeta.Nested", "Ünïcode")),
    *("__main__.MyList", "__main__.MyDict", "__main__.Point", "shop.cart.cart.<locals>.Local"),
    *("list", "dict", "set", "collections.OrderedDict", "ValueError", "function"),
}

SOMETIMES_UNTRACKED = {"tuple", "dict", "frozenset"}
"""Those that hold nothing the collector could free are left out by gc.get_objects() in some versions."""


python = each(scope="module")


@pytest.fixture(scope="module")
def target(python: Python) -> Iterator[LiveTarget]:
    with LiveTarget([python.executable, PROGRAM]) as started:
        yield started


def census_of(attachment: Attachment) -> Probe:
    return next(probe for probe in attachment.probes if probe.name == "cpython.census")


@pytest.fixture
def probe(target: LiveTarget) -> Iterator[Probe]:
    attachment = CPYTHON.attach(identify(target.pid))
    yield census_of(attachment)
    for opened in attachment.probes:
        opened.close()


def counted(probe: Probe) -> Objects:
    """One whole round, however many reads it takes."""
    for _ in range(10_000):
        reading = probe.read()
        if reading.facts:
            (objects,) = reading.facts
            assert isinstance(objects, Objects)
            assert "objects of up to 512 bytes" in reading.caveats
            return objects
        assert reading.pending.startswith("objects are being counted: ")
    raise AssertionError("it goes on for ever")


def by_name(objects: Objects) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, number, _ in objects.types:
        found[name] = found.get(name, 0) + number
    return found


def test_types_are_counted_as_gc_counts_them(target: LiveTarget, probe: Probe) -> None:
    target.command("all", NUMBER)
    try:
        for _ in range(2):
            ours, told = by_name(counted(probe)), json.loads(target.command("count"))
            assert len(told) > 40
            assert told.keys() >= NAMES
            for name, number in told.items():
                if name in SOMETIMES_UNTRACKED:
                    assert number - OWN_OBJECTS <= ours[name]
                else:
                    assert abs(number - ours.get(name, 0)) <= OWN_OBJECTS, name
            target.command("thin")
            target.command("collect")
    finally:
        target.command("drop")


@pytest.mark.parametrize(
    ("made", "name"),
    [
        ("with_more", "__main__.WithDict"), ("my_str", "__main__.MyStr"), ("local", "shop.cart.cart.<locals>.Local"),
        ("dict", "dict"), ("cut_tuple", "tuple"), ("large_int", "int"), ("long_str", "str"), ("object", "object"),
        *(
            pytest.param(made, name, marks=pytest.mark.matrix)
            for made, name in (("my_int", "__main__.MyInt"), ("float", "float"), ("str", "str"), ("bytes", "bytes"))
        ),
    ],
)  # fmt: skip
def test_what_is_made_is_counted_and_what_is_dropped_no_longer(
    target: LiveTarget, probe: Probe, made: str, name: str
) -> None:
    before = by_name(counted(probe)).get(name, 0)
    target.command("make", made, NUMBER)
    held = counted(probe)
    assert by_name(held)[name] - before == pytest.approx(NUMBER, abs=OWN_OBJECTS)
    target.command("drop")
    target.command("collect")
    assert by_name(counted(probe)).get(name, 0) == pytest.approx(before, abs=OWN_OBJECTS)


def test_bytes_are_those_of_the_blocks(target: LiveTarget, probe: Probe) -> None:
    before, target_bytes = counted(probe), 32
    target.command("make", "float", NUMBER)
    after = counted(probe)
    target.command("drop")
    held = [sum(row.held_bytes for row in objects.types if row.name == "float") for objects in (before, after)]
    assert held[1] - held[0] == pytest.approx(NUMBER * target_bytes, abs=OWN_OBJECTS * target_bytes)


def test_lists_of_types_are_no_objects_of_them(target: LiveTarget, probe: Probe) -> None:
    before = by_name(counted(probe))
    target.command("make", "types", NUMBER)
    after = by_name(counted(probe))
    target.command("drop")
    for name in ("int", "str", "__main__.WithDict"):
        assert abs(after.get(name, 0) - before.get(name, 0)) <= OWN_OBJECTS
    assert after["list"] - before["list"] == pytest.approx(2 * NUMBER, abs=OWN_OBJECTS)
    assert after["tuple"] - before["tuple"] == pytest.approx(NUMBER, abs=OWN_OBJECTS)


def test_arrays_and_tables_are_unknown_bytes(target: LiveTarget, probe: Probe) -> None:
    before = counted(probe)
    target.command("make", "list", NUMBER)
    after = counted(probe)
    target.command("drop")
    assert after.unknown_bytes - before.unknown_bytes >= NUMBER * 8


def test_classes_that_come_and_go_keep_no_name(target: LiveTarget, probe: Probe) -> None:
    for name in ("First", "Other", "Third"):
        target.command("classes", name, 200)
        found = {kind for kind in by_name(counted(probe)) if kind[-1].isdigit() and kind.startswith("__main__.")}
        assert found == {f"__main__.{name}{number}" for number in range(200)}
    target.command("drop")


def test_a_program_that_runs_on_is_counted_all_the_same(target: LiveTarget, probe: Probe) -> None:
    target.command("make", "slotted", NUMBER)
    target.command("churn")
    try:
        for _ in range(5):
            found = by_name(counted(probe))
            assert found["__main__.Slotted"] == NUMBER
            assert len(found) < 1000
    finally:
        target.command("stop")
        target.command("drop")


def test_a_report_counts_to_the_end(target: LiveTarget) -> None:
    shown = read_once(identify(target.pid), entries=[CPYTHON])
    assert isinstance(shown.sample.objects, Objects)
    assert isinstance(shown.objects, tuple)
    assert shown.sample.objects.total.objects > 5000


def test_without_pymalloc_there_is_nothing_to_walk(python: Python) -> None:
    with LiveTarget([python.executable, PROGRAM], {"PYTHONMALLOC": "malloc"}) as target:
        attachment = CPYTHON.attach(identify(target.pid))
        for opened in attachment.probes:
            opened.close()
    why = attachment.missing[Capability.OBJECTS]
    assert isinstance(why, Missing)
    assert why.why.startswith("the allocator for small objects is not in use")
    assert not any(opened.name == "cpython.census" for opened in attachment.probes)


def test_a_target_that_ends_is_said_to_have_ended(python: Python) -> None:
    with LiveTarget([python.executable, PROGRAM]) as target:
        attachment = CPYTHON.attach(identify(target.pid))
        probe = census_of(attachment)
        counted(probe)
        target.kill()
        with pytest.raises((TargetExited, BadRead)):
            probe.read()
        for opened in attachment.probes:
            opened.close()
