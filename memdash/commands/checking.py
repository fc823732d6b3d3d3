"""A check carried out: on a process, on a command that is started for it, or on a recording."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from memdash.analysis.budget import Budget
from memdash.commands.agency import NOBODY, Agency
from memdash.commands.budget import FOR_S, Plan
from memdash.commands.denials import denials_told
from memdash.commands.forcing import Forcing
from memdash.commands.output import tell
from memdash.commands.prepared import prepared, tell_tracing
from memdash.commands.program import Program, log_file
from memdash.commands.replayed import Recorded
from memdash.errors import TargetError, TargetExited, UsageError
from memdash.model.check import Checked, Command, Outcome
from memdash.model.snapshot import State
from memdash.model.target import Ending, Target
from memdash.probes.probe import ProbeEntry
from memdash.probes.registry import sampling_with
from memdash.session import Live, read_once
from memdash.session.gate import Gate
from memdash.session.passing import Passing
from memdash.units import duration

if TYPE_CHECKING:
    from memdash.probes.cpython.sampler.sampling import Sampling

__all__ = ["Start", "of_command", "of_recording", "of_target"]

_ASKED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Signals by which one program asks another to end."""

_NEXT_S = 0.5
"""A command that ends with the program that it was about gets so long for it."""

_ATTACHED_S = 60.0
"""A process that cannot be attached to by then never will be: reading about it hangs in the kernel."""

_LATE_S = 5.0
"""How much later than it is due the last sample may come before a watch is called over without it."""

_SLICE_S = 1.0
"""No more of a wait passes while memdash is held up itself, as where a container is frozen or its CPU quota used up."""


@dataclass(frozen=True, slots=True)
class Start:
    """How a command is started, as for ``memdash -- COMMAND``; the fields are settings."""

    output_to: str | None = None
    trace: int | None = None
    read_only: bool = False


def of_target(target: Target, plan: Plan, entries: Sequence[ProbeEntry], agency: Agency) -> Checked:
    """Watch a process, with the agent in it where that is asked for. Raises MemdashError when nothing can be read."""
    for_s = FOR_S if plan.duration is None else plan.duration
    checked = _watched(target, plan, plan.budgets(for_s), for_s, agency.entries(entries), agency)
    ending = checked.shown.ending
    if ending is None:
        return checked
    return replace(checked, cut_short=f"{target.words} {ending.words} before the check was over")


def of_recording(file: Recorded, run: int | None, plan: Plan) -> Checked:
    """What was recorded up to a moment, or as much of that as the plan has time for. Raises UsageError."""
    from memdash.session.replay import moments

    with closing(file.open(run)) as past:
        gate: Gate | None = None
        for shown in moments(past, file.instant_s(past)):
            if gate is None:
                gate = Gate(shown, plan.budgets(plan.duration), warm_up_s=plan.warm_up, for_s=plan.duration)
            gate.take(shown)
            if gate.over.is_set():
                break
        if gate is None:
            raise UsageError(f"{file.path} holds no moment", "a recording of a longer watch can be checked")
        return gate.checked(strict=plan.strict)


def of_command(
    argv: Sequence[str], plan: Plan, start: Start, sampling: Sampling | None, *, force: bool = False
) -> Checked:
    """Start a command and watch what it is about until it ends; what it prints goes to stderr, if not to a file.

    Where it is a Python its allocations are sampled as ``sampling`` says.
    Raises TargetExited or Exit when it ends before there is anything to see.
    """
    tell_tracing(start.trace)
    with ExitStack() as ending:
        log = None if start.output_to is None else ending.enter_context(log_file(start.output_to, force))
        given = ending.enter_context(prepared(agent=not start.read_only, trace=start.trace))
        program = ending.enter_context(Program(argv, log, environment=given.environment))
        checked, ended = _watched_in_turn(program, plan, sampling_with(given.entries, sampling))
        program.stop(signal.SIGTERM)
        return replace(checked, command=Command(tuple(argv), program.exit_code if ended else None, program.pid))


