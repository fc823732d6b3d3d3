"""The sampler in programs on every interpreter of this machine, against what they know to hold."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from memdash.errors import ProbeError
from memdash.model.action import Action
from memdash.model.missing import Missing
from memdash.model.profile import sampling_error
from memdash.probes.cpython.agent.agents import Agents
from memdash.probes.cpython.layouts import Layout
from memdash.probes.cpython.sampler.fitting import fitting
from memdash.probes.cpython.sampler.frames import frame_words
from memdash.probes.cpython.sampler.sampling import Sampling
from tests.compilers import needs_compiler
from tests.live.pythons import Python, each
from tests.live.samplers import SampledTarget, by_function, needs_a_sampler
from tests.waiting import until

pytestmark = [pytest.mark.live, needs_a_sampler]

RATE_BYTES = 4096
OFTEN = Sampling(RATE_BYTES)
SIGMAS = 5.0
OF_A_FRAME = 20
"""Objects that one sample stands for, when it is of the frame of the function itself: up to 3.10 that is allocated."""
OF_A_MOMENT = 100
"""Likewise of what it needs for a moment only: an iterator takes 48 bytes."""
HOOK = """
#include <stddef.h>
typedef struct { void *ctx; void *(*malloc)(void *, size_t); void *(*calloc)(void *, size_t, size_t);
                 void *(*realloc)(void *, void *, size_t); void (*free)(void *, void *); } allocator;
