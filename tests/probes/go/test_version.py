"""What version texts say, and where executables keep them."""

import pytest

from memdash.errors import BadRead
from memdash.probes.go.version import GoVersion, build_version, parse_version
from tests.handmade import DATA_ADDRESS, ElfFile
from tests.probes.go.conftest import ElfOf

VENDOR = "go1.25-20250209-RC00 cl/724970549 +ff27d270c9 X:fieldtrack,boringcrypto"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("go1.23.3", GoVersion("go1.23.3", 23)),
        ("go1.19", GoVersion("go1.19", 19)),
        ("go1.27rc2", GoVersion("go1.27rc2", 27)),
        ("go1.25.5 X:greenteagc", GoVersion("go1.25.5", 25, ("greenteagc",))),
        ("go1.26.6-X:nogreenteagc", GoVersion("go1.26.6", 26, ("nogreenteagc",))),
        ("devel go1.28-f7ad7d1 Mon Jan 5 10:00:00 2026 +0000", GoVersion("go1.28", 28)),
        (VENDOR, GoVersion("go1.25", 25, ("fieldtrack", "boringcrypto"))),
        ("go1.9.7", GoVersion("go1.9.7", 9)),
    ],
)
def test_texts_seen(text: str, version: GoVersion) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize("text", ["", "gccgo 12", "go2.1", "devel +a2b3c4", "xgo1.22", "go1.x", "go1.22222222222"])
def test_texts_that_name_no_release(text: str) -> None:
    assert parse_version(text) is None


def info(text: str, flags: int = 2) -> bytes:
    encoded = text.encode()
    size = bytes([len(encoded)]) if len(encoded) < 128 else bytes([len(encoded) & 0x7F | 0x80, len(encoded) >> 7])
    return b"\xff Go buildinf:\x08" + bytes([flags]) + bytes(16) + size + encoded


@pytest.mark.parametrize(
    "file",
    [
        ElfFile(data=bytes(32) + info(VENDOR), placed={".go.buildinfo": (DATA_ADDRESS + 32, 128)}),
        ElfFile(data=bytes(48) + info(VENDOR)),
        ElfFile(data=b"\xff Go buildinf: not at a multiple of 16".rjust(48) + info(VENDOR), has_sections=False),
        ElfFile(data=info(VENDOR + " " + "x" * 200), has_sections=False),
    ],
    ids=["section", "no such section", "no section headers", "long"],
)
def test_finds_the_text(elf_of: ElfOf, file: ElfFile) -> None:
    assert build_version(elf_of(file)).startswith(VENDOR)


def test_no_build_info(elf_of: ElfOf) -> None:
    assert build_version(elf_of(ElfFile(data=bytes(99)))) == ""


def old_info(text_header: int) -> bytes:
    return b"\xff Go buildinf:\x08\0" + text_header.to_bytes(8, "little") + bytes(8)


def test_build_info_of_old_points_to_the_text(elf_of: ElfOf) -> None:
    strings = (DATA_ADDRESS + 48).to_bytes(8, "little") + (8).to_bytes(8, "little") + b"go1.15.4 and more"
    assert build_version(elf_of(ElfFile(data=old_info(DATA_ADDRESS + 32) + strings))) == "go1.15.4"


def test_build_info_of_old_that_points_nowhere(elf_of: ElfOf) -> None:
    text = build_version(elf_of(ElfFile(data=old_info(0))))
    assert text == "go1.17 or older"
    assert parse_version(text) == GoVersion(text, 17)


@pytest.mark.parametrize("content", [info("")[:-1], info("go1.22")[:-1], info("")[:32] + b"\xff" * 10])
def test_build_info_that_is_cut_short(elf_of: ElfOf, content: bytes) -> None:
    with pytest.raises(BadRead):
        build_version(elf_of(ElfFile(data=content)))
