"""Where a tree begins, and what its members say that they are for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from memdash.probes.system.kinship import Seen, is_kin, role
from memdash.process.stat import Stat, parse_stat

STAT = parse_stat(Path("/proc/self/stat").read_bytes())
PYTHON, NATIVE = ("/usr/bin/python3.12", (1, 312)), ("/srv/shop", (1, 7))
SPAWN = "from multiprocessing.spawn import spawn_main; spawn_main(tracker_fd=5, pipe_handle=7)"
TRACKER = "from multiprocessing.resource_tracker import main;main(6)"
SERVER = "from multiprocessing.forkserver import main; main(5, 6, ['__main__'], **{})"


def stat(**changes: Any) -> Stat:
    return STAT._replace(**{"name": "x", "start_ticks": 10, "stack_start": 77, **changes})


def seen(pid: int, argv: tuple[str, ...], runs: tuple[str, tuple[int, int]] = PYTHON, **changes: object) -> Seen:
    """Exec'ed by itself: no two have their stack at one place."""
    return Seen(pid, stat(**{"stack_start": 1000 + pid, **changes}), argv, *runs)


MASTER = seen(1, ("/usr/bin/python3.12", "/usr/bin/gunicorn", "shop:app"))


def forked(parent: Seen, pid: int, *argv: str) -> Seen:
    return replace(parent, pid=pid, argv=argv or parent.argv)


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        (forked(MASTER, 2), MASTER),
        (forked(MASTER, 2, "gunicorn: worker [shop:app]"), MASTER),
        (forked(MASTER, 2, "anything at all"), forked(MASTER, 1, "gunicorn: master [shop:app]")),
        (seen(2, ("/usr/bin/python3.12", "-c", SPAWN, "--multiprocessing-fork")), MASTER),
        (seen(2, ("/usr/bin/python3.12", "-B", "-X", "dev", "-c", TRACKER)), MASTER),
        (seen(2, ("python", "-m", "joblib.externals.loky.backend.popen_loky_posix", "--pipe", "9")), MASTER),
        (seen(2, ("python3", "-u", "/usr/bin/gunicorn", "other:app")), MASTER),
        (seen(2, ("python", "-m", "flask", "run")), seen(1, ("python3", "-m", "flask", "run"))),
        (seen(2, ("shop", "--worker"), NATIVE), seen(1, ("shop",), NATIVE)),
        (seen(2, ("/proc/self/exe",), NATIVE), seen(1, ("shop", "serve"), NATIVE)),
    ],
)
def test_of_one_program(child: Seen, parent: Seen) -> None:
    assert is_kin(child, parent)


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        (seen(2, ("python", "app.py")), seen(1, ("python", "run_all.py"))),
        (seen(2, ("python", "app.py")), seen(1, ("python", "-m", "pytest"))),
        (seen(2, ("python", "multiprocessing_demo.py")), MASTER),
        (seen(2, ("python", "-c", "print()")), MASTER),
        (seen(2, ("python", "app.py")), seen(1, ("shop",), NATIVE)),
        (seen(2, ("bash", "two.sh"), ("/bin/bash", (1, 9))), seen(1, ("bash", "one.sh"), ("/bin/bash", (1, 9)))),
        (forked(seen(1, ("bash",), ("/bin/bash", (1, 9))), 2), seen(1, ("bash",), ("/bin/bash", (1, 9)))),
        (forked(seen(1, ("x",), NATIVE, name="systemd"), 2), seen(1, ("x",), NATIVE, name="systemd")),
        (forked(MASTER, 2), replace(MASTER, stat=stat(name="supervisord"))),
        (forked(MASTER, 2), replace(MASTER, stat=stat(start_ticks=11))),
    ],
)
def test_of_two_programs(child: Seen, parent: Seen) -> None:
    assert not is_kin(child, parent)


def closed(pid: int, *argv: str) -> Seen:
    """Another user's: neither its executable nor its addresses are shown."""
    return Seen(pid, stat(stack_start=0), argv)


def test_of_another_users_only_words_can_be_compared() -> None:
    assert is_kin(closed(2, "nginx: worker process"), closed(1, "nginx: master process /usr/sbin/nginx"))
    assert is_kin(closed(2, "shop", "serve"), closed(1, "shop", "serve"))
    assert is_kin(forked(MASTER, 2), closed(1, *MASTER.argv))
    assert not is_kin(closed(2, "nginx: worker process"), closed(1, "postgres: writer"))
    assert not is_kin(closed(2), closed(1))


@pytest.mark.parametrize(
    ("member", "words"),
    [
        (forked(MASTER, 2), "forked from 1"),
        (forked(MASTER, 2, "gunicorn: worker [shop:app]"), "gunicorn: worker [shop:app]"),
        (seen(2, ("python", "-c", SPAWN, "--multiprocessing-fork")), "multiprocessing worker (spawn)"),
        (seen(2, ("python", "-s", "-c", TRACKER)), "multiprocessing resource tracker"),
        (seen(2, ("python", "-c", SERVER)), "multiprocessing fork server"),
        (seen(2, ("/usr/bin/python3.12", "/srv/app/worker.py", "--queue", "mail")), "worker.py --queue mail"),
        (seen(2, ("/usr/bin/python3.12", "-m", "shop.worker")), "-m shop.worker"),
        (seen(2, ("/srv/shop", "--port", "8080"), NATIVE), "shop --port 8080"),
        (seen(2, ("python3",)), "python3"),
        (seen(2, (), NATIVE, name="kdevtmpfs"), "kdevtmpfs"),
        (seen(2, ("x" * 500,)), "x" * 200),
        (seen(2, ("w " * 500,)), ("w " * 500)[:200]),
    ],
)
def test_what_a_member_is_for(member: Seen, words: str) -> None:
    assert role(member, MASTER) == words


def test_a_fork_of_the_fork_server_is_a_worker() -> None:
    server = seen(1, ("python", "-c", SERVER))
    assert role(forked(server, 2), server) == "multiprocessing worker (forkserver)"
    assert role(MASTER, None) == "gunicorn shop:app"
