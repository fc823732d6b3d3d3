"""``memdash check``: hold a process or a command to memory budgets, for CI."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

import click

from memdash.commands.budget import FOR_S, Plan, budget_option
from memdash.commands.denials import denials_told
from memdash.commands.options import Verb, gathered
from memdash.commands.output import check_output, tell, write_lines, writing
from memdash.commands.prepared import prepared
from memdash.commands.program import Program, log_file
from memdash.commands.target import Choice, target_options
from memdash.errors import TargetError, TargetExited, UsageError
from memdash.model.check import Checked, Command, Outcome
from memdash.model.snapshot import State
from memdash.model.target import Target
from memdash.plain import plain
from memdash.probes.probe import ProbeEntry
from memdash.session import Live, read_once
from memdash.session.gate import Gate
from memdash.signals import signals_raised

__all__ = ["Start", "command", "of_command", "of_target"]

_ARGV = "memdash.check.argv"
_LATE_S = 5.0
"""How much later than it is due the last sample may come before a watch is called over without it."""


class _Check(Verb):
    """What follows ``--`` is a command to start, whatever it looks like."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = args[: args.index("--")] if "--" in args else args
        ctx.meta[_ARGV] = tuple(args[len(own) + 1 :])
        if len(own) + 1 == len(args):
            raise UsageError("there is no command after --", "memdash check --max HeapAlloc=512MiB -- ./server")
        return super().parse_args(ctx, list(own))

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND ...]"]


@dataclass(frozen=True, slots=True)
class Start:
    """How a command is started, as for ``memdash -- COMMAND``; the fields are settings."""

    output_to: str | None = None
    trace: int | None = None
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class _Told:
    """Where the result goes; the fields are settings."""

    json: bool
    output: str
    junit: str | None
    force: bool

    def check(self) -> None:
        """Refuse before the watch what could not be written after it. Raises UsageError."""
        check_output(self.output, self.force)
        if self.junit is not None:
            check_output(self.junit, self.force)

    def write(self, checked: Checked) -> None:
        """Write it wherever it is wanted. Raises UsageError."""
        if self.junit is not None:
            from memdash.exports.check.junit import junit

            with writing(self.junit, self.force) as out:
                out.write(junit(checked))
        if os.environ.get("GITHUB_ACTIONS") == "true":
            from memdash.exports.check.github import annotation_lines

            for line in annotation_lines(checked):
                click.echo(line, err=True)
        if self.json:
            from memdash.exports.check.json import line as document

            with writing(self.output, self.force) as out:
                out.write(document(checked))
        else:
            from memdash.exports.check.text import lines

            write_lines(lines(checked), self.output, self.force)


@click.command(cls=_Check, short_help="Hold a process or a command to memory budgets: a gate for CI.")
@target_options
@gathered(Plan, "plan")
@budget_option
@click.option("--print-budget", is_flag=True, help="Write the budget file that says all this, and check nothing.")
@click.option("--self-test", is_flag=True, help="Check two small servers, with a leak and without: does the gate work?")
@gathered(Start, "start")
@gathered(_Told, "told")
def command(choice: Choice, plan: Plan, print_budget: bool, self_test: bool, start: Start, told: _Told) -> int:
    """Watch a process, or a COMMAND that is started, and fail when it breaks one of the budgets given.

    The warm-up counts for nothing. After it a process is watched for a minute or --duration, a command until it ends
    or for --duration. Exit code 1 says that a budget is broken, or was asked for and could not be judged; 5 that the
    process ended early. A COMMAND that fails by itself passes on its own code, whatever else was found.

    Growth is that of the live heap's floor, so that a minute tells. Whether memory leaks is judged as well, but no
    verdict comes before some minutes: unless --strict, what is not judged yet does not fail.
    """
    argv: tuple[str, ...] = click.get_current_context().meta[_ARGV]
    plan.budgets()  # what makes no sense is told before anything starts
    if print_budget:
        write_lines(plan.lines(), told.output, told.force)
        return 0
    if self_test:
        return _self_test()
    told.check()
    if argv and choice.made:
        raise UsageError("both a process and a command are named", "leave one of them away")
    with signals_raised():
        if argv:
            checked = of_command(argv, plan, start, force=told.force)
        else:
            checked = of_target(choice.target(), plan, choice.entries)
    told.write(checked)
    return _code(checked)


