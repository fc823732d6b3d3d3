"""The C file in a program of its own: its tables against models, its hooks, threads and forks, under sanitizers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.compilers import needs_compiler
from tests.probes.cpython.sampler.compiled import ADDRESSES, PLAIN, THREADS, UNDEFINED, Harness, compiled

pytestmark = needs_compiler


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Harness:
    """Every access and every computation is checked. Compiling it takes 1.5 s."""
    return compiled(tmp_path_factory.mktemp("addresses"), ADDRESSES)


@pytest.fixture(scope="module")
def raced(tmp_path_factory: pytest.TempPathFactory) -> Harness:
    """Threads that touch the same without order are found."""
    return compiled(tmp_path_factory.mktemp("threads"), THREADS)


def test_logarithm_and_weights_are_those_of_libm(checked: Harness) -> None:
    checked.run("arithmetic")


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.matrix) for seed in range(2, 20))])
def test_live_table_holds_what_a_model_holds(checked: Harness, seed: int) -> None:
    checked.run("live", seed)


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.matrix) for seed in range(2, 20))])
def test_each_stack_is_kept_once_until_there_is_no_room(checked: Harness, seed: int) -> None:
    checked.run("stacks", seed)


def test_frames_of_every_shape_are_walked(checked: Harness) -> None:
    checked.run("frames")


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.matrix) for seed in range(2, 20))])
def test_hooks_account_for_every_block(checked: Harness, seed: int) -> None:
    checked.run("hooks", seed)


def test_other_hookers_and_calls_from_within_do_no_harm(checked: Harness) -> None:
    checked.run("chain")


def test_threads_without_the_gil_lose_no_byte(checked: Harness) -> None:
    checked.run("threads", 8)


def test_children_go_on_with_a_copy(tmp_path: Path) -> None:
    # Not under AddressSanitizer: a child of it waits for ever where another thread was in its allocator at the fork.
    compiled(tmp_path, UNDEFINED).run("forks", 3)


@pytest.mark.matrix
def test_nobody_waits_for_ever(checked: Harness) -> None:
    checked.run("waiting")


@pytest.mark.matrix
@pytest.mark.parametrize("name", ["threads", "forks"])
def test_threads_do_not_race(raced: Harness, name: str) -> None:
    raced.run(name, 300 if name == "threads" else 40)


@pytest.mark.matrix
@pytest.mark.skipif(not shutil.which("valgrind"), reason="no valgrind: apt install valgrind")
@pytest.mark.parametrize("name", ["frames", "stacks", "hooks", "chain"])
def test_nothing_undefined_is_looked_at(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    folder = tmp_path_factory.mktemp("valgrind")
    compiled(folder, PLAIN, ["valgrind", "-q", "--error-exitcode=9"]).run(name)
