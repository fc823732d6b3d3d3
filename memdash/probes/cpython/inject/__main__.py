"""``python -m memdash.probes.cpython.inject``: the short process that does the writing. See ``injection``.

Arguments: ``attach`` or ``withdraw``, then pid, start ticks, device and inode of the executable, uid, and the script's
path. It tells its progress on stdout, and watches stdin: ``connected`` means that the script has reported, its end that
nobody wants it any more. In both cases what has not run yet is taken back, and the process ends.
"""

from __future__ import annotations

import os
import select
import signal
import sys

from memdash.errors import AccessDenied, MemdashError, defect_of
from memdash.model.target import Target
from memdash.probes.cpython.inject.memory import TargetMemory
from memdash.probes.cpython.inject.progress import Progress, Stage
from memdash.probes.cpython.inject.refusals import closed_memory
from memdash.probes.cpython.inject.request import request_for
from memdash.probes.cpython.inject.route import Route
from memdash.probes.cpython.interpreter import open_interpreter
from memdash.signals import ENDING

__all__ = ["main"]

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.002, 0.1
_SLOWER = 1.1


def main(arguments: list[str]) -> None:
    """Do what the arguments say; whatever goes wrong is a line on stdout."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    verb, script = arguments[0], arguments[-1]
    target = _target([int(argument) for argument in arguments[1:-1]])
    try:
        _inject(target, script, asks=verb == "attach")
    except AccessDenied:
        refusal = closed_memory(target)
        _say(Progress(Stage.REFUSED, refusal.what, refusal.hint))
    except MemdashError as error:
        _say(Progress(Stage.REFUSED, error.what, error.hint))
    except Exception as error:  # noqa: BLE001 - the other side is to hear of it, not to guess
        defect = defect_of(error)
        _say(Progress(Stage.REFUSED, defect.what, defect.hint))


def _target(numbers: list[int]) -> Target:
    """As far as it is needed to know it again."""
    pid, start_ticks, device, inode, uid = numbers
    return Target(
        pid=pid, start_ticks=start_ticks, started_at_s=0, name="", argv=(), exe="", exe_id=(device, inode), uid=uid
    )


def _inject(target: Target, script: str, *, asks: bool) -> None:
    with TargetMemory(target) as to:
        interpreter = open_interpreter(target)
        route = Route(interpreter, to, request_for(interpreter, to, script))
        try:
            if asks:
                _follow(route)
        finally:
            route.withdraw()


def _follow(route: Route) -> None:
    """Until the script has reported, or nobody wants it any more."""
    pause_s, told = _FIRST_PAUSE_S, None
    while True:
        progress = route.step()
        if progress != told:
            told = progress
            _say(progress)
        if select.select([0], [], [], None if progress.stage is Stage.RAN else pause_s)[0]:
            return
        pause_s = min(pause_s * _SLOWER, _LONGEST_PAUSE_S)


def _say(progress: Progress) -> None:
    try:
        os.write(1, progress.line())
    except BrokenPipeError:
        return  # nobody listens any more; stdin has ended as well


if __name__ == "__main__":
    main(sys.argv[1:])
