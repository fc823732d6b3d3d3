"""Files of settings that nobody means: each is refused in a line that says where, or does what it says."""

import os
import random
import re
import string
from collections.abc import Callable
from pathlib import Path

import pytest

from memdash.config import SETTINGS

Run = Callable[..., tuple[int, str, str]]

_KEYS = tuple(setting.key or name for name, setting in SETTINGS.items() if name not in ("verbose", "json"))
_OF_TABLES = (
    "when",
    "name",
    "for",
    "over",
    "clear",
    "cooldown",
    "severity",
    "command",
    "url",
    "rules",
    "timeout",
    "ended",
)
_VALUES = (
    *('""', "'\"'", '"\\u0000"', '"\\u001b[31m"', '"\\u202e"', '"1e999"', '"nan"', '"-5s"', '"1%"', '"²s"', '"a=b"'),
    *('"HeapAlloc > nan"', '"HeapAlloc growth > 1MiB/min"', '"http://["', '"http://x:99999999/"'),
    *(f'"{"a" * 5000}"', f'"{"(" * 3000}"', f"1{'0' * 4200}", "-1", "0", "9223372036854775808"),
    *("nan", "-inf", "1e308", "5e-324", "-0.0", "1979-05-27T07:32:00Z", "true", "[]", "[[]]", "{}", "[nan]"),
    *('["HeapAlloc=1", 2]', "{when = 1}", "{command = []}", "[" * 5000, "", "="),
)
_TRIED = (
    ("config", "--show-origin", "--config"),
    ("config", "--json", "--config"),
    ("check", "--print-budget", "--budget"),
    ("log", "999999999", "--config"),
)


def _mutated(chance: random.Random, sound: str) -> bytes:
    """Keys with values of any kind, or the example with some of it changed."""
    match chance.randrange(4):
        case 0:
            lines = sound.splitlines()
            place = chance.randrange(len(lines))
            lines[place : place + 1] = [lines[place][: chance.randrange(60)], chance.choice(lines)]
            return "\n".join(lines).encode()
        case 1:
            content = bytearray(sound.encode())
            content[chance.randrange(len(content))] = chance.randrange(256)
            return bytes(content)
        case 2:
            table = chance.choice(("alert", "hook"))
            said = chance.choice(('when = "HeapAlloc > 1MiB"', 'command = ["true"]', 'url = "http://127.0.0.1:1"'))
            more = f"{chance.choice(_OF_TABLES)} = {chance.choice(_VALUES)}"
            return f"[[{table}]]\n{said}\n{more}\n".encode()
    key = chance.choice((*_KEYS, chance.choice(string.ascii_lowercase) * 3000))
    return f"{key} = {chance.choice(_VALUES)}\n".encode()


@pytest.mark.parametrize("seed", range(4))
def test_whatever_a_file_holds_is_understood_or_refused_in_two_lines(run: Run, tmp_path: Path, seed: int) -> None:
    chance, path = random.Random(seed), tmp_path / "odd.toml"
    sound = re.sub(r"(?m)^#(?=[\[a-z])", "", run("config", "--example")[1]).replace("verbose = true", "")
    for _ in range(100):
        content = _mutated(chance, sound)
        path.write_bytes(content)
        argv = chance.choice(_TRIED)
        code, _, err = run(*argv, path)
        assert code in ((0, 2) if argv[0] != "log" else (2, 3)), (content, err)
        assert len(err.splitlines()) <= 2, (content, err)
        assert len(err) < 1500, (content, err)
        assert code != 2 or str(path) in err or "process is named" in err or "directory" in err, (content, err)
        assert err.replace("\n", "").isprintable(), (content, err)


@pytest.mark.parametrize("folder", ["/dev/null/b", "~nobody-of-this-name/x"])
def test_a_place_for_evidence_that_is_no_path_is_refused(run: Run, tmp_path: Path, folder: str) -> None:
    path = tmp_path / "odd.toml"
    path.write_text(f'evidence = "{folder}"\n')
    code, _, err = run("log", os.getpid(), "--duration", "100ms", "--config", path)
    assert code == 2
    assert f"evidence in {path}" in err


@pytest.mark.parametrize(
    ("key", "argv"),
    [("endpoint", ("log", "1")), ("url", ("log",)), ("listen", ("serve", "1")), ("token-file", ("serve", "1"))],
)
def test_a_server_or_a_secret_that_makes_no_sense_is_told_with_its_place(
    run: Run, tmp_path: Path, key: str, argv: tuple[str, ...]
) -> None:
    path = tmp_path / "odd.toml"
    path.write_text(f'{key} = "/no where"\n')
    code, _, err = run(*argv, "--config", path)
    assert code == 2
    assert err.startswith(f"memdash: {key} in {path}: ")


def test_of_a_line_that_nobody_would_read_to_its_end_the_beginning_and_the_end_are_told(run: Run) -> None:
    code, _, err = run("top", "1", "--granularity", "g" * 100_000)
    assert code == 2
    assert err.startswith("memdash: --granularity: there is no granularity 'ggg")
    assert len(err) < 600


@pytest.mark.parametrize("output", ["a" * 5000, "b/" * 3000 + "c"])
@pytest.mark.parametrize(
    "argv",
    [
        *(("report", "-o"), ("log", "-o"), ("profile", "-o"), ("record", "-o"), ("check", "--json", "-o")),
        ("check", "--junit"),
    ],
)
def test_a_name_that_no_file_can_have_is_refused_at_once(run: Run, argv: tuple[str, ...], output: str) -> None:
    code, _, err = run(*argv[:1], os.getpid(), *argv[1:], output)
    assert code == 2
    assert "cannot be written: File name too long" in err


@pytest.mark.parametrize("verb", ["top", "replay", "diff"])
def test_a_name_that_no_file_has_is_one_that_is_not_there(run: Run, verb: str) -> None:
    for name in ("a" * 5000, "a" * 5000 + ".mdr"):
        code, _, err = run(verb, name, *[name] * (verb == "diff"))
        assert code == 2
        assert "defect" not in err
