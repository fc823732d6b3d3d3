"""No program crashes, hangs, says something or comes to another result because its allocations are sampled."""

from __future__ import annotations

import os
import random
import sys

import pytest

from memdash.probes.cpython.layouts import minors
from tests.live.packages import required
from tests.live.pythons import Python, pythons
from tests.live.samplers import needs_a_sampler
from tests.stress.sampled import ENDINGS, Trial, run

pytestmark = [pytest.mark.stress, needs_a_sampler]

SECONDS = float(os.environ.get("MEMDASH_STRESS_S", "2"))
"""For each cell. With the default all of them take ten minutes; 60 makes a night of it."""

EVERY = [python for python in pythons() if python.major == 3 and python.minor in minors()]
FIRSTS = {python.minor: python for python in reversed(EVERY)}
SOME = [FIRSTS[minor] for minor in (8, 11, 13, 14) if minor in FIRSTS]
"""For what is as slow to begin as celery."""


def hold(python: Python, works: str, capsys: pytest.CaptureFixture[str], *, launched: bool, packages: str = "") -> None:
    """The line with its figures is for whoever wants to know how much was tried."""
    folder = required(python, packages) if packages else None
    seed = random.SystemRandom().randrange(1 << 32)
    trial = Trial(python.executable, works, launched, random.Random(seed).choice(ENDINGS), SECONDS, seed, folder)
    with capsys.disabled():
        sys.stdout.write(f"\n{python} {works} {'launched' if launched else 'injected'} {trial.ending} {seed}: ")
        sys.stdout.write(str(run(trial)))


def each(of: list[Python]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("python", of, ids=str)


@each(EVERY)
@pytest.mark.parametrize("launched", [True, False], ids=["launched", "injected"])
def test_everything_at_once(python: Python, launched: bool, capsys: pytest.CaptureFixture[str]) -> None:
    hold(python, "standard", capsys, launched=launched)


@each(EVERY)
def test_sub_interpreters(python: Python, capsys: pytest.CaptureFixture[str]) -> None:
    hold(python, "interpreters", capsys, launched=True)


@each(EVERY)
def test_hardly_any_memory_left(python: Python, capsys: pytest.CaptureFixture[str]) -> None:
    hold(python, "memory", capsys, launched=True)


@each(EVERY)
@pytest.mark.parametrize("package", ["gevent", "uvloop", "numpy"])
def test_stacks_and_memory_of_extensions(python: Python, package: str, capsys: pytest.CaptureFixture[str]) -> None:
    hold(python, package, capsys, launched=package != "numpy", packages=package)


@each(SOME)
@pytest.mark.parametrize("package", ["flask", "celery", "pandas"])
def test_what_people_run(python: Python, package: str, capsys: pytest.CaptureFixture[str]) -> None:
    hold(python, package, capsys, launched=package != "flask", packages=package)
