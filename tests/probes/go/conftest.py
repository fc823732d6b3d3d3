"""Executables made by hand, and a Go runtime laid out in our own memory."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from memdash.process.elf import Elf
from tests.handmade import ElfFile
from tests.probes.go.runtime import FakeRuntime

ElfOf = Callable[[ElfFile], Elf]


@pytest.fixture
def elf_of(tmp_path: Path) -> ElfOf:
    def write(file: ElfFile) -> Elf:
        path = tmp_path / "program"
        path.write_bytes(file.to_bytes())
        return Elf(path)

    return write


@pytest.fixture(params=[19, 25, 27])
def runtime(request: pytest.FixtureRequest, elf_of: ElfOf) -> Iterator[FakeRuntime]:
    """One of each kind: with bytes in profile records, without the pointer bitmap, without the bytes."""
    made = FakeRuntime(request.param, elf_of)
    yield made
    made.program.close()
