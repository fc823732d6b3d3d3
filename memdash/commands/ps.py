"""``memdash ps``: the local processes, and what can be read of each."""

from __future__ import annotations

import shutil
import sys
from json import dumps
from typing import Any

import click

from memdash.commands.options import Verb, settings
from memdash.commands.output import is_terminal, write_lines
from memdash.exports.text import table_lines
from memdash.probes.probe import Refusal
from memdash.probes.registry import PROBES
from memdash.probes.survey import Surveyed, survey
from memdash.process.listing import user_name
from memdash.tables.processes import is_wanted, processes_table
from memdash.units import iso_time

__all__ = ["command"]

_LIMIT_S = 5.0
"""Judging executables stops after this long; the processes that are left are listed all the same."""


@click.command(cls=Verb, short_help="The local processes, and what can be read of each.")
@click.argument("text", default="")
@settings("json")
def command(text: str, json: bool) -> None:
    """List the processes that can be watched; with TEXT those that have it in name or arguments.

    Workers stand indented below their master, the tree with the largest resident set first. With --json each process
    is one line.
    """
    surveyed = [process for process in survey(PROBES, _LIMIT_S) if is_wanted(process, text)]
    if json:
        lines = [dumps(_object(process)) for process in surveyed]
    else:
        lines = [_fitting(line) for line in table_lines(processes_table(surveyed))]
    write_lines(lines)


def _fitting(line: str) -> str:
    """Cut to the terminal, so that a long command line does not fill it; whole in a pipe or a file."""
    if not is_terminal(sys.stdout):
        return line
    width = shutil.get_terminal_size().columns
    return line if len(line) <= width else f"{line[: width - 1]}…"


def _object(process: Surveyed) -> dict[str, Any]:
    target, best = process.target, process.best
    return {
        "pid": target.pid,
        "user": user_name(target.uid),
        "rss_bytes": process.rss_bytes,
        "tree_rss_bytes": process.tree_rss_bytes,
        "above": list(process.above),
        "start_time": iso_time(target.started_at_s),
        "name": target.name,
        "argv": list(target.argv),
        "exe": target.exe,
        "runtime": target.runtime.value,
        "runtime_version": target.runtime_version,
        "readable": sorted(capability.value for capability in best.capabilities) if best else [],
        "refusals": {name: verdict.why for name, verdict in process.verdicts if isinstance(verdict, Refusal)},
    }
