"""Why a value could not be had, in words for a person."""

from __future__ import annotations

import pytest

from memdash.errors import BadRead
from memdash.model.missing import Missing


@pytest.mark.parametrize(
    ("why", "hint", "words"),
    [
        ("not read yet", "", "Not read yet"),
        ("its memory is closed", "run memdash as root", "Its memory is closed. Run memdash as root"),
        ("nobody can collect", "memdash doctor PID says why", "Nobody can collect. memdash doctor PID says why"),
        ("/proc is not mounted", "go1.15 is too old", "/proc is not mounted. go1.15 is too old"),
    ],
)
def test_both_clauses_are_sentences_and_names_stay_as_they_are(why: str, hint: str, words: str) -> None:
    assert Missing(why, hint).words == words


def test_an_error_says_why() -> None:
    assert Missing.of(BadRead("it was unmapped", "try again")) == Missing("it was unmapped", "try again")
