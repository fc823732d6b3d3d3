"""Profile files in and out, and everything that can be wrong with one."""

import gzip
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memdash.errors import BadProfile
from memdash.pprof import profile_pb2 as pb
from memdash.pprof.decode import decode
from memdash.pprof.document import Document
from memdash.pprof.encode import encode
from memdash.units import MIB
from tests.pprof import oracle
from tests.pprof.documents import CORPUS, any_document
from tests.pprof.synthetic import heap_profile


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_what_go_wrote_is_read_as_a_second_reader_reads_it(path: Path) -> None:
    content = path.read_bytes()
    document = decode(content)
    assert document == oracle.read(content)
    assert decode(gzip.decompress(content)) == document
    assert decode(encode(document)) == document


@given(any_document())
@settings(max_examples=100, deadline=None)
def test_whatever_is_written_is_read_again(document: Document) -> None:
    content = encode(document)
    assert decode(content) == document == oracle.read(content)
    assert encode(decode(content)) == content


def test_a_file_of_many_pieces_is_one_profile() -> None:
    document = heap_profile(20_000)
    raw = gzip.decompress(encode(document))
    assert len(raw) > 1 << 20
    assert decode(raw) == document


def test_joined_gzip_files_are_one_stream() -> None:
    raw = gzip.decompress(encode(heap_profile(50)))
    assert decode(gzip.compress(raw[:100]) + gzip.compress(raw[100:])) == decode(raw)


def test_a_name_that_is_not_utf_8_is_shown_escaped() -> None:
    message = pb.Profile(string_table=[b"", b"inuse_space", b"caf\xe9"])
    message.sample_type.add(type=1)
    message.comment.append(2)
    assert decode(message.SerializeToString()).comments == ("caf\\xe9",)


def small() -> pb.Profile:
    """A whole profile with one of everything."""
    message = pb.Profile(string_table=[b"", b"space", b"bytes", b"main"], time_nanos=1)
    message.sample_type.add(type=1, unit=2)
    message.function.add(id=1, name=3)
    message.location.add(id=1).line.add(function_id=1, line=7)
    message.sample.add(location_id=[1], value=[5], label=[pb.Label(key=1, num=3).SerializeToString()])
    return message


def test_the_small_one_is_whole() -> None:
    assert len(decode(small().SerializeToString()).samples) == 1


def spoilt(change: Callable[[pb.Profile], object]) -> bytes:
    message = small()
    change(message)
    return message.SerializeToString()


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda p: p.sample[0].location_id.append(9), "a stack names a location that is not there"),
        (lambda p: p.sample[0].location_id.append(0), "a stack names a location that is not there"),
        (lambda p: p.sample[0].value.append(9), "not one value of each type"),
        (lambda p: p.ClearField("sample_type"), "not one value of each type"),
        (lambda p: p.location[0].line.add(function_id=2), "a location names a function that is not there"),
        (lambda p: p.location[0].line.add(), "a location names a function that is not there"),
        (lambda p: p.location.add(id=1), "the id of a location is given twice"),
        (lambda p: p.location.add(), "the id of a location is missing"),
        (lambda p: p.function.add(id=1), "the id of a function is given twice"),
        (lambda p: p.mapping.add(), "the id of a mapping is missing"),
        (lambda p: p.function.add(id=2, name=4), "a string is named that is not in its table"),
        (lambda p: p.function.add(id=2, filename=-1), "a string is named that is not in its table"),
        (lambda p: p.comment.append(1 << 62), "a string is named that is not in its table"),
        (lambda p: p.sample[0].label.append(b"\x08\x09"), "a string is named that is not in its table"),
        (lambda p: p.sample[0].label.append(b"\x08"), "a label cannot be read"),
        (lambda p: p.ClearField("string_table"), "does not begin with an empty one"),
        (lambda p: p.string_table.__setitem__(0, b"x"), "does not begin with an empty one"),
    ],
)
def test_a_damaged_profile_is_refused_in_a_line(change: Callable[[pb.Profile], object], what: str) -> None:
    with pytest.raises(BadProfile) as refused:
        decode(spoilt(change))
    assert what in refused.value.what
    assert refused.value.hint


