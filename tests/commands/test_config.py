import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from memdash.analysis.rules import COOLDOWN_S
from memdash.config import SETTINGS
from memdash.config_file import load_file

Run = Callable[..., tuple[int, str, str]]


def _listed(run: Run, *argv: str | Path) -> dict[str, dict[str, str | None]]:
    code, out, err = run("config", "--json", *argv)
    assert (code, err) == (0, "")
    rows = [json.loads(line) for line in out.splitlines()]
    return {row.pop("name"): row for row in rows}


def test_every_setting_is_listed_with_its_default(run: Run) -> None:
    listed = _listed(run)
    listed.pop("json")
    assert listed.keys() == SETTINGS.keys() - {"json"}
    assert {row["origin"] for row in listed.values()} == {"default"}
    assert listed["interval"]["value"] == "1s"
    assert listed["duration"]["value"] is None


def test_a_variable_outranks_the_file_and_the_file_the_default(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "some.toml"
    path.write_text('interval = "2s"\nkeep = "7"\nascii = true\nmax = ["NumGC=3", "HeapAlloc=1GiB"]\n')
    monkeypatch.setenv("MEMDASH_INTERVAL", "3s")
    listed = _listed(run, "--config", path)
    assert listed["interval"] == {"value": "3s", "origin": "MEMDASH_INTERVAL"}
    assert listed["keep"] == {"value": "7", "origin": f"keep in {path}"}
    assert listed["ascii"] == {"value": "true", "origin": f"ascii in {path}"}
    assert listed["max"]["value"] == "NumGC=3, HeapAlloc=1GiB"


def test_the_list_says_where_from_when_it_is_asked_to(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMDASH_KEEP", "9")
    assert re.search(r"^keep +9$", run("config")[1], re.MULTILINE)
    assert re.search(r"^keep +9 +MEMDASH_KEEP$", run("config", "--show-origin")[1], re.MULTILINE)


def test_a_list_shows_tables_in_words_and_no_secret_of_a_url(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "some.toml"
    path.write_text(
        '[[alert]]\nwhen = "HeapAlloc > 1GiB"\n'
        '[[hook]]\nurl = "https://chat.example/T0PSECRET"\n[[hook]]\ncommand = ["a", "b"]\n'
    )
    monkeypatch.setenv("MEMDASH_WEBHOOK", "https://chat.example/T0PSECRET")
    listed = _listed(run, "--config", path)
    assert listed["alert"]["value"] == "HeapAlloc > 1GiB"
    assert listed["on-alert"]["value"] == "a URL, a b"
    assert "T0PSECRET" not in run("config", "--show-origin", "--config", path)[1]


def test_a_value_that_means_nothing_is_refused_with_its_place(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMDASH_INTERVAL", "soon")
    code, _, err = run("config")
    assert code == 2
    assert "MEMDASH_INTERVAL: 'soon' is not a duration" in err


def test_the_path_is_that_of_the_file_that_is_read_or_would_be(run: Run, tmp_path: Path) -> None:
    assert run("config", "--path")[1].strip() == f"{os.environ['XDG_CONFIG_HOME']}/memdash/config.toml"
    path = tmp_path / "some.toml"
    path.write_text("")
    assert run("config", "--path", "--config", path)[1].strip() == str(path)
    assert run("config", "--path", "--example")[0] == 2


def test_help_says_how_soon_an_alert_counts_as_a_new_one(run: Run) -> None:
    assert f"within {COOLDOWN_S:.0f}s of its end" in SETTINGS["alert"].help
    assert f'cooldown = "{COOLDOWN_S:.0f}s"' in run("config", "--example")[1]


def test_the_example_changes_nothing_and_with_its_marks_taken_away_names_every_setting(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(run("config", "--example")[1])
    assert load_file(path) == {}
    path.write_text(re.sub("^#(?! )", "", path.read_text(), flags=re.MULTILINE))
    loaded = load_file(path)
    assert loaded.keys() == SETTINGS.keys()
    for setting in SETTINGS.values():
        if setting.default is not None and not setting.many:
            assert loaded[setting.name] == setting.default
