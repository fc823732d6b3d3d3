"""``memdash check``: hold a process or a command to memory budgets, for CI."""

from __future__ import annotations

import os
from dataclasses import dataclass

import click

from memdash.commands.agency import Agency
from memdash.commands.budget import Plan, budget_option
from memdash.commands.checking import Start, of_command, of_recording, of_target
from memdash.commands.options import Verb, gathered, settings, typed
from memdash.commands.output import check_output, refuse_same, tell, write_lines, writing
from memdash.commands.target import Choice, target_options
from memdash.errors import TargetExited, UsageError
from memdash.model.check import Checked, Outcome
from memdash.plain import plain
from memdash.process.memory import require_permission
from memdash.signals import signals_raised

__all__ = ["command"]

_ARGV = "memdash.check.argv"


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
class _Told:
    """Where the result goes; the fields are settings."""

    json: bool
    output: str
    junit: str | None
    force: bool

    def check(self, output_to: str | None) -> None:
        """Refuse before the watch what could not be written after it: ``output_to`` is for what a command prints.

        Raises UsageError.
        """
        check_output(self.output, self.force)
        if self.junit is not None:
            check_output(self.junit, self.force)
        refuse_same({"-o": self.output, "--junit": self.junit, "--output-to": output_to})

    def write(self, checked: Checked) -> None:
        """Write it wherever it is wanted; what cannot be written to one place is still written to the others.

        Raises UsageError.
        """
        failed: list[UsageError] = []
        for write in (self._write_junit, _annotate, self._write_result):
            try:
                write(checked)
            except UsageError as error:
                failed.append(error)
        for other in failed[1:]:
            tell(other.what)
        if failed:
            raise failed[0]

    def _write_junit(self, checked: Checked) -> None:
        if self.junit is None:
            return
        from memdash.exports.check.junit import junit

        with writing(self.junit, self.force) as out:
            out.write(junit(checked))

    def _write_result(self, checked: Checked) -> None:
        if self.json:
            from memdash.exports.check.json import line as document

            with writing(self.output, self.force) as out:
                out.write(document(checked))
        else:
            from memdash.exports.check.text import lines

            write_lines(lines(checked), self.output, self.force)


def _annotate(checked: Checked) -> None:
    """For the page of a change on GitHub, when it is there that this runs."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from memdash.exports.check.github import annotation_lines

        for line in annotation_lines(checked):
            click.echo(line, err=True)


@click.command(cls=_Check, short_help="Hold a process or a command to memory budgets: a gate for CI.")
@target_options
@gathered(Plan, "plan")
@budget_option
@click.option("--print-budget", is_flag=True, help="Write the budget file that says all this, and check nothing.")
@click.option("--self-test", is_flag=True, help="Check two small servers, with a leak and without: does the gate work?")
@gathered(Start, "start")
@gathered(Agency, "agency")
@gathered(_Told, "told")
@settings("run")
def command(
    choice: Choice,
    plan: Plan,
    print_budget: bool,
    self_test: bool,
    start: Start,
    agency: Agency,
    told: _Told,
    run: int | None,
) -> int:
    """Watch a process, or a COMMAND that is started, and fail when it breaks one of the budgets given.

    The warm-up counts for nothing. After it a process is watched for a minute or --duration, a command until it ends
    or for --duration. Exit code 1 says that a budget is broken, or was asked for and could not be judged; 5 that too
    little could be watched: the process ended early or was killed, was stopped, did not answer, or did not collect its
    garbage when it was to. A COMMAND that fails by itself passes on its own code, whatever else was found. An alert
    that is muted or of severity info is no budget.

    A COMMAND has to run for some seconds longer than the warm-up; one that is neither Go nor Python, nor starts such a
    program, for two more, in which it might. The allocations of a Python are sampled, unless --sample off, --trace or
    --read-only is given: where they grew is told then. That holds a MiB or two more. Into a Python that runs already
    memdash's agent goes only with --agent, for as long as the check lasts, and with --sample SIZE too it samples that.

    Growth is that of the live heap's floor, so that a minute tells. Whether memory leaks is judged as well, but no
    verdict comes before some minutes: unless --strict, what is not judged yet does not fail.

    A recording (FILE.mdr[@TIME]) is checked from its beginning up to that moment, or for --duration.
    """
    argv: tuple[str, ...] = click.get_current_context().meta[_ARGV]
    plan.budgets(plan.duration)  # what makes no sense is told before anything starts
    if print_budget:
        write_lines(plan.lines(), told.output, told.force)
        return 0
    if self_test:
        return _self_test()
    told.check(start.output_to)
    if plan.force_gc and start.read_only:
        raise UsageError("--force-gc and --read-only exclude each other", "leave one of them away")
    if plan.force_gc and choice.recorded is not None:
        raise UsageError("--force-gc is for a program that runs", "leave it away")
    if argv and choice.made:
        raise UsageError("both a process and a command are named", "leave one of them away")
    sampling = agency.sampled.of_command(start.trace, read_only=start.read_only) if argv else None
    if not argv:
        agency.check(read_only=start.read_only)
        if agency.agent and choice.recorded is not None and typed("agent"):
            raise UsageError("--agent is for a process that runs", "leave it away")
    with signals_raised():
        if choice.recorded is not None:
            checked = of_recording(choice.recorded, run, plan)
        elif argv:
            checked = of_command(argv, plan, start, sampling, force=told.force)
        else:
            checked = of_target(choice.target(), plan, choice.entries, agency)
    told.write(checked)
    return _code(checked)


def _self_test() -> int:
    """Each line as soon as it is known; 1 when the gate cannot be trusted here."""
    from memdash.commands.self_test import self_test

    works = True
    with signals_raised():
        for line, as_it_should in self_test():
            works = works and as_it_should
            write_lines([f"{'ok  ' if as_it_should else 'FAIL'}  {plain(line)}"])
    write_lines(["the gate works here" if works else "the gate cannot be trusted here"])
    return int(not works)


def _code(checked: Checked) -> int:
    """That of a command which has failed by itself comes first: what a broken program holds says little.

    Raises TargetExited where too little was watched, and AccessDenied where that stood in the way.
    """
    if checked.command is not None and checked.command.failed:
        tell(f"{checked.trouble}, which is passed on")
        return checked.command.exit_code or 0
    if any(judgement.outcome is Outcome.FAILED for judgement in checked.judgements):
        return 1
    if checked.cut_short:
        raise TargetExited(checked.cut_short)
    target = checked.shown.target
    if not checked.passed and target.is_local and checked.command is None:
        require_permission(target.pid)  # what could not be judged may only have been refused
    return int(not checked.passed)
