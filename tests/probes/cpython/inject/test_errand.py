"""A thread comes back from an errand with every register, vector and flag as it was, and waits on."""

from __future__ import annotations

import ctypes
import os
import struct
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from memdash.probes.cpython.inject.errand import Errand, prepare, resumed
from memdash.probes.cpython.inject.gadgets import find_gadgets
from memdash.probes.cpython.inject.memory import TargetMemory
from memdash.probes.cpython.inject.ptrace import NotNow, Registers, StoppedThread
from memdash.probes.cpython.inject.rehearsal import rehearsed_form
from memdash.probes.cpython.inject.signal_frame import FrameForm, UnknownState, form_of_frames
from memdash.probes.cpython.inject.system_calls import standing
from memdash.process.identity import identify
from memdash.process.memory import ProcessMemory
from memdash.process.system_calls import name_of
from tests.compilers import needs_compiler
from tests.programs import ended
from tests.waiting import until

SOURCE = r"""
#include <immintrin.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile int ran[3];
static volatile char *text;

/* Each spoils what a function may spoil, and more. */
static void spoil(void)
{
    __asm__ volatile("vzeroall; fninit; std; cld; xor %%r10, %%r10; xor %%r11, %%r11" ::: "memory", "r10", "r11");
    _mm_setcsr(0x1f80);
}
__attribute__((noinline)) int ensure(void)
{
    char local[64] __attribute__((aligned(16)));
    _mm_store_ps((float *)local, _mm_setzero_ps()); /* faults on a stack that is not aligned */
    ran[0]++; spoil(); return 1;
}
__attribute__((noinline)) int run(char *code)
{
    char local[64] __attribute__((aligned(16)));
    _mm_store_ps((float *)local, _mm_setzero_ps());
    text = strdup(code); ran[1]++; spoil(); return 0;
}
__attribute__((noinline)) void release(int state) { ran[2] += state; spoil(); }

struct seen { unsigned char ymm[2][32]; long callee[5]; unsigned mxcsr; unsigned short fpu; long result; };

static void wait_and_look(struct seen *seen, int fd, char *byte)
{
    register struct seen *at __asm__("r8") = seen;
    register long number __asm__("rax") = 0; /* read */
    __asm__ volatile(
        "vmovdqu (%%r8), %%ymm3\n vmovdqu 32(%%r8), %%ymm14\n"
        "mov $0x1111, %%rbx\n mov $0x2222, %%r12\n mov $0x3333, %%r13\n mov $0x4444, %%r14\n mov $0x5555, %%r15\n"
        "syscall\n"
        "vmovdqu %%ymm3, (%%r8)\n vmovdqu %%ymm14, 32(%%r8)\n"
        "mov %%rbx, 64(%%r8)\n mov %%r12, 72(%%r8)\n mov %%r13, 80(%%r8)\n mov %%r14, 88(%%r8)\n mov %%r15, 96(%%r8)\n"
        : "+r"(number)
        : "D"((long)fd), "S"(byte), "d"(1L), "r"(at)
        : "rcx", "r11", "rbx", "r12", "r13", "r14", "r15", "xmm3", "xmm14", "memory");
    seen->result = number;
    seen->mxcsr = _mm_getcsr();
    __asm__ volatile("fnstcw %0" : "=m"(seen->fpu));
}

int main(void)
{
    struct seen seen;
    char byte = 0;
    sigset_t mask, after;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    sigprocmask(SIG_SETMASK, &mask, 0);
    memset(&seen, 0, sizeof seen);
    memset(seen.ymm[0], 0xa5, 32);
    memset(seen.ymm[1], 0x5a, 32);
    unsigned short fpu = 0x0c7f;
    __asm__ volatile("fldcw %0" : : "m"(fpu));
    _mm_setcsr(0x5f80 | 0x8000);
    printf("%p %p %p\n", (void *)ensure, (void *)run, (void *)release);
    fflush(stdout);
    wait_and_look(&seen, 0, &byte);
    unsigned mxcsr = seen.mxcsr;
    _mm_setcsr(0x1f80);
    sigprocmask(SIG_SETMASK, 0, &after);
    int same = 1;
    for (int i = 0; i < 32; i++) same &= seen.ymm[0][i] == 0xa5 && seen.ymm[1][i] == 0x5a;
    for (int i = 0; i < 5; i++) same &= seen.callee[i] == 0x1111 * (i + 1);
    printf("%d %ld %c %x %x %d %d%d%d %s\n", same, seen.result, byte, mxcsr, seen.fpu, sigismember(&after, SIGUSR2),
           ran[0], ran[1], ran[2], text ? (char *)text : "-");
    return 0;
}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("errand")
    (folder / "program.c").write_text(SOURCE)
    subprocess.run(["cc", "-O1", "-mavx", folder / "program.c", "-o", folder / "program"], check=True)
    return folder / "program"


@pytest.fixture
def waiting(program: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[int]]]:
    with ended(subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)) as started:
        assert started.stdout is not None
        functions = [int(word, 16) for word in started.stdout.readline().split()]
        until(lambda: standing(started.pid, started.pid).number == 0, "its wait")
        yield started, functions


def has_returned(pid: int, below: int) -> bool:
    """Whether it stands above its errand again."""
    return standing(pid, pid).stack > below


def has_avx() -> bool:
    return " avx " in Path("/proc/cpuinfo").read_text()


@needs_compiler
@pytest.mark.skipif(not has_avx(), reason="the processor has no AVX")
def test_everything_is_as_it_was(waiting: tuple[subprocess.Popen[bytes], list[int]]) -> None:
    program, functions = waiting
    assert program.stdin is not None
    assert program.stdout is not None
    form = rehearsed_form()
    with ExitStack() as opened:
        memory = opened.enter_context(ProcessMemory(program.pid))
        to = opened.enter_context(TargetMemory(identify(program.pid)))
        ensure, run, release = functions
        errand = Errand(ensure, run, release, find_gadgets(memory))
        for _ in range(3):
            with StoppedThread(program.pid) as thread:
                departure = prepare(errand, form, b"some code", thread, memory, to)
                thread.set_registers(departure.registers)
            until(partial(has_returned, program.pid, departure.below), "its return")
    program.stdin.write(b"!")
    assert program.stdout.readline().decode().split(" ", 9) == [
        "1",
        "1",
        "!",
        "df80",
        "c7f",
        "1",
        "333",
        "some",
        "code\n",
    ]
    assert program.wait() == 0


@needs_compiler
def test_a_thread_that_is_only_looked_at_waits_on(waiting: tuple[subprocess.Popen[bytes], list[int]]) -> None:
    program, _ = waiting
    assert program.stdin is not None
    assert program.stdout is not None
    with StoppedThread(program.pid) as thread:
        assert resumed(thread.registers()).rax == 0
    program.stdin.write(b"!")
    assert program.stdout.readline().split()[1:3] == [b"1", b"!"]


def registers(**values: int) -> Registers:
    return Registers(cs=0x33, rip=0x1002, **values)


@pytest.mark.parametrize(
    ("number", "result", "timeout", "rax", "rip"),
    [
        (0, 512, 0, 0, 0x1000),  # read: as after a handler that lets it start again
        (34, 514, 0, 34, 0x1000),  # pause
        (230, 516, 0, 2**64 - 4, 0x1002),  # clock_nanosleep: the kernel has lost count
        (232, 4, 0, 2**64 - 4, 0x1002),  # epoll_wait says so itself
        (7, 516, 1000, 2**64 - 4, 0x1002),  # poll for a second
        (7, 516, 2**32 - 1, 7, 0x1000),  # poll for ever
    ],
)
def test_a_call_goes_on_or_is_told_eintr(number: int, result: int, timeout: int, rax: int, rip: int) -> None:
    back = resumed(registers(orig_rax=number, rax=2**64 - result, rdx=timeout))
    assert (back.rax, back.rip, back.orig_rax) == (rax, rip, 2**64 - 1)


@pytest.mark.parametrize(
    "wrong",
    [
        registers(orig_rax=202, rax=2**64 - 512),  # futex
        registers(orig_rax=2**64 - 1, rax=0),  # in no system call
        registers(orig_rax=0, rax=17),  # has read something
        registers(orig_rax=0, rax=2**64 - 11),  # EAGAIN
        Registers(cs=0x23, orig_rax=0, rax=2**64 - 512),  # 32-bit code
    ],
)
def test_who_does_not_wait_so_is_not_sent(wrong: Registers) -> None:
    with pytest.raises(NotNow):
        resumed(wrong)


def test_a_state_that_a_frame_cannot_hold_is_refused() -> None:
    form = FrameForm(flags=7, features=0b111, state_bytes=832)
    state = bytearray(2048)
    struct.pack_into("<Q", state, 512, 0b11)
    assert len(form.state(bytes(state))) == 832 + 4
    struct.pack_into("<Q", state, 512, 0b1011)
    with pytest.raises(UnknownState, match="uses more"):
        form.state(bytes(state))
    with pytest.raises(UnknownState, match="shows less"):
        form.state(bytes(500))


def test_the_kernel_says_how_its_frames_look() -> None:
    form = form_of_frames()
    assert form == form_of_frames()
    assert form.state_bytes % 64 == 0
    assert form.features & 0b11 == 0b11  # x87 and SSE


def test_system_calls_have_names() -> None:
    assert name_of(232) == "epoll_wait"
    assert name_of(999) == "system call 999"


def test_gadgets_are_what_they_should_be() -> None:
    with ProcessMemory(os.getpid()) as memory:
        gadgets = find_gadgets(memory)
        assert memory.read(gadgets.return_from_signal, 9) == bytes.fromhex("48c7c00f0000000f05")
        assert memory.read(gadgets.load_argument, 2) == b"\x5f\xc3"
        assert memory.read(gadgets.nothing, 1) == b"\xc3"
    assert ctypes.sizeof(Registers) == 27 * 8
