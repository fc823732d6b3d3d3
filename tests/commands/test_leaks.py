"""What memdash leaks says of tasks that are only counted, and of whom it asks for proof."""

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from memdash.analysis.leaks import suspects
from memdash.analysis.staying import Expected
from memdash.commands import leak_search as leaks
from memdash.commands.leak_search import Agent
from memdash.commands.leak_words import lines
from memdash.errors import UsageError
from memdash.model.action import Action
from memdash.model.capability import Capability, Source
from memdash.model.missing import Maybe, Missing
from memdash.model.profile import Frame
from memdash.model.sample import Fact, Reading
from memdash.model.target import Runtime, Target
from memdash.model.tasks import Task, TaskKind, Tasks
from memdash.probes.gops.answers import goroutines
from memdash.probes.probe import Attachment, Fit
from memdash.process.identity import identify

Consent = Callable[[Action, str], bool]

NOBODY = Missing("the runtime started it")


class Program:
    """A way of reading whose tasks are as a test wants them; it can search itself. All protocols in one."""

    name = "program"
    capabilities = frozenset({Capability.TASKS})
    wanted_for = frozenset({Action.FIND_LEAKS})
    cadence_s = 0.0

    def __init__(self, tasks: Tasks) -> None:
        self.tasks: Fact = tasks
        self.searches = 0
        self.offer: Maybe[str] = "it runs a collection in the program"

    def fitness(self, target: Target) -> Fit:
        return Fit(1, self.capabilities, Runtime.GO)

    def attach(self, target: Target) -> Attachment:
        return Attachment((self,), actors=(self,))

    def read(self) -> Reading:
        return Reading(Source.GOPS, (self.tasks,))

    def offers(self) -> dict[Action, Maybe[str]]:
        return {Action.FIND_LEAKS: self.offer}

    def act(self, action: Action) -> str:
        self.searches += 1
        self.tasks = Tasks((waiting(2, is_leaked=True),))
        return "found 2 leaked goroutines"

    def cancel(self) -> None: ...

    def news(self) -> tuple[str, ...]:
        return ()

    def close(self) -> None: ...


def waiting(count: int, **changes: Any) -> Task:
    stack = (Frame("main.wait", "main.go", 3),)
    task = Task(
        kind=TaskKind.GOROUTINE, count=count, state="chan receive", stack=stack, created_by=NOBODY, waiting_s=NOBODY
    )
    return replace(task, **changes)


def searched(program: Program, consent: Maybe[Consent]) -> leaks.Searched:
    watch = leaks.Watch(0.0, 1.0)
    return leaks.search(identify(os.getpid()), Expected(), watch, (program,), consent, pause=lambda _: None)


def test_proof_is_asked_for_with_what_it_does() -> None:
    program, heard = Program(Tasks((waiting(2),))), list[tuple[Action, str]]()

    def consent(action: Action, words: str) -> bool:
        heard.append((action, words))
        return True

    found = searched(program, consent)
    assert heard == [(Action.FIND_LEAKS, "it runs a collection in the program")]
    assert program.searches == 1
    assert found.proof == "found 2 leaked goroutines"
    assert [suspect.verdict for suspect in found.suspects] == ["leaked"]


def test_a_yes_is_not_asked_for_what_could_not_be_done() -> None:
    program = Program(Tasks((waiting(2),)))
    program.offer = Missing("a gops agent cannot search", "ask net/http/pprof")
    assert searched(program, Missing("there is nobody to ask", "give --yes")).proof == program.offer


@pytest.mark.parametrize("consent", [lambda _action, _words: False, Missing("there is nobody to ask", "give --yes")])
def test_without_a_yes_there_is_no_proof_and_still_a_verdict(consent: Maybe[Consent]) -> None:
    program = Program(Tasks((waiting(2),)))
    found = searched(program, consent)
    assert program.searches == 0
    assert isinstance(found.proof, Missing)
    (suspect,) = found.suspects
    assert (suspect.verdict, suspect.evidence) == ("staying", "as many at every look")


def test_what_cannot_search_says_why() -> None:
    program = Program(Tasks((waiting(2),)))
    program.offer = Missing("its Go has no search")
    assert searched(program, lambda _action, _words: True).proof == program.offer


class PythonProgram(Program):
    """A Python, whose asyncio tasks are told once the agent has been loaded."""

    def __init__(self, why_not: Missing | None = None) -> None:
        super().__init__(Tasks((waiting(1, kind=TaskKind.THREAD),)))
        self.why_not = why_not
        self.is_loaded = False

    def offers(self) -> dict[Action, Maybe[str]]:
        if self.is_loaded:
            return {Action.TRIM: "runs malloc_trim"}
        return {Action.LOAD_AGENT: self.why_not or "runs the agent", Action.TRIM: Missing("no agent")}

    def act(self, action: Action) -> str:
        assert action is Action.LOAD_AGENT
        self.is_loaded = True
        self.tasks = Tasks((waiting(9, kind=TaskKind.ASYNCIO),))
        return "it is there"


def test_with_the_agent_asyncio_tasks_are_told_from_the_first_look_on() -> None:
    program, watch = PythonProgram(), leaks.Watch(0.0, 1.0, ignores_current=True)
    pause, none = lambda _: None, leaks.UNASKED
    target = identify(os.getpid())
    found = leaks.search(target, Expected(), watch, (program,), none, pause, agent=Agent.NEEDED)
    assert program.is_loaded
    assert found.suspects == (), "they were there already"
    found = leaks.search(target, Expected(), replace(watch, ignores_current=False), (program,), none, pause)
    assert [(suspect.stay.task.kind, suspect.stay.number) for suspect in found.suspects] == [(TaskKind.ASYNCIO, 9)]


