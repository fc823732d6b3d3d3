"""What a shell offers."""

import os
from collections.abc import Callable

import pytest

Run = Callable[..., tuple[int, str, str]]
Offered = Callable[[str], dict[str, str]]
OURSELVES = str(os.getpid())

pytestmark = pytest.mark.usefixtures("no_settings")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(run: Run, shell: str) -> None:
    code, out, _ = run("completion", shell)
    assert code == 0
    assert "_MEMDASH_COMPLETE" in out


@pytest.mark.parametrize(
    ("words", "among_them", "not_among_them"),
    [
        ("memdash ", {"report", "demo", "ps"}, {"--interval"}),
        ("memdash re", {"report"}, {"ps"}),
        ("memdash con", {"config"}, {"completion"}),
        ("memdash ma", {"man"}, {"ps"}),
        ("memdash --in", {"--interval", "--inline"}, {"report"}),
        ("memdash config --", {"--show-origin", "--example", "--path"}, {"--pid"}),
        (f"memdash serve {OURSELVES[:-1]}", {OURSELVES}, {"--json", "ps"}),
        ("memdash 12 --n", {"--name", "--no-color"}, {"--json"}),
        ("memdash report --j", {"--json"}, {"--theme"}),
        (f"memdash report {OURSELVES[:-1]}", {OURSELVES}, {"--json", "ps"}),
        (f"memdash doctor {OURSELVES}", {OURSELVES}, {"1"}),
    ],
)
def test_verbs_and_options_are_completed(
    offered: Offered, words: str, among_them: set[str], not_among_them: set[str]
) -> None:
    found = offered(words).keys()
    assert among_them <= found
    assert not not_among_them & found


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("memdash report 1 -o some", "file"),
        ("memdash 1 --record some", "file"),
        ("memdash 1 --evidence some", "dir"),
        ("memdash top x --base some", "file"),
        ("memdash ps --config some", "file"),
    ],
)
def test_the_shell_completes_files_where_one_is_meant(offered: Offered, words: str, kind: str) -> None:
    assert offered(words) == {"some": kind}
