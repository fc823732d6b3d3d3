"""Commands that hang, fail, flood, do not exist: each is one clear error, and nothing is left running."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from memdash.errors import HookError
from memdash.hooks.alert import Alert
from memdash.hooks.child import run_child
from memdash.hooks.command import CommandHook
from memdash.model.finding import Figure
from memdash.units import Unit
from tests.waiting import until

Make = Callable[..., Alert]


def python(*lines: str) -> list[str]:
    return [sys.executable, "-S", "-c", "\n".join(lines)]


def ran(*lines: str, timeout_s: float = 10.0, fed: bytes = b"") -> None:
    run_child(python(*lines), fed, timeout_s, threading.Event())


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_it_finds_the_alert_on_its_standard_input(tmp_path: Path, alert: Make) -> None:
    out = tmp_path / "alert.json"
    hook = CommandHook(python("import shutil, sys", f"shutil.copyfileobj(sys.stdin, open({str(out)!r}, 'w'))"), 10.0)
    hook.tell(alert(measured=Figure(620.0, Unit.BYTES), evidence={"value": 620.0, "odd": float("inf")}))
    told = json.loads(out.read_text())
    assert told["schema"] == "memdash-alert/1"
    assert told["event"] == "opened"
    assert told["text"] == "shop-server (pid 41287): WARN heap: heap is over"
    assert told["target"]["pid"] == 41287
    assert told["target"]["argv"] == ["/srv/shop-server", "--port", "8080"]
    assert told["finding"]["rule"] == "heap"
    assert told["finding"]["measured"] == {"value": 620.0, "unit": "bytes"}
    assert told["finding"]["evidence"] == {"value": 620.0, "odd": None}
    assert "environ" not in out.read_text()


def test_what_fails_says_how_and_the_last_it_printed() -> None:
    with pytest.raises(HookError, match=r"^it exited with code 3: no \\e\[31mroute$"):
        ran("import sys", "print('a line')", "print('no \\x1b[31mroute')", "sys.exit(3)")


def test_what_kills_itself_says_by_what() -> None:
    with pytest.raises(HookError, match="it was killed by SIGKILL"):
        ran("import os", "os.kill(os.getpid(), 9)")


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (["/no/such/page"], "there is no command /no/such/page"),
        (["/"], "it cannot be started: Permission denied"),
        (["/bin/true\0"], "it cannot be started: embedded null byte"),
    ],
)
def test_what_cannot_be_started_says_why(argv: list[str], why: str) -> None:
    with pytest.raises(HookError, match=why):
        run_child(argv, b"", 10.0, threading.Event())


def test_what_hangs_is_ended() -> None:
    with pytest.raises(HookError, match=r"it had not ended after 0\.2 s"):
        ran("import signal", "signal.pause()", timeout_s=0.2)


def test_what_prints_for_ever_is_read_and_ended() -> None:
    with pytest.raises(HookError, match="it had not ended"):
        ran("while True: print('x' * 4096)", timeout_s=0.3)


def test_what_prints_much_succeeds() -> None:
    ran("import sys", "sys.stdout.write('x' * (10 << 20))")


def test_nobody_waits_for_one_that_does_not_read_its_input() -> None:
    ran("pass", fed=b"x" * (1 << 20))


def test_what_it_leaves_behind_when_it_succeeds_may_stay(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    ran("import os, signal", f"if os.fork() == 0: open({str(pid)!r}, 'w').write(str(os.getpid())); signal.pause()")
    left = int(until(lambda: pid.read_text() if pid.exists() else "", "what it leaves behind"))
    assert is_running(left)
    os.kill(left, 9)


def test_one_that_is_broken_off_is_ended_with_all_that_it_started(alert: Make, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    stubborn = (
        "import os, signal",
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
        "os.fork()",
        f"os.write(os.open({str(pids)!r}, os.O_CREAT | os.O_APPEND | os.O_WRONLY), f'{{os.getpid()}} '.encode())",
        "signal.pause()",
    )
    hook = CommandHook(python(*stubborn), 60.0)
    failures: list[str] = []

    def tell() -> None:
        try:
            hook.tell(alert())
        except HookError as error:
            failures.append(error.what)

    thread = threading.Thread(target=tell)
    thread.start()
    until(lambda: pids.exists() and pids.read_text().count(" ") == 2, "both of them")
    hook.cancel()
    thread.join(10)
    assert failures == ["it was broken off"]
    started = [int(pid) for pid in pids.read_text().split()]
    until(lambda: not any(map(is_running, started)), "their end")  # the kernel takes its time to end what is killed
