import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import psutil
import pytest

from memdash.errors import TargetExited
from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.system import SystemStats
from memdash.probes.probe import Fit
from memdash.probes.system import SYSTEM
from memdash.probes.system.process import ProcessProbe
from memdash.process.identity import identify
from tests.waiting import until

Start = Callable[..., "subprocess.Popen[bytes]"]
Probe = Callable[[int], ProcessProbe]


@pytest.fixture
def probe() -> Iterator[Probe]:
    opened = []

    def of(pid: int) -> ProcessProbe:
        opened.append(ProcessProbe(pid))
        return opened[-1]

    yield of
    for each in opened:
        each.close()
        each.close()


def stats(probe: ProcessProbe) -> SystemStats:
    (fact,) = probe.read().facts
    assert isinstance(fact, SystemStats)
    return fact


@pytest.fixture
def resting(start: Start) -> psutil.Process:
    """A process with three threads and three open pipes that waits for its input."""
    code = (
        "import threading; data = bytearray(8 << 20); wait = threading.Event().wait\n"
        "[threading.Thread(target=wait, daemon=True).start() for _ in range(2)]\n"
        "print('ready', flush=True); input()"
    )
    child = start(sys.executable, "-c", code)
    assert child.stdout is not None
    child.stdout.readline()
    process = psutil.Process(child.pid)
    until(lambda: process.status() == "sleeping", "its rest")
    return process


def test_a_process_at_rest_has_what_psutil_says(resting: psutil.Process, probe: Probe) -> None:
    read, memory = stats(probe(resting.pid)), resting.memory_info()
    status = Path(f"/proc/{resting.pid}/status").read_text()
    faults = Path(f"/proc/{resting.pid}/stat").read_text().rpartition(")")[2].split()
    assert read.rss_bytes == memory.rss
    assert read.vms_bytes == memory.vms
    assert read.swap_bytes == int(status.partition("VmSwap:")[2].split()[0]) * 1024
    assert (read.minor_faults, read.major_faults) == (int(faults[7]), int(faults[9]))
    assert read.threads == resting.num_threads() == 3
    assert read.fds == resting.num_fds()
    assert read.oom_score == int(Path(f"/proc/{resting.pid}/oom_score").read_text())
    assert read.host_total_bytes == psutil.virtual_memory().total
    assert read.host_available_bytes == pytest.approx(psutil.virtual_memory().available, rel=0.2)


def test_cpu_time_is_finer_than_the_ticks_of_the_kernel(start: Start, probe: Probe) -> None:
    child = start(sys.executable, "-c", "print('ready', flush=True)\nwhile True: pass")
    assert child.stdout is not None
    child.stdout.readline()
    reader = probe(child.pid)
    first = stats(reader)
    assert first.cpu_percent == Missing("the share of CPU takes two readings")
    began_s, deadline_s = first.cpu_time_s, time.monotonic() + 30
    assert isinstance(began_s, float)
    while True:
        read = stats(reader)
        assert isinstance(read.cpu_time_s, float)
        assert isinstance(read.cpu_percent, float)
        assert time.monotonic() < deadline_s
        if began_s < read.cpu_time_s < began_s + 0.009:
            break  # seen to move by less than one tick
        began_s = read.cpu_time_s
    told = psutil.Process(child.pid).cpu_times()
    assert read.cpu_time_s == pytest.approx(told.user + told.system, abs=0.5)


def test_the_share_of_cpu_is_that_of_the_time_between_two_reads(resting: psutil.Process, probe: Probe) -> None:
    reader = probe(resting.pid)
    stats(reader)
    until(lambda: stats(reader).cpu_percent == 0.0, "two reads between which it rested")


def test_every_figure_of_our_own_process_can_be_had(resting: psutil.Process, probe: Probe) -> None:
    reader = probe(resting.pid)
    stats(reader)
    read = stats(reader)
    absent = {
        field.name: getattr(read, field.name)
        for field in fields(read)
        if isinstance(getattr(read, field.name), Missing) and field.name not in ("cgroup", "psi")
    }
    assert list(absent) == ["address_space_limit_bytes"]


def test_the_limit_of_the_address_space(start: Start, probe: Probe) -> None:
    child = start("prlimit", f"--as={1 << 30}", "sleep", "60")
    reader = probe(child.pid)
    until(lambda: Path(f"/proc/{child.pid}/comm").read_text() == "sleep\n", "sleep")
    assert stats(reader).address_space_limit_bytes == 1 << 30


@pytest.mark.parametrize("reaped", [True, False])
def test_a_process_that_has_ended_says_so(start: Start, probe: Probe, reaped: bool) -> None:
    child = start("sleep", "60")
    reader = probe(child.pid)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    if reaped:
        child.wait()
    with pytest.raises(TargetExited, match=f"process {child.pid} has ended"):
        reader.read()


def test_attaching_to_what_has_ended_leaves_nothing_open(start: Start) -> None:
    child = start("sleep", "60")
    target = identify(child.pid)
    child.kill()
    child.wait()
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(TargetExited):
        SYSTEM.attach(target)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_the_system_view_fits_every_process(resting: psutil.Process) -> None:
    target = identify(resting.pid)
    verdict = SYSTEM.fitness(target)
    assert isinstance(verdict, Fit)
    attachment = SYSTEM.attach(target)
    assert [each.name for each in attachment.probes] == [
        "system.process",
        "system.family",
        "system.smaps",
        "system.mappings",
    ]
    given = frozenset[Capability]().union(*(each.capabilities for each in attachment.probes))
    assert given == verdict.capabilities == SYSTEM.capabilities
    assert attachment.missing == {}
    for each in attachment.probes:
        each.read()
        each.close()


def test_of_another_users_process_all_is_read_that_everyone_may(
    resting: psutil.Process, as_nobody: Callable[[Callable[[], str]], str]
) -> None:
    def told() -> str:
        attachment = SYSTEM.attach(identify(resting.pid))
        read = stats(attachment.probes[0])  # type: ignore[arg-type] # the first is the ProcessProbe
        return f"{read.rss_bytes} {read.threads} {[*attachment.missing]} {attachment.missing[Capability.SMAPS].why}"

    assert as_nobody(told) == (
        f"{resting.memory_info().rss} 3 [<Capability.SMAPS: 'smaps'>, <Capability.MAPPINGS: 'mappings'>] "
        "the kernel shows the memory map of a process only to its owner"
    )