def test_an_agent_that_does_not_come_is_no_leak() -> None:
    program = PythonProgram(Missing("a debugger is in it", "let it go"))
    with pytest.raises(UsageError, match="its asyncio tasks cannot be seen: a debugger is in it") as refused:
        leaks.search(identify(os.getpid()), Expected(), leaks.Watch(0.0, 1.0), (program,), agent=Agent.NEEDED)
    assert (refused.value.exit_code, refused.value.hint) == (2, "let it go")
    of_a_file = partial(leaks.search, agent=Agent.WANTED, pause=lambda _: None)
    found = of_a_file(identify(os.getpid()), Expected(), leaks.Watch(0.0, 1.0), (program,))
    assert found.kinds == {TaskKind.THREAD}, "a setting that is meant for other programs too stops nobody"


def test_goroutines_that_are_only_counted_accuse_nobody() -> None:
    counted = goroutines("goroutines: 12\nOS threads: 8\nGOMAXPROCS: 2\nnum CPU: 2\n")
    with pytest.raises(UsageError, match="where its goroutines stand is not told"):
        searched(Program(counted), Missing("nobody asked"))


def test_where_nothing_stays_it_says_what_was_looked_at() -> None:
    """Memory may leak all the same."""
    kinds = {TaskKind.THREAD, TaskKind.ASYNCIO}
    assert [*lines((), frozenset(kinds))] == ["no leaked asyncio tasks or threads"]
    assert [*lines((), frozenset())] == ["no leaked goroutines or threads"]


def test_the_accused_are_told_with_their_stacks_and_the_others_in_a_line_each() -> None:
    pile = waiting(1200, waiting_s=3600.0)
    workers = waiting(40, stack=(Frame("main.work", "/srv/app/main.go", 9),), waiting_s=65.0)
    loop = waiting(1, stack=(Frame("main.\x1b[2Jloop", "main.go", 5),), state="select")
    other = replace(loop, stack=(*loop.stack, Frame("main.run", "main.go", 1)), waiting_s=5.0)
    found = suspects([Tasks((loop, other, workers, pile))] * 2, Expected())
    assert [*lines(found, frozenset({TaskKind.GOROUTINE}))] == [
        "1 200 goroutines · chan receive · piled up: as many at every look · waiting for at least 1h00m",
        "    main.wait  main.go:3",
        "",
        "not accused, for they neither grow nor are many alike that nothing explains:",
        "",
        "    40  chan receive  ≥1m05s  main.work  app/main.go:9  (fewer than 100)",
        "     2  select        ≥5.0 s  main.\\e[2Jloop  main.go:5",
        "",
        "1 group accused, 1 200 in all · 42 more stay",
    ]
    assert [*lines(found[1:], frozenset({TaskKind.GOROUTINE}))][-1] == (
        "no leaked goroutines · 42 that stay are not accused"
    )


class Loop(Program):
    """Three hundred loops, of which one is away at each other look."""

    def __init__(self) -> None:
        self.looks = 0
        super().__init__(Tasks(()))

    def read(self) -> Reading:
        self.looks += 1
        here = frozenset(range(self.looks % 2, 300))
        return Reading(Source.GOPS, (Tasks((waiting(len(here), ids=here),)),))


def test_many_alike_are_looked_at_more_often_until_one_is_seen_to_go_on() -> None:
    program = Loop()
    (suspect,) = searched(program, Missing("nobody asked")).suspects
    assert (suspect.verdict, suspect.stay.number) == ("staying", 299)
    pile = Program(Tasks((waiting(300, ids=frozenset(range(300))),)))
    pauses: list[float] = []
    watch = leaks.Watch(0.0, 1.0)
    found = leaks.search(identify(os.getpid()), Expected(), watch, (pile,), pause=pauses.append)
    assert [suspect.verdict for suspect in found.suspects] == ["piled up"]
    assert len(pauses) > 20  # in glimpses
    assert sum(pauses) == pytest.approx(1.0)


def test_a_recording_is_looked_at_from_when_all_its_tasks_are_told() -> None:
    threads = Tasks((waiting(1, kind=TaskKind.THREAD),))
    both = Tasks((*threads.groups, waiting(2, kind=TaskKind.ASYNCIO)))
    assert leaks._of_all_kinds([threads, both, threads, both]) == [both, threads, both]
    assert leaks._of_all_kinds([threads, threads]) == [threads, threads]


def test_of_a_recording_those_may_stay_that_there_were_when_all_could_be_told() -> None:
    """Else all asyncio tasks would have come after a first reading without the agent."""
    threads = Tasks((waiting(1, kind=TaskKind.THREAD),))
    both = Tasks((*threads.groups, waiting(2, kind=TaskKind.ASYNCIO)))
    later = Tasks((*threads.groups, waiting(3, kind=TaskKind.ASYNCIO)))
    assert leaks._first([threads, both, later], [later, later]) == both
    assert leaks._first([threads], [later, both]) == later
    assert leaks._first([threads, both], [threads, threads]) == threads


def test_of_those_that_grow_all_that_there_are_now_are_counted() -> None:
    found = suspects([Tasks((waiting(number),)) for number in (1, 3, 5)], Expected())
    told = [*lines(found, frozenset({TaskKind.GOROUTINE}))]
    assert told[0].startswith("5 goroutines · chan receive · growing: 1 at the first look, 5 at the last")
    assert told[-1] == "1 group accused, 5 in all"
