"""The layout files against the toolchains they come from."""

from pathlib import Path

import pytest

from memdash.errors import BadRead
from memdash.probes.go.layouts import load, minors
from memdash.probes.go.layouts.files import FOLDER, dump
from memdash.probes.go.layouts.generate import make
from memdash.probes.go.layouts.unknown import from_dwarf
from memdash.process.elf import Elf
from tests.live.builds import MODES, build
from tests.live.conftest import NEWEST, toolchain_for


@pytest.mark.live
def test_a_program_says_of_itself_what_the_file_says() -> None:
    program = build(toolchain_for(NEWEST), MODES["plain"])
    told, filed = from_dwarf(Elf(program), "go1.27.3"), load(NEWEST)
    assert filed is not None
    assert (told.structs, told.constants, told.wait_reasons) == (filed.structs, filed.constants, filed.wait_reasons)
    assert told.go_version == filed.go_version
    assert not told.recipes


@pytest.mark.live
def test_a_stripped_program_says_nothing_of_itself() -> None:
    program = build(toolchain_for(NEWEST), MODES["stripped"])
    with pytest.raises(BadRead, match="holds no DWARF"):
        from_dwarf(Elf(program))


@pytest.mark.matrix
@pytest.mark.parametrize("minor", minors())
def test_the_generator_makes_the_file_again(minor: int, tmp_path: Path) -> None:
    made = dump(make(toolchain_for(minor)), minor, tmp_path)
    assert made.read_bytes() == (FOLDER / made.name).read_bytes()
