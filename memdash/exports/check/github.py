"""A check as annotations of a GitHub Actions run: a line a budget that does not pass, one for what else went wrong.

See https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands for the form; what could end or
split a line is escaped, and the words are made plain before, so that nothing of the target's can be a command.
"""

from __future__ import annotations

from collections.abc import Iterator

from memdash.exports.check.text import words
from memdash.model.check import Checked, Judgement, Outcome
from memdash.plain import plain

__all__ = ["annotation_lines"]


def annotation_lines(checked: Checked) -> Iterator[str]:
    """Without line ends; none for what passes."""
    if checked.trouble:
        yield f"::error title={_property('the check itself')}::{_data(plain(checked.trouble))}"
    for judgement in checked.judgements:
        if judgement.outcome is not Outcome.PASSED:
            level = "error" if checked.fails(judgement) else "notice"
            yield f"::{level} title={_property(judgement.name)}::{_data(_message(judgement))}"


def _message(judgement: Judgement) -> str:
    return "\n".join(plain(line) for line in (words(judgement), *judgement.evidence))


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(plain(f"memdash: {text}")).replace(":", "%3A").replace(",", "%2C")
