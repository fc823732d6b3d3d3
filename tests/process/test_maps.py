import mmap
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from memdash.errors import NoSuchTarget, TargetExited
from memdash.process.auxv import load_bias
from memdash.process.elf import Elf
from memdash.process.maps import mapped_files, read_maps
from tests.compilers import needs_compiler


def test_this_very_process_maps_its_executable_and_the_c_library() -> None:
    names = {file.path: file for file in mapped_files(os.getpid())}
    assert os.path.realpath(sys.executable) in names
    assert any(re.match(r"libc[.-]", file.name) for file in names.values())
    assert len(names) == len({file.start for file in names.values()})


def test_the_bias_is_the_one_the_kernel_told() -> None:
    exe = next(file for file in mapped_files(os.getpid()) if file.path == os.path.realpath("/proc/self/exe"))
    with exe.open() as elf:
        assert exe.bias(elf) == load_bias(os.getpid(), elf)


def test_where_a_library_is_loaded_is_not_where_somebody_only_reads_it(tmp_path: Path) -> None:
    another = tmp_path / "libpython3.99.so"
    another.write_bytes(b"not loaded")
    before = list(mapped_files(os.getpid()))
    library = next(file for file in before if re.match(r"libc[.-]", file.name))
    with ExitStack() as held:
        for path in (another, library.path):
            file = held.enter_context(open(path, "rb"))
            held.enter_context(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ))
        assert str(another).encode() in read_maps(os.getpid())
        assert list(mapped_files(os.getpid())) == before


def test_a_file_deleted_meanwhile_is_told_and_still_opens_for_root(
    tmp_path: Path, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    program = tmp_path / "a cat"
    shutil.copy(shutil.which("cat") or "", program)
    child = start(program)
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(b"\n")
    child.stdin.flush()
    child.stdout.readline()  # exec closes our end of the pipe before it maps the program
    inode = program.stat().st_ino
    program.unlink()
    found = next(file for file in mapped_files(child.pid) if file.name == "a cat")
    assert found.is_deleted
    assert found.path == str(program)
    if os.geteuid() == 0:
        with found.open() as elf:
            assert elf.segments
            assert Path(f"/proc/{child.pid}/map_files/{found.start:x}-{found.end:x}").stat().st_ino == inode


def test_who_is_gone_maps_nothing(zombie: int) -> None:
    assert list(mapped_files(zombie)) == []
    with pytest.raises((TargetExited, NoSuchTarget)):
        list(mapped_files(2**22 + 1))


def test_another_users_map_is_closed(as_nobody: Callable[[Callable[[], str]], str]) -> None:
    pid = os.getpid()
    assert as_nobody(lambda: str(list(mapped_files(pid)))).startswith("AccessDenied:")


@needs_compiler
def test_symbols_kept_as_tails_of_others_and_in_stripped_files(tmp_path: Path) -> None:
    source, library, stripped = tmp_path / "a.c", tmp_path / "a.so", tmp_path / "stripped.so"
    source.write_text("static int maxarenas = 1, arenas = 2; int *offered(void) { return &maxarenas + arenas; }")
    subprocess.run(["cc", "-shared", "-fPIC", "-O0", "-Wl,-O1", source, "-o", library], check=True)
    subprocess.run(["strip", "-o", stripped, library], check=True)
    with Elf(library) as elf:
        assert elf.section_bytes(".strtab") is not None
        assert b"\0arenas\0" not in (elf.section_bytes(".strtab") or b"")
        found = elf.symbols(["arenas", "maxarenas", "renas"])
        assert found.keys() == {"arenas", "maxarenas"}
        assert elf.read(found["arenas"].address, 4) == b"\2\0\0\0"
        offered = elf.symbols(["offered"])["offered"]
    with Elf(stripped) as elf:
        assert not elf.symbols(["arenas", "offered"])
        assert elf.dynamic_symbols(["arenas", "offered"]) == {"offered": offered}
