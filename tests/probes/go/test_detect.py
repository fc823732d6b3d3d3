"""Which programs are read, and what the others are told."""

import pytest

from memdash.errors import UnsupportedRuntime
from memdash.probes.go.detect import recognise
from memdash.probes.go.layouts import minors
from memdash.process.elf import AARCH64
from tests.handmade import DATA_ADDRESS, ElfFile, GoFunction, pclntab
from tests.probes.go.conftest import ElfOf

TABLE = pclntab([GoFunction("runtime.main")])[0]
INFO_AT = len(TABLE) + -len(TABLE) % 16


def go_program(version: str, sections: tuple[str, ...] = (), machine: int = 62) -> ElfFile:
    info = b"\xff Go buildinf:\x08\x02" + bytes(16) + bytes([len(version)]) + version.encode()
    return ElfFile(
        data=TABLE.ljust(INFO_AT, b"\0") + (info if version else b""),
        placed={".gopclntab": (DATA_ADDRESS, len(TABLE))},
        sections=dict.fromkeys(sections, (b"", 0)),
        machine=machine,
    )


@pytest.mark.parametrize("minor", minors())
def test_every_minor_with_a_layout_is_read(elf_of: ElfOf, minor: int) -> None:
    functions, version = recognise(elf_of(go_program(f"go1.{minor}.7")))
    assert functions.count == 1
    assert version is not None
    assert (version.text, version.minor) == (f"go1.{minor}.7", minor)


def test_without_build_info_the_version_stays_open(elf_of: ElfOf) -> None:
    assert recognise(elf_of(go_program("")))[1] is None


def test_an_unknown_minor_with_debug_information_is_read(elf_of: ElfOf) -> None:
    program = go_program(f"go1.{minors()[-1] + 1}", (".debug_info", ".symtab"))
    assert recognise(elf_of(program))[1] is not None


NEWER = minors()[-1] + 1


@pytest.mark.parametrize(
    ("program", "says", "hints"),
    [
        (go_program("go1.15.4"), r"built with go1\.15\.4; the oldest Go that memdash reads is 1\.19", "newer Go"),
        (go_program("go1.18.10"), r"built with go1\.18\.10; the oldest", "newer Go"),
        (go_program("go1.20.3"), r"go1\.20\.3, which is not known to memdash, and stripped", "-ldflags"),
        (go_program(f"go1.{NEWER}rc1"), rf"go1\.{NEWER}rc1, which is newer than .*\(1\.{NEWER - 1}\)", "-ldflags"),
        (go_program(f"go1.{NEWER}", (".symtab",)), "stripped of the debug information", "-ldflags"),
        (go_program("go1.27", machine=AARCH64), "only programs for x86-64", "system view"),
        (ElfFile(), "not a Go program", ""),
    ],
)
def test_what_is_not_read_says_why_and_what_helps(elf_of: ElfOf, program: ElfFile, says: str, hints: str) -> None:
    with pytest.raises(UnsupportedRuntime, match=says) as refused:
        recognise(elf_of(program))
    assert hints in refused.value.hint
