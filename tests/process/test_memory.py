"""Reading memory: our own and our children's, so that no permission is needed."""

import ctypes
import errno
import mmap
import os
import subprocess
from array import array
from collections.abc import Callable, Iterator

import pytest

from memdash.errors import AccessDenied, BadRead, TargetExited
from memdash.process import memory as memory_module
from memdash.process.memory import ProcessMemory

PAGE = mmap.PAGESIZE


@pytest.fixture
def own() -> Iterator[ProcessMemory]:
    with ProcessMemory(os.getpid()) as memory:
        yield memory


@pytest.fixture
def by_file(monkeypatch: pytest.MonkeyPatch) -> Iterator[ProcessMemory]:
    """Our own memory, where the system call is not to be had."""

    def refused(*_: object) -> int:
        ctypes.set_errno(errno.ENOSYS)
        return -1

    monkeypatch.setattr(memory_module, "_process_vm_readv", refused)
    with ProcessMemory(os.getpid()) as memory:
        yield memory


@pytest.fixture
def either(request: pytest.FixtureRequest) -> ProcessMemory:
    memory: ProcessMemory = request.getfixturevalue(request.param)
    return memory


both_ways = pytest.mark.parametrize("either", ["own", "by_file"], indirect=True)


class Buffer:
    """Bytes of ours that stay where they are."""

    def __init__(self, content: bytes) -> None:
        self.held = ctypes.create_string_buffer(content, len(content))
        self.address = ctypes.addressof(self.held)


