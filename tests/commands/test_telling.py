"""What flags and the file say of hooks becomes hooks; what could never work is refused before anything is watched."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memdash.commands.telling import Telling
from memdash.config import SETTINGS
from memdash.config_file import load_file
from memdash.errors import UsageError
from memdash.model.finding import TransitionKind
from memdash.said import HookText
from tests.hooks.conftest import FakeWatch, transition
from tests.servers import Serve, answer

Run = Callable[..., tuple[int, str, str]]

BROKEN = [
    ("[[hook]]\nseverity = 'critical'", "names neither a command nor a url"),
    ("[[hook]]\ncommand = ['a']\nurl = 'http://b/'", "or both"),
    ("[[hook]]\ncommand = []", "hook 1: command is empty"),
    ("[[hook]]\ncommand = ['']", "hook 1: command is empty"),
    ("[[hook]]\ncommand = ' '", "hook 1: command: a hook without a command does nothing"),
    ("[[hook]]\ncommand = ['a', 1]", "command is no list of texts"),
    ("[[hook]]\ncommand = 'page \"shop'", "hook 1: command: 'page \"shop' is no command: no closing quotation"),
    ("[[hook]]\nurl = ''", "the url is no text"),
    ("[[hook]]\ncommand = 'a'\nseverity = 'bad'", "there is no severity 'bad'"),
    ("[[hook]]\ncommand = 'a'\ntimeout = '1h'", "a timeout lies between"),
    ("[[hook]]\ncommand = 'a'\ntimeout = 'soon'", "timeout: "),
    ("[[hook]]\ncommand = 'a'\nended = 'yes'", "ended is neither true nor false"),
    ("[[hook]]\ncommand = 'a'\nrules = [1]", "rules is no list of texts"),
    ("[[hook]]\ncommand = 'a'\nrule = 'leak'", "there is no key 'rule'"),
    ("on-alert = 'a'", "there is no setting 'on-alert'"),
]


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[[str], Any]:
    def load(text: str) -> Any:
        path = tmp_path / "config.toml"
        path.write_text(text)
        return load_file(path)["on-alert"]

    return load


def test_a_table_says_it_all(loaded: Callable[[str], Any], tmp_path: Path) -> None:
    (command, url) = loaded(
        "[[hook]]\ncommand = ['page', '--team', 'shop floor']\nseverity = 'critical'\nrules = ['leak', 'heap']\n"
        "timeout = '30s'\nended = true\n[[hook]]\nurl = 'https://chat.example/hooks/1'\nrules = 'leak'\ntimeout = 5\n"
    )
    assert command == HookText(
        command=("page", "--team", "shop floor"),
        severity="critical",
        rules=("leak", "heap"),
        timeout_s=30.0,
        ended=True,
        where=f"{tmp_path / 'config.toml'}: hook 1",
    )
    assert (url.url, url.rules, url.timeout_s, url.severity) == (
        "https://chat.example/hooks/1",
        ("leak",),
        5.0,
        "warning",
    )


@pytest.mark.parametrize(("text", "why"), BROKEN)
def test_what_makes_no_sense_is_refused_with_its_place(loaded: Callable[[str], Any], text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as refused:
        loaded(text)
    assert "config.toml" in refused.value.what


def test_a_command_line_is_split_into_words_and_no_shell_sees_it() -> None:
    parsed = SETTINGS["on-alert"].value("page --team 'shop floor; rm x' $HOME")
    assert parsed == HookText(command=("page", "--team", "shop floor; rm x", "$HOME"))
    for text in ("", "  ", "'a"):
        with pytest.raises(UsageError):
            SETTINGS["on-alert"].value(text)


def test_a_listed_webhook_does_not_show_its_secret() -> None:
    assert f"{[SETTINGS['webhook'].value('https://chat.example/hooks/secret')]}" == "[a URL]"


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (("--on-alert", "/no/such/command x"), "--on-alert: there is no command '/no/such/command'"),
        (("--tell-ended",), "--tell-ended does nothing without --on-alert or --webhook"),
        (("--webhook", "ftp://chat.example"), "--webhook: 'ftp://chat.example' is not a URL"),
        (("--webhook", "https://user:secret@chat.example/"), "--webhook: a URL with a user or password"),
    ],
)
def test_what_could_never_work_is_refused_at_once(run: Run, flags: tuple[str, ...], why: str) -> None:
    code, _, err = run("report", "-d", "60s", *flags, "1")
    assert code == 2
    assert why in err
    assert "secret" not in err


def test_evidence_needs_a_place(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = run("report", "-d", "1s", "--evidence", tmp_path / "file", str(os.getpid()))
    assert code == 2
    assert f"--evidence: {tmp_path / 'file'} cannot be written to: " in err


def test_a_rule_that_is_not_there_is_refused(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[[hook]]\ncommand = 'true'\nrules = ['heap grow']\n")
    code, _, err = run("report", "--config", config, "1")
    assert code == 2
    assert "hook 1: there is no rule 'heap grow'" in err
    assert "did you mean heap growth?" in err


def test_a_watch_without_a_screen_tells_of_its_alerts(
    run: Run, serve: Serve, start: Callable[..., Any], tmp_path: Path
) -> None:
    small, server, out = start("sleep", "60"), serve(answer(b"ok")), tmp_path / "alert.json"
    config = tmp_path / "config.toml"
    config.write_text(
        f"[[hook]]\ncommand = ['cp', '/dev/stdin', {str(out)!r}]\nrules = 'system.rss_bytes>4096'\n"
        "[[hook]]\ncommand = 'false'\n"
    )
    code, report, err = run(
        "report", "--config", config, "-d", "300ms", "-i", "50ms", "--max", "rss=4KiB",
        "--webhook", f"http://{server.address.server}/hook", "--evidence", tmp_path / "evidence", str(small.pid),
    )  # fmt: skip
    assert code == 0
    told = json.loads(out.read_text())
    assert (told["event"], told["target"]["pid"]) == ("opened", small.pid)
    assert told["finding"]["rule"] == "RSS > 4KiB"
    assert json.loads(server.requests[0].partition(b"\r\n\r\n")[2]) == told
    assert "memdash: hook false failed: it exited with code 1\n" in err
    (saved,) = (tmp_path / "evidence").iterdir()
    assert f"memdash: evidence of RSS > 4KiB saved in {saved}\n" in err
    assert (saved / "run.mdr").exists()
    assert "hook false failed: it exited with code 1" in report


def telling(*command: str, ended: bool = False) -> Telling:
    """What a command is told of that a flag names."""
    return Telling(
        on_alert=(HookText(command=command),),
        webhook=(),
        tell_ended=ended,
        bell=False,
        notify=False,
        evidence=None,
        evidence_from="warning",
        evidence_keep=1,
        evidence_size=1,
    )


@pytest.mark.parametrize(("ended", "heard"), [(True, ["opened", "ended"]), (False, ["opened"])])
def test_a_hook_given_by_flag_hears_of_the_end_when_asked_to(tmp_path: Path, ended: bool, heard: list[str]) -> None:
    out, watch = tmp_path / "heard", FakeWatch()
    asked = telling("sh", "-c", f"cat >> {out}", ended=ended)
    with asked.hooks() as follow:
        follow(watch)
        watch.fire(transition("heap"))
        watch.fire(transition("heap", kind=TransitionKind.ENDED))
    assert [json.loads(line)["event"] for line in out.read_text().splitlines()] == heard


def test_what_is_under_way_is_waited_for_until_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    said, watch = list[str](), FakeWatch()

    def say(words: str) -> None:
        said.append(words)
        if words.startswith("waiting"):
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("memdash.commands.telling.tell_instead", say)
    with telling("sleep", "60").hooks() as follow:
        follow(watch)
        watch.fire(transition("heap"))
    assert said == ["waiting for hook sleep, until ctrl+c", "hook sleep was broken off"]
    assert watch.notes == []
