"""The generator against the headers that this machine has."""

import shutil
from pathlib import Path

import pytest

from memdash.errors import LayoutRefused, UsageError
from memdash.probes.cpython.layouts import load
from memdash.probes.cpython.layouts.files import FOLDER, dump
from memdash.probes.cpython.layouts.headers import at_hand, in_folder, measure
from tests.compilers import needs_compiler


def headers_in(folder: Path, version: str) -> Path:
    (folder / "internal").mkdir()
    (folder / "internal/pycore_pystate.h").touch()
    (folder / "patchlevel.h").write_text(f'#define PY_VERSION      	"{version}"\n')
    return folder


@needs_compiler
@pytest.mark.parametrize("minor", range(8, 16))
def test_the_generator_makes_the_file_again(minor: int, tmp_path: Path) -> None:
    headers, filed = at_hand().get(minor), load(minor)
    assert filed is not None
    if headers is None:
        pytest.skip(f"no headers of CPython 3.{minor}: pyenv, libpython3.{minor}-dev or .ci/pythons brings them")
    measured = measure(headers)
    assert measured.version == headers.version
    if headers.version != filed.version:
        pytest.skip(f"the file was made from CPython {filed.version}, and here is {headers.version}")
    made = dump(measured, minor, tmp_path)
    assert made.read_bytes() == (FOLDER / made.name).read_bytes()


def test_a_folder_without_the_internal_headers_is_none(tmp_path: Path) -> None:
    assert in_folder(tmp_path) is None
    headers = in_folder(headers_in(tmp_path, "3.13.0rc2"))
    assert headers is not None
    assert (headers.version, headers.minor, headers.micro) == ("3.13.0rc2", 13, 0)
    shutil.rmtree(tmp_path / "internal")
    assert in_folder(tmp_path) is None


@needs_compiler
def test_headers_that_do_not_compile_say_why(tmp_path: Path) -> None:
    headers = in_folder(headers_in(tmp_path, "3.13.0"))
    assert headers is not None
    with pytest.raises(LayoutRefused, match=r"headers of CPython 3\.13\.0 do not compile") as caught:
        measure(headers)
    assert "Python.h" in caught.value.hint


def test_without_a_compiler_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = in_folder(headers_in(tmp_path, "3.13.0"))
    assert headers is not None
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(UsageError, match="no C compiler"):
        measure(headers)


def test_the_headers_of_a_pyenv_and_of_what_was_brought_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for prefix, version in (("versions/a", "3.13.7"), ("versions/b", "3.13.4"), ("brought/3.14/usr", "3.14.1")):
        folder = tmp_path / prefix / f"include/python{version[:4]}"
        folder.mkdir(parents=True)
        headers_in(folder, version)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("MEMDASH_PYTHONS", str(tmp_path / "brought"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert {minor: headers.version for minor, headers in at_hand().items()} == {13: "3.13.4", 14: "3.14.1"}
