import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from memdash.errors import TargetExited
from memdash.model.target import Target
from memdash.process.family import Branch, Standing, branch, principal, settle
from memdash.process.tree import Parentage
from tests.fakes import a_target
from tests.waiting import until

Start = Callable[..., subprocess.Popen[bytes]]

SHELL = a_target(pid=10, name="sh", exe="/bin/sh")
GO_RUN = a_target(pid=11, name="go", exe="/usr/lib/go/bin/go", argv=("go", "run", "."))
COMPILER = a_target(pid=12, name="compile", exe="/usr/lib/go/pkg/tool/linux_amd64/compile")
SERVER = a_target(pid=13, name="server", exe="/home/a/.cache/go-build/4f/server")
OTHER = a_target(pid=14, name="other", exe="/srv/other")
HELPER = a_target(pid=15, name="helper", exe="/srv/helper")


def is_go(target: Target) -> bool:
    """Stands for the probes: of these only the shell and the helper are not written in Go."""
    return target.name not in ("sh", "helper")


@pytest.mark.parametrize(
    ("root", "chosen", "standing"),
    [
        (Branch(SERVER), SERVER, Standing.CERTAIN),
        (Branch(SERVER, (Branch(HELPER),)), SERVER, Standing.CERTAIN),
        (Branch(SERVER, (Branch(OTHER),)), SERVER, Standing.CERTAIN),
        (Branch(SHELL), SHELL, Standing.LIKELY),
        (Branch(SHELL, (Branch(HELPER),)), HELPER, Standing.LIKELY),
        (Branch(SHELL, (Branch(HELPER), Branch(SHELL))), SHELL, Standing.LIKELY),
        (Branch(SHELL, (Branch(HELPER), Branch(SERVER))), SERVER, Standing.CERTAIN),
        (Branch(SHELL, (Branch(SHELL, (Branch(SERVER),)), Branch(OTHER))), OTHER, Standing.CERTAIN),
        (Branch(GO_RUN), GO_RUN, Standing.NOT_YET),
        (Branch(GO_RUN, (Branch(COMPILER),)), GO_RUN, Standing.NOT_YET),
        (Branch(GO_RUN, (Branch(SERVER),)), SERVER, Standing.CERTAIN),
        (Branch(SHELL, (Branch(GO_RUN, (Branch(COMPILER),)),)), GO_RUN, Standing.NOT_YET),
        (Branch(SHELL, (Branch(GO_RUN, (Branch(SERVER),)),)), SERVER, Standing.CERTAIN),
    ],
)
def test_the_program_behind_a_wrapper(root: Branch, chosen: Target, standing: Standing) -> None:
    assert principal(root, is_go) == (chosen, standing)


def test_a_family_is_the_process_and_what_it_started(start: Start) -> None:
    shell = start("sh", "-c", "sleep 60 & sleep 60 & echo ready; wait")
    assert shell.stdout
    shell.stdout.readline()
    found = branch(shell.pid, Parentage())
    assert found.target.name == "sh"
    assert len(found.children) == 2
    assert set(found.below()) == set(found.children)
    for child in found.children:
        os.kill(child.target.pid, signal.SIGTERM)


def test_it_settles_on_what_tells_something_as_soon_as_that_runs(start: Start) -> None:
    shell = start("sh", "-c", "read go; sleep 60 & wait")
    assert shell.stdin

    def pause(_seconds: float) -> None:
        assert shell.stdin
        if not shell.stdin.closed:
            shell.stdin.write(b"go\n")
            shell.stdin.close()
            until(is_begun, "sleep")

    def is_begun() -> bool:
        begun = Path(f"/proc/{shell.pid}/task/{shell.pid}/children").read_text(encoding="utf-8").split()
        return any(Path(f"/proc/{pid}/comm").read_text(encoding="utf-8") == "sleep\n" for pid in begun)

    found = settle(shell.pid, lambda target: target.name == "sleep", pause)
    assert found.name == "sleep"
    os.kill(found.pid, signal.SIGTERM)


def test_a_program_that_tells_nothing_is_settled_on_after_a_while(start: Start) -> None:
    sleep = start("sleep", "60")
    pauses: list[float] = []
    assert settle(sleep.pid, lambda _: False, pauses.append).pid == sleep.pid
    assert 1.5 < sum(pauses) < 4


def test_a_script_whose_children_come_and_go_is_watched_itself(start: Start) -> None:
    shell = start("sh", "-c", "while :; do sleep 0.05; done")
    waited: list[float] = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        time.sleep(0.06)  # longer than any child lives

    assert settle(shell.pid, lambda _: False, pause).pid == shell.pid
    assert sum(waited) < 10


def test_what_has_ended_is_said_to_have(zombie: int) -> None:
    with pytest.raises(TargetExited):
        settle(zombie, lambda _: True)
