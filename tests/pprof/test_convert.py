"""memdash's own profiles as documents."""

from dataclasses import replace

from memdash.model.missing import Missing
from memdash.model.objects import Objects, TypeCount
from memdash.model.profile import Frame, Profile, Site, Usage
from memdash.model.tasks import TaskKind, Tasks
from memdash.pprof.convert import objects_document, sites_document, tasks_document
from memdash.pprof.decode import decode
from memdash.pprof.document import Document, Label, Mapping
from memdash.pprof.encode import encode
from memdash.pprof.top import top
from memdash.pprof.view import Options, View
from tests.fakes import a_goroutine, a_thread

PROGRAM = Mapping(0x400000, 0x500000, 0, "/srv/shop", "beef", has_functions=True)
LIBRARY = Mapping(0x700000, 0x800000, 0, "/lib/x.so", has_functions=True)


def go_frame(function: str, line: int) -> Frame:
    return Frame(function, "/src/shop.go", line)


ADD = (go_frame("main.add", 7), go_frame("main.main", 3))
GO = Profile(
    (
        Site(
            (go_frame("runtime.mallocgc", 1), *ADD, go_frame("runtime.goexit", 9)),
            Usage(100, 1, 200, 2),
            (0x400011, 0x400021, 0x400031, 0x400041),
        ),
        Site(
            (go_frame("runtime.newobject", 2), *ADD),
            Usage(50, 5, 50, 5),
            (0x400012, 0x400021, 0x400031),
        ),
        Site((go_frame("runtime.malg", 4), go_frame("runtime.goexit", 9)), Usage(8, 1, 8, 1), (0x700001, 0x400041)),
    ),
    512 * 1024,
    published=True,
)
PYTHON = Profile((Site((Frame("", "shop.py", 7), Frame("<module>", "shop.py", 1)), Usage(10, 1, 1 << 70, 3)),), 1, True)


def written(document: Document) -> Document:
    """As it comes back from a file."""
    assert decode(encode(document)) == document
    return document


def by_name(document: Document, sample_type: str = "") -> dict[str, tuple[int, int]]:
    rows = top(View(document, Options(sample_type=sample_type, node_fraction=0))).rows
    return {row.frame.text: (row.flat, row.cum) for row in rows}


def test_go_stacks_begin_where_pprof_begins_them() -> None:
    document = written(sites_document(GO, (PROGRAM, LIBRARY), 5))
    assert by_name(document) == {"main.add": (150, 150), "main.main": (0, 150), "runtime.malg": (8, 8)}
    assert by_name(document, "alloc_objects")["main.add"] == (7, 7)
    assert len(document.samples) == 2
    assert (document.default_type, document.period, document.time_ns) == ("inuse_space", 512 * 1024, 5)


def test_addresses_are_those_of_the_calls_in_the_file_they_are_in() -> None:
    document = sites_document(GO, (PROGRAM, LIBRARY), 5)
    places = {held.lines[0].function.name: (held.address, held.mapping) for held in document.locations.values()}
    assert places["main.add"] == (0x400020, PROGRAM)
    assert places["runtime.malg"] == (0x700000, LIBRARY)


def test_python_stacks_have_no_addresses_and_maybe_no_functions() -> None:
    document = written(sites_document(PYTHON, (PROGRAM,), 5))
    assert by_name(document)["<module>"] == (0, 10)
    assert max(document.samples[0].values) == (1 << 63) - 1
    view = View(document, Options(sample_type="inuse_space"))
    assert [row.flat for row in top(view).rows] == [10, 0]


def test_what_is_not_known_is_not_written() -> None:
    document = written(sites_document(replace(PYTHON, no_alloc=Missing("not recorded")), (), 5))
    assert [kind for kind, _ in document.sample_types] == ["inuse_objects", "inuse_space"]
    assert document.samples[0].values == (1, 10)


def test_objects_are_a_frame_a_type() -> None:
    objects = Objects((TypeCount("dict", 3, 300), TypeCount("list[<int>]", 2, 50)), unknown_bytes=40)
    document = written(objects_document(objects, (), 5))
    assert by_name(document) == {"dict": (300, 300), "list[<int>]": (50, 50), "(type unknown)": (40, 40)}
    assert by_name(document, "inuse_objects") == {"dict": (3, 3), "list[<int>]": (2, 2)}


def test_tasks_are_counted_by_group_and_labelled() -> None:
    parked, busy = a_goroutine(7, ADD), replace(a_goroutine(2, ADD), stack=(), state="running")
    busy = replace(busy, created_by=Missing("the runtime started it"), waiting_s=Missing("it does not wait"))
    tasks = Tasks((parked, busy, a_thread("Invoices.consume", "in futex", 8)))
    document = written(tasks_document(tasks, TaskKind.GOROUTINE, (PROGRAM,), 5))
    assert by_name(document) == {"main.add": (7, 7), "main.main": (0, 7), "(no stack)": (2, 2)}
    assert [(kind, unit) for kind, unit in document.sample_types] == [("goroutine", "count")]
    assert [sample.labels for sample in document.samples] == [
        (
            Label("state", "select"),
            Label("created_by", "main.main /src/shop.go:3"),
            Label("waiting", number=60, unit="seconds"),
        ),
        (Label("state", "running"),),
    ]
    assert by_name(tasks_document(tasks, TaskKind.THREAD, (), 5))["Invoices.consume"] == (0, 8)
