"""The agent in trouble: memdash killed, the program forking, becoming another, stopped, killed in the midst."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from memdash.errors import AgentUnreachable, TimedOut
from memdash.model.missing import Missing
from memdash.probes.cpython.agent.agents import Agents
from memdash.probes.cpython.agent.feed import AgentFeed
from memdash.probes.cpython.agent.link import AgentLink
from memdash.probes.cpython.agent.told import collected
from tests.live.hosts import Host, claimed
from tests.live.pythons import Python, each
from tests.waiting import until

pytestmark = pytest.mark.live


python = each((8, 15))


def stop(pid: int) -> None:
    """When this returns, no thread of it runs any more."""
    os.kill(pid, signal.SIGSTOP)
    states = Path(f"/proc/{pid}/task")
    until(lambda: all(b") T" in (task / "stat").read_bytes() for task in states.iterdir()))


MEMDASH = """
import sys, time
from memdash.probes.cpython.agent.launch import agents_of_ours
with agents_of_ours() as agents:
    print(agents.path, flush=True)
    pid = int(sys.stdin.readline())
    while (peer := agents.claim(pid)) is None:
        time.sleep(0.002)
    peer.ask("time", 10.0)
    print("claimed", flush=True)
    while True:
        peer.ask("pauses", 10.0, after=0)
"""


def test_when_memdash_is_killed_the_target_is_as_it_was(python: Python, agents: Agents) -> None:
    killed = subprocess.Popen([sys.executable, "-c", MEMDASH], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert killed.stdin is not None
    assert killed.stdout is not None
    try:
        path = killed.stdout.readline().decode().strip()
        with Host(python.executable, agents, {"PYTHONPATH": path}) as host:
            killed.stdin.write(b"%d\n" % host.pid)
            killed.stdin.flush()
            assert killed.stdout.readline() == b"claimed\n"
            assert host.told("house")["callbacks"] == 1
            killed.kill()
            killed.wait()
            until(lambda: host.told("house")["threads"] == 1)
            assert host.told("house")["callbacks"] == 0
            # its children find the socket that nobody listens to, and say nothing
            assert host.told("fork", "collect")[1] == 7
    finally:
        killed.kill()
        killed.communicate()
        subprocess.run(["rm", "-r", path], check=True)


def test_a_fork_in_the_midst_of_questions_is_survived_on_both_sides(host: Host, agents: Agents) -> None:
    peer = claimed(agents, host.pid)
    for number in range(10):
        peer.ask("pauses", 10.0, after=0)
        pid, code = host.told("fork", "collect")
        assert code == 7
        assert pid != host.pid
        assert peer.ask("collect", 10.0).keys() == {"collected"}
        assert host.told("house")["threads"] == 2, number
    peer.close()


def test_a_program_that_becomes_another_one_brings_a_new_agent(host: Host, link: AgentLink) -> None:
    link.ask("collect", 10.0, collected)
    assert link.connections == 1
    host._process.stdin.write(b"become\n")  # type: ignore[union-attr]
    assert host._line().startswith("ready ")
    until(lambda: link.absence() is None and link.connections == 2)
    assert link.ask("collect", 10.0, collected).endswith("collected")
    assert "the agent has gone" in link.news()


def test_a_target_that_stops_holds_nobody_up(host: Host, link: AgentLink) -> None:
    feed = AgentFeed(link)
    until(lambda: not isinstance(feed.pauses(), Missing))
    known = feed.pauses()
    stop(host.pid)
    try:
        began_s = time.monotonic()
        told = [feed.pauses() for _ in range(5)]
        assert time.monotonic() - began_s < 5
        assert len(set(map(repr, told))) == 1
        assert not isinstance(told[0], Missing)
        assert not isinstance(known, Missing)
        assert told[0].since_s == known.since_s
        assert link.absence() is None
    finally:
        os.kill(host.pid, signal.SIGCONT)
    assert link.ask("collect", 10.0, collected)


def test_a_target_that_is_killed_in_the_midst_of_an_answer(host: Host, link: AgentLink) -> None:
    link.ask("collect", 10.0, collected)
    stop(host.pid)
    with pytest.raises(TimedOut, match="not answered in time"):
        link.ask("collect", 0.01, collected)
    host.kill()
    with pytest.raises(AgentUnreachable):
        link.ask("collect", 10.0, collected)
    assert link.absence() is not None


ANOTHER_MALLOC = """
#include <stddef.h>
#include <string.h>
static char pool[1 << 28];
static size_t at;
void *malloc(size_t n) {
    char *block = pool + at;
    at += (n + 31) & ~15UL;
    *(size_t *)block = n;
    return block + 16;
}
void free(void *block) {}
void *calloc(size_t n, size_t size) { return malloc(n * size); }
void *realloc(void *old, size_t n) {
    size_t held = old ? *(size_t *)((char *)old - 16) : 0;
    return old ? memcpy(malloc(n), old, held < n ? held : n) : malloc(n);
}
"""


def test_another_allocator_is_not_taken_for_that_of_the_c_library(
    python: Python, agents: Agents, tmp_path: Path
) -> None:
    if not shutil.which("cc"):
        pytest.skip("there is no C compiler")
    source, library = tmp_path / "malloc.c", tmp_path / "malloc.so"
    source.write_text(ANOTHER_MALLOC)
    subprocess.run(["cc", "-shared", "-fPIC", "-fno-builtin", source, "-o", library], check=True)
    with Host(python.executable, agents, {"LD_PRELOAD": str(library)}) as host:
        peer = claimed(agents, host.pid)
        for deed in ("malloc", "trim"):
            assert peer.ask(deed, 10.0)["why"].startswith("another allocator stands in for that of the C library")
        peer.close()
