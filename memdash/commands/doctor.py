"""``memdash doctor``: how one process can be read, and what stands in the way of more."""

from __future__ import annotations

from collections.abc import Iterator

import click

from memdash.commands.options import Verb
from memdash.commands.output import write_lines
from memdash.commands.target import Choice, process_options
from memdash.errors import EndpointUnreachable, ProbeError, TargetError
from memdash.model.missing import Missing
from memdash.model.target import Runtime, Target
from memdash.plain import plain
from memdash.probes.examine import Examined, Tried, examine
from memdash.probes.probe import Refusal
from memdash.process.listing import user_name
from memdash.units import nanoseconds

__all__ = ["command"]


@click.command(cls=Verb, short_help="How a process can be read, and what stands in the way of more.")
@process_options
def command(choice: Choice) -> int:
    """Try every way of reading one process, once, and say what it gives and costs, or why not and what would help.

    It exits with 5 when the server that was asked by its URL cannot be read.
    """
    target = choice.target()
    write_lines(map(plain, _target(target)))
    is_read = target.is_local
    for examined in examine(target, choice.entries):
        is_read = is_read or (not isinstance(examined.verdict, Refusal) and examined.failure is None)
        write_lines(("", *map(plain, _way(examined, target))))
    return 0 if is_read else EndpointUnreachable.exit_code


def _target(target: Target) -> Iterator[str]:
    if not target.is_local:
        yield target.url
        yield "  a server that is asked over HTTP: nothing is known of its process"
        return
    yield f"{target.name}, pid {target.pid}, of user {user_name(target.uid)}"
    yield f"  runs {target.exe or 'a file that the kernel does not show us'}"


def _way(examined: Examined, target: Target) -> Iterator[str]:
    """One way of reading: a heading, then what was found, each reason with its remedy below it."""
    verdict = examined.verdict
    if isinstance(verdict, Refusal):
        yield f"{examined.name}: no"
        yield from _reason("", Missing(verdict.why, verdict.hint))
        return
    version = f" ({verdict.runtime_version})" if verdict.runtime_version else ""
    if examined.failure is not None:
        yield f"{examined.name}: it should suit{version}, but cannot be opened"
        yield from _reason("", examined.failure)
        return
    yield f"{examined.name}: yes{version}"
    if verdict.about:
        yield f"  {verdict.about}"
    yield from (f"  {line}" for line in examined.log)
    if verdict.runtime is Runtime.CPYTHON:
        yield from _sampler(target)
    yield f"  opening it took {nanoseconds(examined.attach_s * 1e9)} of CPU time"
    for tried in examined.tried:
        yield from _probe(tried)
    for capability, missing in examined.missing.items():
        yield from _reason(f"no {capability.value}: ", missing)


def _sampler(target: Target) -> Iterator[str]:
    """Whether memdash has a heap sampler that this process can load, which is not tried: it would run code there."""
    from memdash.probes.cpython.sampler.fitting import built, fitting

    try:
        suiting = fitting(target).name
    except (ProbeError, TargetError) as error:
        yield from _reason("no heap sampler: ", Missing.of(error))
        return
    others = [name for name in built() if name != suiting]
    yield f"  its heap can be sampled by {suiting}" + (f"; built too: {', '.join(others)}" if others else "")


def _probe(tried: Tried) -> Iterator[str]:
    if tried.failure is None:
        yield f"  {tried.name}: read in {nanoseconds(tried.cost_s * 1e9)} of CPU time"
    else:
        yield from _reason(f"{tried.name}: ", tried.failure)


def _reason(head: str, missing: Missing) -> Iterator[str]:
    yield f"  {head}{missing.why}"
    if missing.hint:
        yield f"    try: {missing.hint}"
