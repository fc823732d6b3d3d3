"""CPython's own tests come to the same results while every process that they start is sampled.

The sampler is started as the agent does it, but by a ``sitecustomize``: agents have threads, which these tests count.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from memdash.probes.cpython.interpreter import open_interpreter
from memdash.probes.cpython.sampler.build import SOURCE
from memdash.probes.cpython.sampler.frames import frame_words
from memdash.probes.cpython.sampler.sampling import Sampling
from memdash.probes.cpython.sampler.switch import Switch
from memdash.process.identity import identify
from tests.live.pythons import Python
from tests.live.samplers import needs_a_sampler
from tests.stress.sampled import Stressed, Trial
from tests.stress.test_sampler import EVERY, SECONDS

pytestmark = [pytest.mark.stress, needs_a_sampler]

TESTS = ("test_gc", "test_generators", "test_dict", "test_list", "test_fork1", "test_thread")
MORE_TESTS = (
    "test_exceptions",
    "test_json",
    "test_weakref",
    "test_threading",
    "test_subprocess",
    "test_sys",
    "test_capi",
    "test_asyncio",
)
"""Only in the longer form: they take minutes."""

LONG_S = 10.0
PATIENCE_S = 1800.0

CUSTOMIZE = """
def begin():
    import _thread
    import posix
    with open({glue!r}, encoding="utf-8") as file:
        text = file.read()
    space = {{"__name__": "memdash_sampler"}}
    exec(compile(text, "<memdash>", "exec"), space)
    sampler = space["Sampler"]({place!r}, _thread.allocate_lock)
    told = sampler.start({order})
    number = posix.open({place!r} + "/told", posix.O_CREAT | posix.O_APPEND | posix.O_WRONLY, 0o600)
    posix.write(number, (told.get("why", "on") + "\\n").encode())
    posix.close(number)
begin()
"""


def customized(python: Python, folder: Path) -> None:
    """Put a ``sitecustomize`` there, and the library that it loads."""
    with Stressed(Trial(python.executable, "standard", False, "exit", 0, 0), {}) as target:
        interpreter = open_interpreter(identify(target.pid))
        frames = frame_words(interpreter.layout, interpreter.version.minor)
        interpreter.close()
        link: Any = SimpleNamespace(bring=lambda name, content: (folder / name).write_bytes(content))
        order = Switch(identify(target.pid), link, frames, Sampling(8192, depth=48))._order()
    text = ", ".join(f"{name}={value!r}" for name, value in order.items())
    program = CUSTOMIZE.format(glue=str(SOURCE.with_name("glue.py")), place=str(folder), order=text)
    (folder / "sitecustomize.py").write_text(program)


def start(python: Python, folder: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    names = TESTS + MORE_TESTS if SECONDS >= LONG_S else TESTS
    command = [python.executable, "-m", "test", "--timeout", "300", "--junit-xml", folder / "results.xml", *names]
    with (folder / "output").open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )


def outcomes(folder: Path) -> Mapping[str, str]:
    """What became of each test."""
    found = {}
    for case in ET.parse(folder / "results.xml").iter("testcase"):  # noqa: S314 - written by our own process
        marks = sorted(child.tag for child in case if child.tag in ("failure", "error", "skipped"))
        found[case.get("name", "")] = " ".join(marks) or case.get("result", "")
    return found


def both(python: Python, place: Path, parent: Path) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Without and with, side by side."""
    runs = []
    for name, environment in (("without", {}), ("with", {"PYTHONPATH": str(place)})):
        folder = parent / name
        folder.mkdir(parents=True)
        runs.append((folder, start(python, folder, environment)))
    for _, run in runs:
        run.wait(PATIENCE_S)
    without, with_it = (outcomes(folder) for folder, _ in runs)
    return without, with_it


@pytest.mark.parametrize("python", EVERY, ids=str)
def test_the_same_outcomes(python: Python, tmp_path: Path) -> None:
    """A test that differs gets a second chance, on both sides: some of them depend on how busy the machine is."""
    if subprocess.run([python.executable, "-c", "import test.test_gc"], capture_output=True, check=False).returncode:
        pytest.skip("this Python has come without its tests")
    place = tmp_path / "place"
    place.mkdir()
    customized(python, place)
    without, with_it = both(python, place, tmp_path / "first")
    assert without.keys() == with_it.keys()
    different = {name for name in without if without[name] != with_it[name]}
    if different:
        without, with_it = both(python, place, tmp_path / "second")
    assert {name: (without[name], with_it[name]) for name in different if without[name] != with_it[name]} == {}
    told = (place / "told").read_text().splitlines()
    assert told.count("on") > 1, told[:5]