def _self_test() -> int:
    """Each line as soon as it is known; 1 when the gate cannot be trusted here."""
    from memdash.commands.self_test import self_test

    works = True
    with signals_raised():
        for line, as_it_should in self_test():
            works = works and as_it_should
            click.echo(f"{'ok  ' if as_it_should else 'FAIL'}  {plain(line)}")
    click.echo("the gate works here" if works else "the gate cannot be trusted here")
    return int(not works)


def _code(checked: Checked) -> int:
    """That of a command which has failed by itself comes first: what a broken program holds says little."""
    if checked.command is not None and checked.command.failed:
        tell(f"the command exited with code {checked.command.exit_code}, which is passed on")
        return checked.command.exit_code or 0
    if any(judgement.outcome is Outcome.FAILED for judgement in checked.judgements):
        return 1
    if checked.cut_short:
        raise TargetExited(checked.cut_short)
    return int(not checked.passed)


def of_target(target: Target, plan: Plan, entries: Sequence[ProbeEntry]) -> Checked:
    """Watch a process. Raises MemdashError when nothing of it can be read."""
    gate = _watched(target, plan, FOR_S if plan.duration is None else plan.duration, entries)
    checked = gate.checked(strict=plan.strict)
    ending = checked.shown.ending
    if ending is None:
        return checked
    return replace(checked, cut_short=f"{target.name} ({target.place}) {ending.words} before the check was over")


def of_command(argv: Sequence[str], plan: Plan, start: Start, *, force: bool = False) -> Checked:
    """Start a command and watch what it is about until it ends; what it prints goes to stderr, if not to a file.

    Raises TargetExited or Exit when it ends before there is anything to see.
    """
    if start.trace is not None:
        tell("tracing is on: a Python that allocates much runs several times slower")
    with ExitStack() as closing:
        log = None if start.output_to is None else closing.enter_context(log_file(start.output_to, force))
        given = closing.enter_context(prepared(agent=not start.read_only, trace=start.trace))
        program = closing.enter_context(Program(argv, log, environment=given.environment))
        until_s = None if plan.duration is None else time.monotonic() + plan.warm_up + plan.duration
        try:
            target = program.settled()
        except TargetError as error:
            raise _gone(program, error) from None
        gate = _watched(target, plan, plan.duration, given.entries)
        ended = gate.shown.ending is not None and program.wait(_left_s(until_s))
        program.stop(signal.SIGTERM)
        return gate.checked(strict=plan.strict, command=Command(tuple(argv), program.exit_code if ended else None))


def _left_s(until_s: float | None) -> float | None:
    return None if until_s is None else max(until_s - time.monotonic(), 0.0)


def _gone(program: Program, error: TargetError) -> Exception:
    """What to raise for a command of which there was nothing to see: its own code, when it failed."""
    if not program.wait(0):
        return error
    if program.exit_code == 0:
        return TargetExited("the command ended before its memory could be read", "check something that runs longer")
    tell(f"the command exited with code {program.exit_code} before its memory could be read")
    return click.exceptions.Exit(program.exit_code)


def _watched(target: Target, plan: Plan, for_s: float | None, entries: Sequence[ProbeEntry]) -> Gate:
    """A gate that has seen all it will."""
    session = Live(target, interval_s=plan.interval, rules=(), read_only=True, entries=entries)
    gate = Gate(session.snapshot(), plan.budgets(), warm_up_s=plan.warm_up, for_s=for_s)
    session.subscribe(gate.take)
    session.start()
    try:
        gate.begun.wait()
        gate.over.wait(None if for_s is None else plan.warm_up + for_s + plan.interval + _LATE_S)
    finally:
        session.close()
    if gate.shown.state is State.REFUSED:
        with denials_told(target):
            read_once(target, entries=entries)  # raises what the watch could only tell in words
    return gate
