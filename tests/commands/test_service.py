import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from memdash.commands.service import unit
from memdash.errors import UsageError

Run = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("serve", "--wait-for", "shop", "--listen", "0.0.0.0:9464"), "serve --wait-for shop --listen 0.0.0.0:9464"),
        (("record", "--name", "a shop", "--max-age", "7d"), 'record --name "a shop" --max-age 7d'),
        (("log", "1", "-i", "10s"), "log 1 -i 10s"),
        (("push", "1", "--pyroscope", "http://h:4040"), "push 1 --pyroscope http://h:4040"),
    ],
)
def test_the_unit_runs_the_very_command(run: Run, argv: tuple[str, ...], words: str) -> None:
    code, out, err = run(*argv, "--systemd")
    assert (code, err) == (0, "")
    found = re.search(r"^ExecStart=(/\S+) -m memdash (.*)$", out, re.MULTILINE)
    assert found is not None
    assert found[2] == words
    assert f"memdash-{argv[0]}.service" in out


def test_what_makes_no_sense_is_refused_before_it_is_a_service(run: Run) -> None:
    assert run("serve", "--name", "x", "--interval", "soon", "--systemd")[0] == 2


@pytest.mark.parametrize("verb", ["record", "log"])
def test_a_file_that_would_be_in_the_way_of_the_next_start_is_refused(run: Run, verb: str) -> None:
    code, _, err = run(verb, "--wait-for", "shop", "-o", "shop.out", "--systemd")
    assert code == 2
    assert "--append" in err
    for also in ("--append", "--force"):
        assert run(verb, "--wait-for", "shop", "-o", "shop.out", also, "--systemd")[0] == 0


def test_it_begins_again_after_the_end_of_what_it_watched_unless_that_was_to_end() -> None:
    assert "Restart=always" in unit("push", ["/bin/memdash"], ["--wait-for", "shop"])
    assert "Restart=on-failure" in unit("push", ["/bin/memdash"], ["1", "-d", "1h"], is_for_ever=False)


def test_nothing_in_a_word_means_anything_to_systemd() -> None:
    lines = list(unit("serve", ["/bin/memdash"], ["--name", 'a "b" \\ %n $HOME', ";"]))
    assert r'ExecStart=/bin/memdash serve --name "a \"b\" \\ %%n $$HOME" ";"' in lines
    with pytest.raises(UsageError, match="cannot stand in a unit"):
        list(unit("serve", ["/bin/memdash"], ["a\nExecStartPre=/bin/evil"]))


def test_it_may_read_other_processes_and_do_nothing_else() -> None:
    lines = list(unit("record", ["/bin/memdash"], []))
    assert "AmbientCapabilities=CAP_SYS_PTRACE" in lines
    assert "CapabilityBoundingSet=CAP_SYS_PTRACE" in lines
    assert "NoNewPrivileges=yes" in lines
    settings = {line.partition("=")[0] for line in lines if not line.startswith("#")}
    assert not settings & {"ProtectProc", "ProcSubset", "PrivatePIDs", "PrivateUsers"}  # it could see nobody


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_has_no_complaints(tmp_path: Path) -> None:
    path = tmp_path / "memdash-serve.service"
    path.write_text("\n".join(unit("serve", ["/bin/true"], ["--name", "a b"])) + "\n")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert "memdash-serve.service" not in done.stderr