WHOLE = encode(heap_profile(30))
RAW = gzip.decompress(WHOLE)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "empty"),
        (gzip.compress(b"", mtime=0), "empty"),
        (b"heap profile: 1: 2 [3: 4] @ heap/1048576\n", "text"),
        (b"<!DOCTYPE html><title>Not found</title>", "text"),
        (b"hello", "not a profile"),
        (b"\x7fELF\2\1\1\0", "not a profile"),
        (WHOLE[:-20], "cut off"),
        (WHOLE[:9], "cut off"),
        (WHOLE[:200] + bytes(40) + WHOLE[240:], "cannot be unpacked"),
        (WHOLE + b"rest", "cannot be unpacked"),
        (b"\x1f\x8b\x08", "cut off"),
        (RAW[:-3], "cut off"),
        (RAW + RAW, "one after the other"),
        (b"\x12\xff\xff\xff\xff\x0f", "larger than any"),
        (b"\x12" + b"\xff" * 11, "64 bits"),
        (b"\x10\x01", "of another type"),
        (b"\x4a\x01", "of another type"),
        (b"\xa3\x01", "data of type 3"),
        (b"\x79" + bytes(4), "of another type"),
        (b"\xa1\x01" + bytes(4), "cut off"),
        (b"\x12\x02\x0a\x05", "damaged"),
    ],
)
def test_what_is_no_profile_is_refused_in_a_line(content: bytes, what: str) -> None:
    with pytest.raises(BadProfile) as refused:
        decode(content)
    assert what in refused.value.what
    assert "\n" not in refused.value.what


def record(field: int, content: bytes) -> bytes:
    return bytes([field << 3 | 2]) + varint(len(content)) + content


def varint(number: int) -> bytes:
    content = b""
    while number >= 0x80:
        content, number = content + bytes([number & 0x7F | 0x80]), number >> 7
    return content + bytes([number])


def different_ids(at: int) -> bytes:
    """A stack of as many locations as find room in a record, from the ``at``-th such lot."""
    count = MIB // 4 - 9
    return record(2, record(1, b"".join(map(varint, range(MIB + at * count, MIB + (at + 1) * count)))))


def different_labels(at: int) -> bytes:
    """A sample with as many labels as find room in a record, none of which another has."""
    count = MIB // 8
    return record(2, b"".join(record(3, b"\x18" + varint(n)) for n in range(MIB + at * count, MIB + (at + 1) * count)))


def with_names(name: bytes, count: int) -> bytes:
    """A profile of so many functions, each of that name, written anew."""
    functions = (record(5, b"\x08" + varint(n) + b"\x10" + varint(n)) for n in range(1, count + 1))
    return record(6, b"") + record(6, name) * count + b"".join(functions)


@contextmanager
def allowed(more_bytes: int) -> Iterator[None]:
    """Let the address space grow by so much only; what wants more gets a MemoryError."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + more_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: gzip.compress(bytes(65 * MIB), 1), "more than 64 MiB"),
        (lambda: gzip.compress(b"\x12\0" * (2 * MIB), 1), "records"),
        (lambda: b"".join(map(different_labels, range(7))), "labels"),
        pytest.param(lambda: record(2, record(1, b"\1" * (MIB - 9))) * 9, "frames", marks=pytest.mark.matrix),
        pytest.param(lambda: b"".join(map(different_ids, range(5))), "locations", marks=pytest.mark.matrix),
        (lambda: record(2, record(2, b"\1" * (MIB - 9))) * 12, "values"),
        pytest.param(
            lambda: b"".join(record(4, bytes((8, n)) + b"\x22\0" * (MIB // 2 - 9)) for n in (1, 2, 3)),
            "lines",
            marks=pytest.mark.matrix,
        ),
        pytest.param(lambda: record(13, b"\1" * MIB) * 34, "comments", marks=pytest.mark.matrix),
    ],
)
def test_a_file_that_would_fill_memory_is_refused_before(make: Callable[[], bytes], what: str) -> None:
    content = make()
    with allowed(320 * MIB), pytest.raises(BadProfile) as refused:
        decode(content)
    assert what in refused.value.what


def test_damaged_bytes_take_no_more_room_than_characters() -> None:
    name = "\N{GRINNING FACE}".encode() + b"\xff" * (MIB - 9)
    content = with_names(name, 12) + record(6, name) * 40
    with allowed(170 * MIB):
        assert len(decode(content).samples) == 0


def test_a_location_of_many_lines_on_many_stacks_is_refused() -> None:
    message = small()
    for _ in range(20_000):
        message.location[0].line.add(function_id=1)
    del message.sample[:]
    message.sample.add(location_id=[1] * 1000, value=[5])
    with pytest.raises(BadProfile) as refused:
        decode(message.SerializeToString())
    assert "frames" in refused.value.what


@given(st.binary(max_size=200))
@settings(max_examples=500, deadline=None)
def test_any_bytes_give_a_document_or_one_error(content: bytes) -> None:
    with suppress(BadProfile):
        decode(content)


def test_the_generated_module_is_that_of_the_declaration(tmp_path: Path) -> None:
    from grpc_tools import protoc

    room = Path(__file__).parents[2]
    arguments = [f"-I{room}", f"--python_out={tmp_path}", f"--pyi_out={tmp_path}", "memdash/pprof/profile.proto"]
    assert protoc.main(["protoc", *arguments]) == 0
    for made in (tmp_path / "memdash/pprof").iterdir():
        assert made.read_text() == (room / "memdash/pprof" / made.name).read_text()
