"""``memdash profile``: the profile of a process as a file that ``go tool pprof`` opens."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from memdash.analysis.deeds import deed_words
from memdash.commands.acting import act_on
from memdash.commands.denials import denials_told
from memdash.commands.options import Verb, gathered, settings, typed
from memdash.commands.output import STDOUT, check_output, is_terminal, tell, update, writing
from memdash.commands.sampling import Sampled
from memdash.commands.target import Choice, target_options
from memdash.errors import UsageError
from memdash.model.action import Action
from memdash.model.target import Target
from memdash.model.tasks import TaskKind
from memdash.probes.registry import sampling_with
from memdash.signals import signals_raised
from memdash.units import byte_size
from memdash.units import duration as duration_words

if TYPE_CHECKING:
    from memdash.model.profile import Profile
    from memdash.pprof.taken import TakenProfile
    from memdash.probes.cpython.sampler.sampling import Sampling

__all__ = ["command"]

_HEAP = "heap"
_LEAKS = "goroutineleak"
_TASKS = {kind.value: kind for kind in TaskKind}
_TELL_EVERY_S = 1.0
_SAMPLED_S = 30.0


@click.command(cls=Verb, short_help="Save the profile of a process for pprof.")
@target_options
@settings("output", "force", "type", "seconds", "agent", "duration", "gc", "yes", "run")
@gathered(Sampled, "sampled")
def command(
    choice: Choice,
    output: str,
    force: bool,
    type: str | None,  # noqa: A002 - click names parameters as the flags are called
    seconds: int | None,
    agent: bool,
    sampled: Sampled,
    duration: float | None,
    gc: bool,
    yes: bool,
    run: int | None,
) -> int:
    """Write what holds the memory of a process as a profile.proto file, which go tool pprof opens too.

    It holds the allocation sites, or the live objects by type where there are none; with --type goroutine, thread or
    asyncio how many of these stand where, with what they wait for. With --url or --endpoint, --type and --seconds ask
    the program's own net/http/pprof, for other profiles too, and for what changes within a time. Of a recording
    (FILE.mdr[@TIME]) it is that of one moment, by default the newest.

    With --agent memdash's agent samples what a running Python allocates for --duration, 30 s unless given, and is gone
    again: the profile holds what was allocated meanwhile, and what is still held of it. With --type asyncio too it
    tells the tasks, which nobody else can, and goes at once.
    """
    if output == STDOUT and is_terminal(sys.stdout):
        raise UsageError("a profile is not for a terminal", "name a file with -o heap.pb.gz")
    kind = None if choice.endpoint is not None else _tasks_wanted(type, seconds)
    if kind is not None and kind is not TaskKind.ASYNCIO:
        if typed("agent"):
            raise UsageError("--agent samples allocations, or tells asyncio tasks", f"leave it or --type {type} away")
        agent = False
    samples = agent and kind is None
    if not samples and typed("duration"):
        raise UsageError("--for is for what memdash's agent samples", "leave it away" if kind else "add --agent")
    sampled.check_of_profile(agent=samples)
    check_output(output, force)
    if choice.recorded is not None:
        if gc or (agent and typed("agent")):
            raise UsageError(f"--{'gc' if gc else 'agent'} is for a process that runs", "leave it away")
        from memdash.session.profiles import profile_of, tasks_of

        with choice.recorded.moment(run) as snapshot:
            _write(profile_of(snapshot) if kind is None else tasks_of(snapshot, kind), output, force)
        return 0
    target = choice.target()
    if gc:
        deed = act_on(target, Action.FORCE_GC, agreed=yes, entries=choice.entries)
        if deed is None:
            return 1
        tell(deed_words(deed))
    if kind is not None:
        taken = _counted_tasks(choice, target, kind, agent=agent)
    elif agent:
        taken = _sampled(choice, target, sampled.of_profile(), _SAMPLED_S if duration is None else duration)
    else:
        taken = _taken(choice, target, type, seconds or 0)
    _write(taken, output, force)
    return 0


def _tasks_wanted(type: str | None, seconds: int | None) -> TaskKind | None:  # noqa: A002
    """Whose stacks are to be counted from memory, if not the heap's. Raises UsageError where only an endpoint tells."""
    kind = _TASKS.get(type or _HEAP)
    if seconds or (kind is None and type not in (None, _HEAP)):
        raise UsageError(
            f"{'--seconds' if seconds else f'--type {type}'} is for a program's own endpoint, and none is to be asked",
            "--endpoint auto looks for it, --endpoint URL and --url name it",
        )
    return kind


def _sampled(choice: Choice, target: Target, sampling: Sampling, for_s: float) -> TakenProfile:
    """Of what it allocates while its allocations are sampled."""
    from memdash.session.profiles import profile_of
    from memdash.session.sampled import sampled
    from memdash.tables.sites import largest_site

    def begun(first: Profile) -> None:
        """At which rate the target says itself: another memdash may have begun it."""
        tell(f"allocations are sampled for {duration_words(for_s)}, one every {byte_size(first.sample_rate_bytes)}")

    with denials_told(target), signals_raised():
        shown = sampled(target, sampling_with(choice.entries, sampling), for_s, begun)
        taken = profile_of(shown)
    most = largest_site(shown)
    return replace(taken, notes=(*taken.notes, most)) if most else taken


def _write(taken: TakenProfile, output: str, force: bool) -> None:
    from memdash.pprof.encode import encode

    for note in taken.notes:
        tell(note)
    with writing(output, force) as out:
        out.write(encode(taken.document))


def _counted_tasks(choice: Choice, target: Target, kind: TaskKind, *, agent: bool) -> TakenProfile:
    from memdash.session.profiles import take_tasks, tasks_of

    if agent:
        from memdash.session.inside import tasks_inside

        with denials_told(target), signals_raised():
            return tasks_of(tasks_inside(target, choice.entries), kind)
    with denials_told(target):
        return take_tasks(target, kind, choice.entries)


def _taken(choice: Choice, target: Target, kind: str | None, seconds: int) -> TakenProfile:
    """Read from memory unless the endpoint was asked for something, or is all there is."""
    from memdash.session.profiles import served_profile, take_profile

    if choice.endpoint is None or (target.is_local and kind is None and not seconds):
        with denials_told(target):
            return take_profile(target, choice.entries)
    if kind == _LEAKS:
        tell("the program collects its garbage for this: that finds what has leaked")
    with _counted(seconds):
        return served_profile(choice.endpoint, target, kind or _HEAP, seconds)


@contextlib.contextmanager
def _counted(seconds: int) -> Iterator[None]:
    """Say how long it takes, and on a terminal how far it is."""
    if not seconds:
        yield
        return
    tell(f"the program takes note of what changes in {duration_words(seconds)}")
    over = threading.Event()

    def count() -> None:
        passed = 0
        while not over.wait(_TELL_EVERY_S):
            passed = min(passed + 1, seconds)
            update(f"memdash: {passed} of {seconds} s")

    counting = threading.Thread(target=count, daemon=True)
    counting.start()
    try:
        yield
    finally:
        over.set()
        counting.join()
        update()