def _watched_in_turn(program: Program, plan: Plan, entries: Sequence[ProbeEntry]) -> tuple[Checked, bool]:
    """What a command is about, and should that end first, what it is about then; and whether it ended by itself.

    Of several the worst counts, or else the one of which most could be judged.
    """
    worst: Checked | None = None
    for_s, ends_s = plan.duration, math.inf
    budgets = plan.budgets(for_s)
    while True:
        try:
            target = program.settled()
        except TargetError as error:
            if worst is None:
                raise _gone(program, error) from None
            return worst, program.wait(_left_s(ends_s))
        if worst is None and for_s is not None:
            ends_s = time.monotonic() + plan.warm_up + for_s
        elif worst is not None:
            tell(f"{worst.shown.target.name} has ended and the command goes on: watching {target.words}")
        checked = _died(_watched(target, plan, budgets, for_s, entries))
        worst = checked if worst is None else max(worst, checked, key=_weight)
        for_s = None if for_s is None else ends_s - plan.warm_up - time.monotonic()
        if checked.shown.ending is None or (for_s is not None and for_s <= 0):
            return worst, program.wait(0)
        if program.wait(_NEXT_S):
            return worst, True


def _died(checked: Checked) -> Checked:
    """What was killed has passed nothing, whatever its wrapper makes of that."""
    ending, target = checked.shown.ending, checked.shown.target
    if ending is None or not _is_killed(ending):
        return checked
    return replace(checked, cut_short=f"{target.words} was {ending.words}")


def _is_killed(ending: Ending | None) -> bool:
    """Whether it ended by a signal. A script may well ask a server to end when it is done with it."""
    return ending is not None and ending.signal_number not in (None, *_ASKED)


def _weight(checked: Checked) -> tuple[bool, bool, int, float]:
    """One that was seen too little of comes last, though it could not be judged: of a wrapper nobody wants to know."""
    outcomes = [judgement.outcome for judgement in checked.judgements]
    is_killed = _is_killed(checked.shown.ending)
    return Outcome.FAILED in outcomes, is_killed, -outcomes.count(Outcome.UNKNOWN), checked.watched_s


def _left_s(ends_s: float) -> float | None:
    return None if math.isinf(ends_s) else max(ends_s - time.monotonic(), 0.0)


def _gone(program: Program, error: TargetError) -> Exception:
    """What to raise for a command of which there was nothing to see: its own code, when it failed."""
    if not program.wait(0):
        return error
    if program.exit_code == 0:
        return TargetExited(
            "the command ended before its memory could be read",
            "check something that runs longer: memdash check --help says how long",
        )
    tell(f"the command exited with code {program.exit_code} before its memory could be read")
    return click.exceptions.Exit(program.exit_code)


def _watched(
    target: Target,
    plan: Plan,
    budgets: Sequence[Budget],
    for_s: float | None,
    entries: Sequence[ProbeEntry],
    agency: Agency = NOBODY,
) -> Checked:
    """All that a gate has seen, judged.

    Raises UsageError when collections are wanted and cannot be forced, TargetError when it cannot be attached to.
    """
    session = Live(
        target,
        interval_s=plan.interval,
        memory=Passing(plan.interval),  # the gate remembers what comes after the warm-up
        asked=agency.asked,
        read_only=not plan.force_gc and not agency.agent,
        entries=entries,
    )
    agency.follow(session)
    gate = Gate(session.snapshot(), budgets, warm_up_s=plan.warm_up, for_s=None if plan.force_gc else for_s)
    session.subscribe(gate.take)
    forcing = Forcing(session, gate) if plan.force_gc else None
    session.start()
    try:
        if not gate.begun.wait(_ATTACHED_S):
            raise TargetError(f"{target.words} could not be attached to in {duration(_ATTACHED_S)}")
        due_s = None if for_s is None else time.monotonic() + plan.warm_up + for_s + plan.interval + _LATE_S
        trouble = forcing.run(for_s) if forcing is not None else ""
        if not _comes(gate.over, None if due_s is None else due_s - time.monotonic()):
            trouble = trouble or f"no sample came for {duration(_LATE_S)}"
    finally:
        session.close()
    gate.finish()
    if gate.shown.state is State.REFUSED:
        with denials_told(target):
            read_once(target, entries=entries)  # raises what the watch could only tell in words
    return gate.checked(strict=plan.strict, cut_short=trouble)


def _comes(event: threading.Event, most_s: float | None) -> bool:
    """Whether it is set within so many seconds in which it could have been; None waits for ever."""
    if most_s is None:
        return event.wait()
    left_s = most_s
    while not event.wait(max(min(left_s, _SLICE_S), 0.0)):
        left_s -= _SLICE_S
        if left_s <= 0:
            return False
    return True
