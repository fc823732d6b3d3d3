import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from memdash.cli import main
from memdash.commands import VERBS
from tests.programs import SMALL, loaded, of_a_screen

Start = Callable[..., subprocess.Popen[bytes]]
Run = Callable[..., tuple[int, str, str]]
OURSELVES = str(os.getpid())

pytestmark = pytest.mark.usefixtures("no_settings")


@pytest.fixture(scope="module")
def small() -> Iterator[str]:
    """The pid of one for all tests."""
    with subprocess.Popen(SMALL, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        yield str(child.pid)
        child.kill()


@pytest.mark.parametrize(
    ("argv", "code", "what", "hint"),
    [
        (["memdash"], 2, "there is no command 'memdash'", "memdash --name memdash watches it"),
        (["localhost:6060"], 2, "'localhost:6060' looks like a server", "write http://localhost:6060"),
        (["report", "127.0.0.1:1"], 2, "'127.0.0.1:1' looks like a server", "write http://127.0.0.1:1"),
        (["--interval", "1s", "report", "1"], 2, "got unexpected extra argument", "memdash report --help shows how"),
        (["report", "-max=NumGC=3", "1"], 2, "no such option '-m'", "did you mean --max=NumGC=3?"),
        (["profile", "--type", "profile", "1"], 2, "there is no type 'profile'", "it is one of heap, "),
        (["reprot", "1"], 2, "there is no command 'reprot'", "did you mean memdash report?"),
        (["nginx"], 2, "there is no command 'nginx'", "memdash --name nginx"),
        (["report"], 2, "no process was named", "memdash ps"),
        (["report", "nginx"], 2, "'nginx' is not a pid", "--name nginx"),
        (["report", "--pid", "-1"], 2, "'-1' is not a pid", "--name"),
        (["report", "2147483648"], 3, "no process has pid 2147483648", "memdash ps"),
        (["report", "0"], 3, "no process has pid 0", "memdash ps"),
        (["report", "--name", "no process has this"], 3, "no process has", "memdash ps"),
        (["report", "1", "--pid", "1"], 2, "a process is named in more than one way", "give a pid"),
        (["report", "-p", "1", "--name", "x"], 2, "a process is named in more than one way", "give a pid"),
        (["report", "-i", "0", "1"], 2, "--interval: ", "write it like"),
        (["report", "-i", "-2s", "1"], 2, "--interval: ", "write it like"),
        (["report", "-i", "1h", "1"], 2, "--interval: an interval lies between 50ms and 60s", "write it like"),
        (["report", "-i", "soon", "1"], 2, "--interval: 'soon' is not a duration", "write it like"),
        (["report", "-d", "0", "1"], 2, "--duration: ", "write it like"),
        (["report", "--max-growth", "fast", "1"], 2, "--max-growth: ", "1MiB/min"),
        (["report", "--max", "HeapAlloc", "1"], 2, "--max: 'HeapAlloc' is not a limit", "HeapAlloc=512MiB"),
        (
            ["report", "--max", "HeapAloc=1MiB", "1"],
            2,
            "--max: there is no metric 'HeapAloc'",
            "did you mean HeapAlloc?",
        ),
        (["report", "--max", "HeapAlloc=much", "1"], 2, "--max: HeapAlloc: 'much' is not a size", "write it like"),
        (["report", "--max", "NumGC=nan", "1"], 2, "--max: NumGC: 'nan' is not a number", "write it like"),
        (
            ["report", "--max", "system.threads=many", "1"],
            2,
            "--max: system.threads: 'many' is not a number",
            "write it like",
        ),
        (["report", "--frobnicate"], 2, "no such option", "memdash report --help"),
        (["report", "--interval"], 2, "requires an argument", "--help"),
        (["report", "1", "2"], 2, "unexpected extra argument", "memdash report --help"),
        (["report", "--config", "/no/such/file", "1"], 2, "/no/such/file: no such file", "--config"),
        (["report", "-o", "/no/such/folder/a", OURSELVES], 2, "/no/such/folder", "-o"),
        (["gc", OURSELVES], 2, "force GC wants a yes", "--yes"),
        (["trim", OURSELVES], 2, "trim wants a yes", "--yes"),
        (["watch", "--agent", "--read-only", OURSELVES], 2, "--agent and --read-only exclude each other", "leave one"),
        (["watch", "--gc-at", "80%", "--read-only", OURSELVES], 2, "--gc-at and --read-only exclude", "leave one"),
        (["report", "-d", "1s", "--gc-at", "0.8", "--read-only", OURSELVES], 2, "--gc-at and --read-only", "leave one"),
        (["record", "--gc-at", "0.8", "--read-only", OURSELVES], 2, "--gc-at and --read-only", "leave one"),
        (["watch", "--limit", "900MiB", OURSELVES], 2, "--limit does nothing without --gc-at", "--gc-at 80%"),
        (["report", "--gc-cooldown", "9s", OURSELVES], 2, "--gc-cooldown does nothing without --gc-at", "--gc-at 80%"),
        (["report", "--gc-at", "80%", OURSELVES], 2, "--gc-at needs a watch", "--duration 10m"),
        (["report", "--gc-at", "80", "1"], 2, "--gc-at: '80' is no share of a limit from 10% to 100%", "like 80%"),
        (["report", "--gc-at", "5%", "1"], 2, "--gc-at: '5%' is no share of a limit", "like 80%"),
        (["report", "--gc-at", "1", "--gc-cooldown", "10ms", "1"], 2, "less than a second", "30s"),
        (["report", "--gc-at", "1", "--limit", "0", "1"], 2, "--limit: '0' is no limit", "900MiB"),
        (["--trace", "5", "-p", OURSELVES], 2, "--trace is for a program that memdash starts", "memdash --trace --"),
        (["watch", OURSELVES, "--trace"], 2, "--trace is for a program that memdash starts", "memdash --trace --"),
        (["--trace", "many", "--", "true"], 2, "--trace: 'many' is not a number of frames", "memdash --trace 5 --"),
        (["run"], 2, "missing argument", "memdash run --help"),
        (["completion", "tcsh"], 2, "'tcsh' is not one of", "memdash completion --help"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_a_hint(run: Run, argv: list[str], code: int, what: str, hint: str) -> None:
    found, out, err = run(*argv)
    assert found == code
    assert out == ""
    said, tried = err.splitlines()
    assert said.startswith("memdash: ")
    assert what.casefold() in said.casefold()
    assert not said.endswith(".")
    assert tried.startswith("  try: ")
    assert hint in tried


def test_the_dashboard_needs_a_terminal(run: Run) -> None:
    for argv in (
        [],
        ["1"],
        ["--pid", "1"],
        ["watch", "1"],
        ["--", "true"],
        ["-i", "2s", "--", "true"],
        ["--trace", "--", "true"],
        ["demo"],
    ):
        code, out, err = run(*argv)
        assert (code, out) == (2, "")
        assert "the dashboard needs a terminal" in err
        assert "memdash report" in err


def test_a_zombie_has_ended_already(run: Run, zombie: int) -> None:
    code, _, err = run("report", str(zombie))
    assert code == 5
    assert "zombie" in err


def test_a_kernel_thread_has_nothing_to_read(run: Run) -> None:
    if not Path("/proc/2/status").exists() or "\nKthread:\t1" not in Path("/proc/2/status").read_text():
        pytest.skip("this machine shows no kernel threads")
    code, _, err = run("report", "2")
    assert code == 3
    assert "kernel thread" in err


def test_a_process_that_hides_is_not_permitted(as_nobody: Callable[[Callable[[], str]], str]) -> None:
    """The system view of another user's process still works, so a report succeeds and says what it could not read."""

    assert main(["report", OURSELVES]) == 0  # imports what the other user may not be able to read

    def report() -> str:
        return str(main(["report", "1"]))

    assert as_nobody(report) in ("0", "4")


def test_a_report_is_text_or_json(run: Run, small: str) -> None:
    code, out, err = run("report", small)
    assert (code, err) == (0, "")
    assert "RSS" in out
    code, out, err = run("report", "--json", "--pid", small)
    assert (code, err) == (0, "")
    assert json.loads(out)["target"]["pid"] == int(small)


def test_a_report_is_markdown_or_a_page(run: Run, small: str) -> None:
    code, out, err = run("report", "--markdown", small)
    assert (code, err) == (0, "")
    assert out.startswith("# python")
    code, out, err = run("report", "--html", small)
    assert (code, err) == (0, "")
    assert out.startswith("<!doctype html>\n")
    code, _, err = run("report", "--html", "--json", small)
    assert code == 2
    assert "--json and --html exclude each other" in err


@pytest.mark.parametrize("form", ["--json", "--html", "--markdown", "--text"])
def test_a_redacted_report_does_not_tell_whose_it_is(run: Run, start: Start, form: str) -> None:
    private = start("sh", "-c", "read line # hunter2 /home/zanzibar", "zanzibar")
    code, out, err = run("report", *([form] if form != "--text" else []), "--redact", str(private.pid))
    assert (code, err) == (0, "")
    assert str(private.pid) in out
    for secret in ("hunter2", "zanzibar", "libc.so", "/bin/"):
        assert secret not in out


def test_a_report_goes_to_a_file_that_did_not_exist(run: Run, tmp_path: Path, small: str) -> None:
    path = tmp_path / "report.json"
    assert run("report", "--json", "-o", str(path), small) == (0, "", "")
    assert json.loads(path.read_text())["schema"] == "memdash/1"
    code, _, err = run("report", "--json", "-o", str(path), small)
    assert code == 2
    assert "exists already" in err
    assert "--force" in err
    assert run("report", "-o", str(path), "--force", small)[0] == 0
    assert "RSS" in path.read_text()


def test_a_process_is_found_by_its_name(run: Run, start: Start) -> None:
    small = start("sleep", "61.125")
    code, out, _ = run("report", "--json", "--name", "61.125")
    assert (code, json.loads(out)["target"]["pid"]) == (0, small.pid)
    start("sleep", "61.125")
    code, out, err = run("report", "--json", "--name", "61.125")
    assert (code, out) == (2, "")
    assert "2 processes have '61.125' in their name" in err
    assert "memdash ps 61.125 shows which of them are whose workers" in err
    assert f"{small.pid} sleep" in err


def test_a_watched_report_has_rates(run: Run) -> None:
    for long_enough in ("300ms", "3s", "30s"):  # for two readings, whatever else the machine has to do
        _, out, _ = run("report", "--json", "-d", long_enough, "-i", "50ms", OURSELVES)
        document = json.loads(out)
        if document["cost"]["probes"]["system.process"]["reads"] >= 2:
            break
    assert document["system"]["cpu_percent"] is not None


def test_alerts_come_from_flags_variables_and_the_file(
    run: Run, small: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rules(*argv: str) -> dict[str, str]:
        code, out, err = run("report", "--json", *argv, small)
        assert code == 0, err
        return {f["rule"]: f["severity"] for f in json.loads(out)["findings"] if f["rule"] != "memdash"}

    assert rules("--alert", "rss > 1MiB critical", "--alert", "rss > 1PiB") == {"RSS > 1MiB": "critical"}
    config = tmp_path / "alerts.toml"
    config.write_text('[[alert]]\nname = "big"\nwhen = "rss > 1MiB"\nseverity = "info"\n')
    assert rules("--config", str(config)) == {"big": "info"}
    monkeypatch.setenv("MEMDASH_ALERT", "rss > 1MiB; vms > 1MiB info")
    assert rules("--config", str(config)) == {"RSS > 1MiB": "warning", "VMS > 1MiB": "info"}


def test_what_makes_no_sense_is_told_with_the_place_where_it_stands(
    run: Run, small: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "memdash.toml"

    def refused(text: str, *argv: str) -> str:
        config.write_text(text)
        code, out, err = run("report", "--config", str(config), *argv, small)
        assert (code, out) == (2, "")
        return err

    assert f"max in {config}: there is no metric 'HeapAloc'" in refused('max = ["HeapAloc=5"]')
    assert f"mute in {config}: there is no rule 'gc paus'" in refused('mute = ["gc paus"]')
    assert f"alert in {config}: 'HeapAloc > 1'" in refused('alert = ["HeapAloc > 1"]')
    assert "--mute: there is no rule 'x'" in refused('mute = ["gc pause"]', "--mute", "x")
    monkeypatch.setenv("MEMDASH_ALERT", "HeapAloc > 1")
    assert "MEMDASH_ALERT: 'HeapAloc > 1'" in refused("")


def test_a_limit_that_is_passed_is_a_finding(run: Run, small: str) -> None:
    _, out, _ = run("report", "--json", "--max", "system.rss_bytes=1MiB", "--max", "system.vms_bytes=1PiB", small)
    findings = [finding for finding in json.loads(out)["findings"] if finding["rule"].startswith(("RSS", "VMS"))]
    assert [(f["severity"], f["evidence"]["limit"]) for f in findings] == [("warning", 1 << 20)]


def test_a_target_that_ends_early_gives_a_report_and_code_5(run: Run, start: Start) -> None:
    small = start("sh", "-c", "read line")
    assert small.stdin

    def end(_number: int, _frame: object) -> None:
        assert small.stdin
        small.stdin.close()

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        code, out, err = run("report", "--json", "-d", "30s", "-i", "100ms", str(small.pid))
    finally:
        signal.signal(signal.SIGALRM, before)
    assert code == 5
    assert json.loads(out)["state"] == "ended"
    assert "exited with code" in err


def test_ctrl_c_is_130_and_says_nothing(run: Run) -> None:
    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 1.0)
    try:
        code, out, err = run("report", "-d", "30s", OURSELVES)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert (code, out, err.strip()) == (130, "", "")


def test_a_report_that_is_asked_to_end_ends_its_watch_and_says_nothing(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*_: object) -> Iterator[None]:
        signal.raise_signal(signal.SIGTERM)
        yield

    unheard: list[int] = []
    monkeypatch.setattr("memdash.commands.watching.ticks", ended)
    before = signal.signal(signal.SIGTERM, lambda number, _: unheard.append(number))
    try:
        code, out, err = run("report", "-d", "2s", OURSELVES)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (code, out, err, unheard) == (128 + signal.SIGTERM, "", "", [])


def test_flags_outrank_variables_which_outrank_the_file(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, small: str
) -> None:
    def interval(*argv: str) -> str:
        _, _, err = run("report", "-v", *argv, small)
        return next(line for line in err.splitlines() if "interval" in line)

    assert interval() == "memdash: interval = 1.0 (default)"
    file = tmp_path / "config" / "memdash" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('interval = "2s"\n')
    assert interval() == f"memdash: interval = 2.0 (interval in {file})"
    other = tmp_path / "other.toml"
    other.write_text("interval = 3\n")
    assert interval("--config", str(other)) == f"memdash: interval = 3.0 (interval in {other})"
    monkeypatch.setenv("MEMDASH_INTERVAL", "4s")
    assert interval("--config", str(other)) == "memdash: interval = 4.0 (MEMDASH_INTERVAL)"
    assert interval("-i", "5s") == "memdash: interval = 5.0 (--interval)"
    monkeypatch.delenv("MEMDASH_INTERVAL")
    monkeypatch.setenv("MEMDASH_CONFIG", str(other))
    assert interval() == f"memdash: interval = 3.0 (interval in {other})"


def test_a_wrong_value_says_where_it_stands(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text('interval = "1h"\n')
    assert f"memdash: interval in {file}: an interval" in run("report", "--config", str(file), "1")[2]
    monkeypatch.setenv("MEMDASH_INTERVAL", "0")
    assert "memdash: MEMDASH_INTERVAL: " in run("report", "1")[2]


def test_a_pid_on_the_command_line_outranks_one_in_a_variable(
    run: Run, monkeypatch: pytest.MonkeyPatch, small: str
) -> None:
    monkeypatch.setenv("MEMDASH_NAME", "no process has this name")
    _, out, _ = run("report", "--json", small)
    assert json.loads(out)["target"]["pid"] == int(small)
    monkeypatch.setenv("MEMDASH_PID", small)
    assert run("report", "--json")[0] == 2
    monkeypatch.delenv("MEMDASH_NAME")
    assert run("report", "--json")[0] == 0


def test_a_defect_is_one_line_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memdash.commands.report.read_once", lambda *_, **__: 1 / 0)
    code, out, err = run("report", OURSELVES)
    assert (code, out) == (70, "")
    assert err.splitlines()[0] == "memdash: a defect of memdash: ZeroDivisionError: division by zero"
    assert "Traceback" not in err
    assert "Traceback" in run("report", "-v", OURSELVES)[2]


def test_help_and_version(run: Run) -> None:
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    for verb in VERBS:
        assert f"\n  {verb} " in out
    assert "--interval" in out
    for verb in VERBS:
        assert run(verb, "--help")[0] == 0
    assert run("--version")[1].startswith("memdash ")
    assert run("version") == run("--version")


HEADLESS = [
    ["report", "--json", "SMALL"],
    ["report", "SMALL"],
    ["ps"],
    ["doctor", "SMALL"],
    ["log", "SMALL", "-d", "100ms"],
    ["serve", "SMALL", "-d", "100ms", "--listen", "0"],
    ["serve", "--grafana"],
    ["--help"],
    ["version"],
    ["config", "--show-origin"],
    ["man"],
    ["--once", "SMALL"],
]


def test_headless_verbs_load_no_screen(small: str) -> None:
    lines = [[word.replace("SMALL", small) for word in argv] for argv in HEADLESS]
    assert {line: of_a_screen(modules) for line, modules in loaded(*lines).items() if of_a_screen(modules)} == {}


def test_a_reader_that_has_had_enough_hears_nothing_of_it() -> None:
    shell = f"{sys.executable} -m memdash ps --json | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert done.returncode in (0, 128 + signal.SIGPIPE)


@pytest.mark.parametrize("verb", ["push", "record", "doctor", "gc", "trim"])
def test_a_verb_that_takes_no_recording_says_so_in_its_usage(verb: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main((verb, "--help")) == 0
    assert "[PID|URL]" in capfd.readouterr().out.splitlines()[0]
