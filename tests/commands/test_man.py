import re
import shutil
import subprocess
from collections.abc import Callable

import click
import pytest

from memdash.commands import VERBS
from memdash.commands.man import roff
from memdash.config import SETTINGS

Run = Callable[..., tuple[int, str, str]]


def test_the_page_names_every_verb_and_explains_each_option_once(run: Run) -> None:
    code, out, err = run("man")
    assert (code, err) == (0, "")
    words = out.replace(r"\-", "-")
    assert re.findall(r"^\.SS memdash ([\w-]+)", words, re.MULTILINE) == list(VERBS)
    for setting in SETTINGS.values():
        pattern = rf"^\\fB(?:-\w, )?--{setting.name}[ ,\\].*\n{re.escape(setting.help[:20])}"
        assert len(re.findall(pattern, words, re.MULTILINE)) == 1, setting.name


def test_no_word_is_taken_for_a_request_of_roff() -> None:
    odd = click.Command("odd", help="first\n.so /etc/passwd\n'quoted' and \\fBnot bold\\fR")
    page = list(roff(click.Group("memdash", {"odd": odd})))
    assert r"\&.so /etc/passwd" in page
    assert r"\&'quoted' and \(rsfBnot bold\(rsfR" in page


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_roff_has_no_complaints(run: Run) -> None:
    page = run("man")[1]
    command = ["groff", "-k", "-ww", "-man", "-Tutf8"]
    done = subprocess.run(command, input=page.encode(), capture_output=True, timeout=60, check=True)
    assert done.stderr == b""
    shown = re.sub(r"\x1b\[[\d;]*m|.\x08", "", done.stdout.decode())
    assert "memdash - watch the memory of one running process" in shown
    assert "--max-growth GROWTH" in shown
