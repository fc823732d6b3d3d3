"""memdash leaks on a program that leaks goroutines, on one that does not, and on what cannot be searched."""

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial

import pytest

from memdash.analysis.charges import Excuse
from memdash.analysis.leaks import Suspect
from memdash.analysis.staying import Expected
from memdash.commands import leaks
from memdash.commands.leak_search import Watch, search
from memdash.errors import TargetExited
from memdash.model.missing import Missing
from memdash.process.identity import identify
from memdash.session import read_once
from tests.live.conftest import StartGo
from tests.live.hosts import Host
from tests.live.pythons import Python, readable
from tests.live.target import GoTarget
from tests.waiting import until

pytestmark = pytest.mark.live

Said = tuple[int, str, str]


@pytest.fixture
def said(run: Callable[..., Said], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Run ``memdash leaks``, which takes its looks soon after each other."""
    monkeypatch.setattr(leaks, "_WATCH_S", 0.02)
    return partial(run, "leaks")


def park(target: GoTarget, how: str, number: int) -> None:
    """Have so many goroutines more wait for ever: they have when nobody runs any more, which takes them a moment."""
    before = waiting(target)
    target.command(how, number)
    until(lambda: waiting(target) == before + number, "the goroutines to wait")


def waiting(target: GoTarget) -> int:
    tasks = read_once(identify(target.pid)).sample.tasks
    assert not isinstance(tasks, Missing)
    return sum(task.count for task in tasks.groups if task.state in ("chan receive", "select (no cases)", "sleep"))


@pytest.fixture
def target(start_go: StartGo) -> GoTarget:
    return start_go("stripped")


@pytest.fixture
def serving(start_go: StartGo) -> GoTarget:
    """Three goroutines that nothing can wake, and many that something could, in a program that serves pprof."""
    started = start_go("stripped", "pprof")
    park(started, "leak", 3)
    park(started, "chan", 120)
    return started


def test_a_program_that_only_waits_for_input_has_none(target: GoTarget, said: Callable[..., Said]) -> None:
    assert said(target.pid) == (0, "no leaked goroutines\n", "")


def test_what_has_piled_up_before_anybody_looked_is_printed_with_its_stack(
    target: GoTarget, said: Callable[..., Said]
) -> None:
    park(target, "chan", 120)
    park(target, "select", 1)
    code, out, _ = said(target.pid)
    assert code == 1
    first, heading, rows, summary = out.strip("\n").split("\n\n")
    assert first.startswith("120 goroutines · chan receive · piled up: the same at every look")
    assert "    main.parkInChan  memdash/target/main.go:" in first
    assert first.splitlines()[-1].startswith("    main.spawn  memdash/target/main.go:")
    assert heading.startswith("not accused, for they neither grow ")
    assert rows.startswith("    1  select (no cases)  ")
    assert "  main.parkInSelect  target/main.go:" in rows
    assert summary == "1 group accused, 120 in all · 1 more stays"


def test_a_handful_that_stay_are_shown_and_not_accused_unless_somebody_says_how_old_they_may_be(
    target: GoTarget, said: Callable[..., Said]
) -> None:
    park(target, "chan", 10)
    code, out, _ = said(target.pid)
    assert (code, out.splitlines()[-1]) == (0, "no leaked goroutines · 10 that stay are not accused")
    for _ in range(2):
        target.command("gc")  # the runtime notes it in the second
    assert said("--older-than=1h", target.pid)[0] == 0
    code, out, _ = said("--older-than=1ms", target.pid)
    assert (code, out.count(" · old: the same at every look · waiting for at least ")) == (1, 1)


@pytest.mark.parametrize("option", ["--ignore-top-function=main.parkInChan", "--ignore-created-by=main.spawn"])
def test_what_is_named_is_left_out(target: GoTarget, said: Callable[..., Said], option: str) -> None:
    park(target, "chan", 120)
    assert said(option, target.pid)[0] == 0


def test_for_programs_it_is_one_document(target: GoTarget, said: Callable[..., Said]) -> None:
    park(target, "chan", 120)
    code, out, _ = said("--json", target.pid)
    document = json.loads(out)
    (leak,) = document["leaks"]
    assert code == 1
    assert document["schema"] == "memdash.leaks/2"
    assert (leak["count"], leak["first"], leak["last"], leak["growth"]) == (120, 120, 120, 0)
    assert (leak["accused"], leak["spared"]) == (True, None)
    assert (leak["verdict"], leak["proven"], leak["same"]) == ("piled up", False, True)
    assert leak["stack"][0]["function"] == "main.parkInChan"
    assert json.loads(said("--json", "--ignore-created-by=main.spawn", target.pid)[1])["leaks"] == []


def verdicts(out: str) -> dict[str, str]:
    """By where they stand, of those that stand in the program itself."""
    blocks = [block.splitlines() for block in out.strip().split("\n\n")]
    stacks = [lines for lines in blocks if len(lines) > 1]
    return {lines[1].split()[0]: lines[0] for lines in stacks if lines[1].split()[0].startswith("main.")}


@pytest.mark.parametrize("way", ["endpoint", "url"])
def test_what_the_runtime_has_found_is_proven(serving: GoTarget, said: Callable[..., Said], way: str) -> None:
    asked = [f"--url=http://{serving.command('addr')}"] if way == "url" else ["--endpoint=auto", serving.pid]
    code, out, err = said("--yes", *asked)
    assert (code, err) == (1, "memdash: found 3 leaked goroutines\n")
    found = verdicts(out)
    assert found.keys() == {"main.leakInChan", "main.parkInChan"}
    assert found["main.leakInChan"].startswith("3 goroutines · chan receive (leaked) · leaked: proven, ")
    assert found["main.parkInChan"].startswith("120 goroutines · chan receive · piled up: ")
    assert "not found by the runtime's own search" in found["main.parkInChan"]
    document = json.loads(said("--yes", "--json", "--ignore-top-function=main.parkInChan", *asked)[1])
    assert (document["searched"], document["missing"]) == (True, {})
    # What serves our own question may be caught waiting in the server, wherever that is.
    own = [leak for leak in document["leaks"] if leak["stack"][0]["function"].startswith("main.")]
    assert [(leak["count"], leak["proven"]) for leak in own] == [(3, True)]


def test_nothing_is_collected_when_nobody_has_said_yes(serving: GoTarget, said: Callable[..., Said]) -> None:
    before = serving.stats()["NumGC"]
    code, out, err = said("--endpoint=auto", serving.pid)
    assert code == 1
    assert "leaked" not in out
    assert err == (
        "memdash: not proven: That runs a collection in the program, and there is nobody to ask. Give --yes\n"
    )
    document = json.loads(said("--endpoint=auto", "--json", serving.pid)[1])
    assert (document["searched"], document["missing"].keys()) == (False, {"proof"})
    assert serving.stats()["NumGC"] == before


@pytest.mark.matrix
def test_a_go_that_cannot_search_itself_says_so(start_go: StartGo, said: Callable[..., Said]) -> None:
    target = start_go("stripped", "pprof", minor=26)
    park(target, "leak", 3)
    code, out, err = said("--endpoint=auto", "--yes", target.pid)
    assert (code, err) == (
        0, "memdash: not proven: Its Go has no search for leaked goroutines. Go 1.27 and later have one\n"
    )  # fmt: skip
    assert "    3  chan receive  " in out


def searched(target: GoTarget, pause: Callable[[float], object], *, ignore_current: bool) -> list[Suspect]:
    watch = Watch(1.0, 5.15, ignores_current=ignore_current)
    return list(search(identify(target.pid), Expected(), watch, pause=pause).suspects)


def test_of_those_that_appear_while_it_watches_the_ones_that_stay_are_leaks(target: GoTarget) -> None:
    park(target, "chan", 10)
    (found,) = searched(target, lambda s: park(target, "chan", 3) if s == 1.0 else None, ignore_current=True)
    assert (found.stay.number, found.stay.task.count) == (3, 13)
    assert searched(target, lambda _: None, ignore_current=True) == []


def test_a_server_that_always_has_some_at_work_leaks_none(target: GoTarget) -> None:
    park(target, "chan", 10)

    def pause(_seconds: float) -> None:
        target.command("release")
        while int(target.command("ng")) > 1:
            pass
        park(target, "chan", 10)

    assert searched(target, pause, ignore_current=False) == []


def test_the_looks_go_on_for_as_long_as_is_asked() -> None:
    assert list(Watch(0.0, 5.15).pauses()) == pytest.approx([0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0])
    assert sum(Watch(0.0, 3600.0).pauses()) == pytest.approx(3600.0)
    assert list(Watch(0.0, 0.01).pauses()) == [0.01]


def test_loops_that_are_never_seen_awake_are_known_by_their_stacks(target: GoTarget) -> None:
    """They are away for microseconds."""
    park(target, "leak", 300)
    target.command("ticks", 300)
    watch = Watch(0.0, 0.4)
    found = {s.stay.task.stack[0].function: s for s in search(identify(target.pid), Expected(), watch).suspects}
    assert (found["main.leakInChan"].verdict, found["main.leakInChan"].stay.number) == ("piled up", 300)
    ticking = found.get("main.parkInTicks")
    assert ticking is None or ticking.judged is Excuse.LOOPS


def test_those_that_end_in_time_are_none(target: GoTarget) -> None:
    park(target, "chan", 2)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            target.command("release")
            while int(target.command("ng")) > 1:
                pass

    assert searched(target, pause, ignore_current=False) == []
    assert pauses == [1.0, 0.05, 0.1]  # and then there are none, so it looks no further


def test_a_program_that_ends_meanwhile_is_said_to_have_ended(target: GoTarget) -> None:
    park(target, "chan", 10)
    with pytest.raises(TargetExited):
        searched(target, lambda _: target.kill(), ignore_current=False)


def test_where_no_tasks_can_be_read_nothing_is_said_to_have_leaked(said: Callable[..., Said]) -> None:
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        code, out, err = said(sleeper.pid)
        sleeper.kill()
    assert (code, out) == (2, "")
    assert err.startswith("memdash: its goroutines or threads cannot be seen: ")


@pytest.mark.matrix
@pytest.mark.parametrize("python", readable((12,)))
def test_asyncio_tasks_are_searched_with_the_agent_and_it_goes(python: Python, said: Callable[..., Said]) -> None:
    with Host(python.executable, None) as host:
        host.command("loop", 0)
        code, out, err = said(host.pid)
        assert (code, "--agent brings it" in err) == (0, True), out
        code, out, err = said(host.pid, "--agent")
        assert code == 0, err
        row = next(line for line in out.splitlines() if line.startswith("    40  waiting"))
        assert row.endswith("  (fewer than 100)")
        until(lambda: not host.told("house")["attribute"], "the end of the agent")


def test_threads_of_a_python_are_searched_too(said: Callable[..., Said]) -> None:
    script = "import threading as t\nt.Thread(target=input).start()\nprint(flush=True)\nt.Event().wait()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as python:
        assert python.stdout is not None
        python.stdout.readline()
        code, out, _ = said(python.pid)
        python.kill()
    assert code == 0  # one alone is no more than shown: every service has loops that wait for ever
    row, summary = out.splitlines()[2::2]
    assert row.startswith("    1  in read  ")
    assert "Thread.run  " in row or "  run  " in row  # before 3.11 a function's class is not known
    assert summary == "no leaked threads · 1 that stays is not accused"  # the main one does not count