static allocator below;
static void *get(void *ctx, size_t size) { return below.malloc(ctx, size); }
static void *get_zeros(void *ctx, size_t count, size_t size) { return below.calloc(ctx, count, size); }
static void *get_again(void *ctx, void *block, size_t size) { return below.realloc(ctx, block, size); }
static void give(void *ctx, void *block) { below.free(ctx, block); }
void hook(void (*ask)(int, allocator *), void (*put)(int, allocator *)) {
    ask(2, &below);
    allocator ours = { below.ctx, get, get_zeros, get_again, give };
    put(2, &ours);
}
"""

Start = Callable[..., SampledTarget]

python, old, new, one_python = each((8, 15)), each((9,)), each((12,)), each((11,))


@pytest.fixture
def start(agents: Agents) -> Iterator[Start]:
    """Begin to run one, which is sampled from the start unless said otherwise."""
    with ExitStack() as running:

        def begin(python: Python, sampling: Sampling | None = OFTEN, *, launched: bool = True) -> SampledTarget:
            return running.enter_context(SampledTarget(python.executable, agents if launched else None, sampling))

        yield begin


def test_bytes_and_objects_are_within_their_errors(start: Start, python: Python) -> None:
    target = start(python)
    target.profile()
    truth = target.told("fill")
    found = by_function(target.profile())
    for name, (size, number) in truth.items():
        usage = found[name].usage
        error = SIGMAS * sampling_error(size, number, RATE_BYTES)
        assert usage.inuse_bytes == pytest.approx(size, rel=error + 1e-3), name
        assert usage.inuse_objects == pytest.approx(number, rel=error + 1e-3, abs=OF_A_FRAME), name
        assert 0 <= usage.alloc_objects - usage.inuse_objects <= OF_A_MOMENT, name
    target.command("drop_half")
    middle = by_function(target.profile())["keep_middle"].usage
    assert middle.alloc_bytes == found["keep_middle"].usage.alloc_bytes
    size, number = truth["keep_middle"]
    assert middle.inuse_bytes == pytest.approx(
        size / 2, rel=SIGMAS * sampling_error(size // 2, number // 2, RATE_BYTES)
    )


def test_stacks_are_those_of_the_program(start: Start, new: Python) -> None:
    target = start(new)
    target.profile()
    target.command("fill")
    own = [site for site in target.profile().sites if site.leaf.function == "sampled.keep_large"]
    stack = max(own, key=lambda site: site.usage.inuse_bytes).stack
    assert [frame.function for frame in stack] == [
        "sampled.keep_large",
        "sampled.fill",
        "target.main",
        "sampled.<module>",
    ]
    source = Path(stack[0].file).read_text().splitlines()
    assert source[stack[0].line - 1].strip() == "held[at] = bytes(200_000)"


def test_what_was_asked_for_in_all_is_exact(start: Start, one_python: Python) -> None:
    target = start(one_python)
    target.profile()
    before = target.memstats().TotalAlloc
    target.command("pass", 20_000)
    after = target.memstats().TotalAlloc
    assert isinstance(before, int)
    assert isinstance(after, int)
    asked = 20_000 * 1033
    assert asked <= after - before < 1.05 * asked


def test_what_it_costs_is_measured(start: Start, one_python: Python) -> None:
    target = start(one_python)
    target.profile()
    target.command("pass", 20_000)
    target.reading(lambda reading: "of a core (measured)" in " ".join(reading.caveats))


def test_the_allocators_are_given_back(start: Start, old: Python) -> None:
    target = start(old, None)
    allocators = target.told("allocators")
    for _ in range(3):
        assert "hooks its allocators" in target.offered(Action.SAMPLE)
        assert target.act(Action.SAMPLE) == "one allocation is looked at every 64.0 KiB"
        target.reading(lambda reading: reading.facts)
        assert target.told("allocators") != allocators
        assert "own allocators back" in target.offered(Action.UNSAMPLE)
        target.act(Action.UNSAMPLE)
        assert target.told("allocators") == allocators
        assert "sampled" in target.refusal().why


def test_code_that_comes_and_goes_is_not_kept(start: Start, python: Python) -> None:
    target = start(python)
    target.profile()
    target.command("make_codes", 500)
    assert target.told("codes_alive") > 400, "they are kept until they have been named"

    def are_gone() -> bool:
        sites = target.profile().sites
        target.command("make_codes", 1)  # a place to be asked for
        return any(site.leaf.file == "<template 7>" for site in sites) and int(target.told("codes_alive")) < 100

    until(are_gone)


def test_one_that_runs_already_is_sampled_and_left_as_it_was(start: Start, new: Python) -> None:
    target = start(new, launched=False)
    target.told("malloc")  # newer versions of libffi keep a descriptor of their own
    before = target.told("house"), target.told("allocators")
    target.act(Action.LOAD_AGENT)
    target.profile()
    target.command("fill")
    assert "keep_middle" in by_function(target.profile())
    target.detach()
    until(lambda: (target.told("house"), target.told("allocators")) == before)


def test_a_child_has_its_own_allocators(start: Start, old: Python) -> None:
    target = start(old, None)
    allocators = target.told("allocators")
    target.offered(Action.SAMPLE)
    target.act(Action.SAMPLE)
    assert target.told("child") == allocators
    assert target.told("allocators") != allocators


def test_locks_of_gevent_are_not_used(start: Start, one_python: Python) -> None:
    target = start(one_python, None)
    target.offered(Action.SAMPLE)
    target.command("take_locks_away")
    assert "one allocation is looked at" in target.act(Action.SAMPLE)


def test_it_ends_in_silence_while_it_is_sampled(start: Start, new: Python, capfd: pytest.CaptureFixture[str]) -> None:
    target = start(new)
    target.profile()
    target.command("fill")
    with pytest.raises(EOFError, match="ended with 0"):
        target.command("leave")
    assert capfd.readouterr().err == ""


def test_who_traces_is_not_sampled(start: Start, one_python: Python) -> None:
    target = start(one_python, None)
    target.command("trace", "on")
    target.offered(Action.SAMPLE)
    allocators = target.told("allocators")
    with pytest.raises(ProbeError, match="traces its allocations with tracemalloc"):
        target.act(Action.SAMPLE)
    assert target.told("allocators") == allocators


def put_hooks(target: SampledTarget, folder: Path) -> None:
    """Those of another, compiled in ``folder``."""
    source, library = folder / "hook.c", folder / "hook.so"
    source.write_text(HOOK)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    target.command("hook", str(library))


@needs_compiler
def test_who_has_hooks_of_another_is_not_sampled(start: Start, one_python: Python, tmp_path: Path) -> None:
    target = start(one_python, None)
    put_hooks(target, tmp_path)
    target.offered(Action.SAMPLE)
    allocators = target.told("allocators")
    with pytest.raises(ProbeError, match="something else hooks its allocators"):
        target.act(Action.SAMPLE)
    assert target.told("allocators") == allocators


@needs_compiler
def test_hooks_of_another_on_top_stay_whole(start: Start, one_python: Python, tmp_path: Path) -> None:
    """What came later calls us: so we stay below it, and pass everything through."""
    target = start(one_python)
    target.profile()
    put_hooks(target, tmp_path)
    assert target.act(Action.UNSAMPLE).startswith("what others have hooked since")
    target.command("fill")
    with pytest.raises(ProbeError, match="something else hooks its allocators"):
        target.act(Action.SAMPLE)


def test_frames_that_are_laid_out_otherwise_are_not_walked(
    start: Start, one_python: Python, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shifted(layout: Layout, minor: int) -> tuple[int, ...]:
        *words, instruction, mode, code_bytes, owner = frame_words(layout, minor)
        return (*words, instruction + 8, mode, code_bytes, owner)

    monkeypatch.setattr("memdash.probes.cpython.attach.frame_words", shifted)
    target = start(one_python, None)
    target.offered(Action.SAMPLE)
    allocators = target.told("allocators")
    with pytest.raises(ProbeError, match="not laid out as expected"):
        target.act(Action.SAMPLE)
    assert target.told("allocators") == allocators


def test_without_a_sampler_it_says_what_is_missing(
    start: Start, one_python: Python, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memdash.probes.cpython.sampler.fitting.fitting", partial(fitting, folder=tmp_path))
    target = start(one_python)
    why = target.refusal()
    assert isinstance(why, Missing)
    assert "installed without its sampler" in why.why
    assert "gcc" in why.hint
