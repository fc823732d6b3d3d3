"""CPython's own tests come to the same results while every process that they start is sampled.

The sampler is started as the agent does it, but by a ``sitecustomize``: agents have threads, which these tests count.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
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
from tests.programs import ended
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
    """Put a ``sitecustomize`` there, and the library that it loads; a first process is sampled by it."""
    with Stressed(Trial(python.executable, "standard", False, "exit", 0, 0), {}) as target:
        interpreter = open_interpreter(identify(target.pid))
        frames = frame_words(interpreter.layout, interpreter.version.minor)
        interpreter.close()
        link: Any = SimpleNamespace(bring=lambda name, content: (folder / name).write_bytes(content))
        order = Switch(identify(target.pid), link, frames, Sampling(8192, depth=48))._order()
    text = ", ".join(f"{name}={value!r}" for name, value in order.items())
    program = CUSTOMIZE.format(glue=str(SOURCE.with_name("glue.py")), place=str(folder), order=text)
    (folder / "sitecustomize.py").write_text(program)
    begun = subprocess.run(
        [python.executable, "-c", ""], env=with_it(folder), capture_output=True, text=True, check=False
    )
    assert (begun.returncode, begun.stderr) == (0, "")
    assert (folder / "told").read_text() == "on\n", "the sampler does not start"


def with_it(folder: Path) -> Mapping[str, str]:
    return {**os.environ, "PYTHONPATH": str(folder)}


def start(python: Python, folder: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    names = TESTS + MORE_TESTS if SECONDS >= LONG_S else TESTS
    command = [python.executable, "-m", "test", "--timeout", "300", "--junit-xml", folder / "results.xml", *names]
    with (folder / "output").open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )


def outcomes(folder: Path) -> Mapping[str, str]:
    """What became of each test."""
    results, found = folder / "results.xml", {}
    assert results.exists(), (folder / "output").read_text(errors="replace")[-4000:]
    for case in ET.parse(results).iter("testcase"):  # noqa: S314 - written by our own process
        marks = sorted(child.tag for child in case if child.tag in ("failure", "error", "skipped"))
        found[case.get("name", "")] = " ".join(marks) or case.get("result", "")
    return found


def both(python: Python, place: Path, parent: Path) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Without and with, side by side."""
    folders = parent / "without", parent / "with"
    with ExitStack() as running:
        runs = []
        for folder, environment in zip(folders, (os.environ, with_it(place)), strict=True):
            folder.mkdir(parents=True)
            runs.append(running.enter_context(ended(start(python, folder, environment))))
        for run in runs:
            run.wait(PATIENCE_S)
    without, sampled = map(outcomes, folders)
    return without, sampled


@pytest.mark.parametrize("python", EVERY, ids=str)
def test_the_same_outcomes(python: Python, tmp_path: Path) -> None:
    """A test that differs gets a second chance, on both sides: some of them depend on how busy the machine is."""
    if subprocess.run([python.executable, "-c", "import test.test_gc"], capture_output=True, check=False).returncode:
        pytest.skip("this Python has come without its tests")
    place = tmp_path / "place"
    place.mkdir()
    customized(python, place)
    without, sampled = both(python, place, tmp_path / "first")
    assert without
    assert without.keys() == sampled.keys()
    different = {name for name in without if without[name] != sampled[name]}
    if different:
        without, sampled = both(python, place, tmp_path / "second")
    assert {name: (without[name], sampled[name]) for name in different if without[name] != sampled[name]} == {}
    told = (place / "told").read_text().splitlines()
    assert told.count("on") > 2, told[:5]  # the first process, this run, and what it has started
