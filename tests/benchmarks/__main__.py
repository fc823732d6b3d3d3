"""Run the benchmarks named on the command line, or all, and print their table."""

from __future__ import annotations

import compileall
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import memdash
from tests.benchmarks.agent import agent
from tests.benchmarks.budgets import budgets
from tests.benchmarks.census import census
from tests.benchmarks.cpython import cpython
from tests.benchmarks.family import family
from tests.benchmarks.flames import flames
from tests.benchmarks.goroutines import goroutines, objects
from tests.benchmarks.headless import log, report
from tests.benchmarks.profiles import profiles
from tests.benchmarks.reading import attach, profile, sample
from tests.benchmarks.recording import recording
from tests.benchmarks.result import Result, table
from tests.benchmarks.sampler import sampler, sampler_leaves, sampler_peers
from tests.benchmarks.sampler_accuracy import sampler_accuracy
from tests.benchmarks.screen import dashboard, first_frame, keys
from tests.benchmarks.target_cost import target_cost
from tests.benchmarks.tracemalloc import tracemalloc
from tests.benchmarks.verdict import verdict
from tests.benchmarks.week import week

BENCHMARKS: tuple[Callable[[], Iterator[Result]], ...] = (
    attach,
    sample,
    profile,
    goroutines,
    objects,
    report,
    log,
    first_frame,
    dashboard,
    keys,
    target_cost,
    cpython,
    census,
    tracemalloc,
    sampler,
    sampler_peers,
    sampler_leaves,
    sampler_accuracy,
    family,
    agent,
    profiles,
    flames,
    verdict,
    budgets,
    recording,
    week,
)


def main() -> None:
    """Print each result to stderr as it comes, the table to stdout at the end.

    memdash has its bytecode, as one that was installed has, also where PYTHONDONTWRITEBYTECODE is set: else each start
    compiled it anew, 0.15 s and 1 MiB.
    """
    by_name = {benchmark.__name__: benchmark for benchmark in BENCHMARKS}
    wanted = sys.argv[1:] or list(by_name)
    if unknown := [name for name in wanted if name not in by_name]:
        raise SystemExit(f"no benchmark named {', '.join(unknown)}; there are: {', '.join(by_name)}")
    compileall.compile_dir(Path(memdash.__file__).parent, quiet=1)
    results = []
    for name in wanted:
        for result in by_name[name]():
            results.append(result)
            sys.stderr.write(f"{result.claim}: {result.measured} {result.goal and f'(goal {result.goal})'}\n")
    sys.stdout.write(table(results) + "\n")


if __name__ == "__main__":
    main()