class HalfMapped:
    """A page that can be read, followed by one that cannot."""

    def __init__(self) -> None:
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.mmap.restype = ctypes.c_void_p
        self.libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long)
        self.libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
        self.address = self.libc.mmap(None, 2 * PAGE, mmap.PROT_READ, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
        self.libc.munmap(self.address + PAGE, PAGE)
        self.end = self.address + PAGE

    def close(self) -> None:
        self.libc.munmap(self.address, PAGE)


@pytest.fixture
def half_mapped() -> Iterator[HalfMapped]:
    held = HalfMapped()
    yield held
    held.close()


@both_ways
def test_reads_what_is_there(either: ProcessMemory) -> None:
    content = bytes(range(256)) * 2000
    buffer = Buffer(content)
    assert either.read(buffer.address, len(content)) == content
    assert either.read(buffer.address + 3, 2) == b"\3\4"
    assert either.read(buffer.address, 0) == b""


@both_ways
def test_words(either: ProcessMemory) -> None:
    buffer = Buffer((1 << 63 | 5).to_bytes(8, "little") + (7).to_bytes(8, "little"))
    assert either.u64(buffer.address) == 1 << 63 | 5
    assert either.u32(buffer.address) == 5
    assert either.words(buffer.address, 2) == (1 << 63 | 5, 7)


@both_ways
def test_a_plan_of_more_parts_than_one_call_takes(either: ProcessMemory) -> None:
    content = os.urandom(3000)
    buffer = Buffer(content)
    parts = [(buffer.address + at, 1 + at % 3) for at in range(2990)]
    plan = either.plan(parts)
    read = bytes(plan.read())
    assert read == b"".join(content[at : at + 1 + at % 3] for at in range(2990))
    assert plan.offsets[-1] == len(read)
    assert list(plan.offsets[1:3]) == [1, 3]


def test_a_plan_reads_anew_into_the_same_buffer(own: ProcessMemory) -> None:
    buffer = Buffer(b"before")
    plan = own.plan([(buffer.address, 6)])
    first = plan.read()
    assert first.tobytes() == b"before"
    ctypes.memmove(buffer.address, b"after!", 6)
    assert plan.read().tobytes() == b"after!"
    assert first.tobytes() == b"after!"


@both_ways
def test_other_parts_are_read_into_the_same_buffer(either: ProcessMemory) -> None:
    buffer = Buffer(b"abcdefgh")
    plan = either.plan([(buffer.address, 4), (buffer.address + 4, 4)])
    other = plan.beside([(buffer.address + 5, 3), (buffer.address, 2)])
    assert other.read().tobytes() == b"fghab"
    assert plan.buffer.tobytes()[:5] == b"fghab"
    assert plan.read().tobytes() == b"abcdefgh"
    with pytest.raises(ValueError, match="longer than the buffer"):
        plan.beside([(buffer.address, 9)])


@both_ways
def test_an_empty_plan(either: ProcessMemory) -> None:
    assert list(either.plan([]).offsets) == [0]
    either.plan([]).read()


@both_ways
@pytest.mark.parametrize("address", [0, 16, 2**47 + 8, 2**64 - 8])
def test_an_unmapped_address_is_named(either: ProcessMemory, address: int) -> None:
    with pytest.raises(BadRead, match=f"{address:#x}"):
        either.read(address, 8)


@pytest.mark.parametrize("address", [-1, 2**64])
def test_what_is_no_address(own: ProcessMemory, address: int) -> None:
    with pytest.raises(BadRead, match="not an address"):
        own.read(address, 8)


@both_ways
def test_the_first_byte_that_is_not_mapped_is_named(either: ProcessMemory, half_mapped: HalfMapped) -> None:
    assert either.read(half_mapped.end - 8, 8) == bytes(8)
    with pytest.raises(BadRead, match=f"{half_mapped.end:#x}"):
        either.read(half_mapped.end - 8, 16)


@both_ways
def test_the_failing_part_of_a_plan_is_named(either: ProcessMemory, half_mapped: HalfMapped) -> None:
    fine = [(half_mapped.address, 4)] * 1500
    with pytest.raises(BadRead, match=f"{half_mapped.end:#x}"):
        either.plan([*fine, (half_mapped.end, 4), *fine]).read()


def test_a_process_that_has_been_reaped(start: Callable[..., subprocess.Popen[bytes]]) -> None:
    child = start("true")
    child.wait()
    with ProcessMemory(child.pid) as memory, pytest.raises(TargetExited, match="has ended"):
        memory.read(PAGE, 8)


def test_a_zombie(zombie: int) -> None:
    with ProcessMemory(zombie) as memory, pytest.raises(TargetExited):
        memory.read(PAGE, 8)


def test_by_file_a_process_that_ended_meanwhile(
    by_file: ProcessMemory, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    child = start("cat")
    buffer = Buffer(b"x")
    memory = ProcessMemory(child.pid)
    with pytest.raises(BadRead):
        memory.read(16, 1)  # opens the file while the process lives
    child.kill()
    child.wait()
    with pytest.raises(TargetExited):
        memory.read(buffer.address, 1)
    memory.close()


def test_a_process_of_somebody_else(
    start: Callable[..., subprocess.Popen[bytes]], as_nobody: Callable[[Callable[[], str]], str]
) -> None:
    child = start("cat")
    said = as_nobody(lambda: repr(ProcessMemory(child.pid).read(PAGE, 8)))
    assert said.startswith(AccessDenied.__name__)


def test_closing_twice(by_file: ProcessMemory) -> None:
    by_file.read(Buffer(b"x").address, 1)
    by_file.close()
    by_file.close()


def test_a_large_plan_takes_memory_for_what_is_read_alone() -> None:
    place = array("Q", [0])
    with ProcessMemory(os.getpid()) as memory:
        before = _private_kib()
        plan = memory.plan([(place.buffer_info()[0], 8)] + [(0, 8 << 20)] * 4)
        plan.read_at(array("Q", [place.buffer_info()[0]]))
        assert _private_kib() - before < 8 << 10


def test_plans_of_many_sizes_leave_no_types_behind() -> None:
    with ProcessMemory(os.getpid()) as memory:
        before = len(ctypes.Array.__subclasses__())
        for size in range(3000, 3100):
            memory.plan([(0, size)])
        assert len(ctypes.Array.__subclasses__()) <= before  # those of others may go meanwhile


def _private_kib() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))
