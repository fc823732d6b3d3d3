"""A check in plain words: what was watched, a line a budget, worst first, and what grew below those that are broken."""

from __future__ import annotations

from collections.abc import Iterator

from memdash.model.check import Checked, Command, Judgement, Outcome
from memdash.model.missing import Missing
from memdash.plain import plain
from memdash.units import clock_time, count, duration, ratio

__all__ = ["headline", "lines", "margin_words", "words"]


def headline(checked: Checked) -> str:
    """``PASSED: shop-server (pid 41287) keeps to 4 budgets``, ``FAILED: … breaks 2 of 5 budgets, 1 not judged``."""
    target = checked.shown.target
    total = len(checked.judgements)
    broken = _broken(checked)
    unknown = sum(judgement.outcome is Outcome.UNKNOWN for judgement in checked.judgements)
    budgets = f"{count(total)} budget{'s' * (total != 1)}"
    if broken:
        found = f"breaks {count(broken)} of {budgets}"
    elif total and unknown == total and checked.passed:  # nobody asked for what could not be judged
        found = "breaks nothing, for nothing was judged: --max-growth 64MiB and other budgets can be, in a minute"
    elif total and unknown == total:
        found = f"could not be held to {'its budget' if total == 1 else f'any of {budgets}'}"
    else:
        found = f"keeps to {count(total - unknown)} of {budgets}"
    rest = f", {count(unknown)} not judged" if 0 < unknown < total else ""
    trouble = ""
    if checked.trouble and not broken:
        trouble = (
            ", but the watch was cut short" if checked.trouble == checked.cut_short else f", but {checked.trouble}"
        )
    word = "PASSED" if checked.passed else "FAILED"
    return plain(f"{word}: {target.words} {found}{rest}{trouble}")


def _broken(checked: Checked) -> int:
    return sum(judgement.outcome is Outcome.FAILED for judgement in checked.judgements)


def lines(checked: Checked) -> Iterator[str]:
    """The whole of it, without line ends."""
    yield headline(checked)
    yield plain(_watch_words(checked))
    yield from (plain(f"{clock_time(deed.at_s)} {deed.summary}") for deed in checked.deeds)
    yield ""
    rows = [_cells(checked, judgement) for judgement in checked.judgements]
    widths = [max((len(row[place]) for row in rows), default=0) for place in range(4)]
    told: set[str] = set()  # several budgets are broken by the same growth, and not all say when it hits a limit
    for judgement, row in zip(checked.judgements, rows, strict=True):
        word, name, value, margin = row
        cells = (word.ljust(widths[0]), name.ljust(widths[1]), value.rjust(widths[2]), margin.rjust(widths[3]))
        yield "  ".join((*(cell for cell, width in zip(cells, widths, strict=True) if width), plain(judgement.why)))
        yield from (f"      {plain(line)}" for line in judgement.evidence if line not in told)
        told.update(judgement.evidence)


def words(judgement: Judgement) -> str:
    """What was seen and why it was judged so: ``614.2 MiB: highest at 12:07:41``; in part the target's words."""
    return ": ".join(part for part in (_value(judgement), judgement.why) if part)


def _value(judgement: Judgement) -> str:
    return judgement.value.words if judgement.value is not None else ""


def margin_words(judgement: Judgement) -> str:
    """``59 % left``, ``42 % beyond``, ``5.2 times it``; empty where there is no number to go by."""
    margin = judgement.margin_ratio
    if isinstance(margin, Missing):
        return ""
    if margin < -1:
        return f"{count(round(1 - margin, 1))} times it"
    return f"{ratio(min(margin, 1.0))} left" if margin >= 0 else f"{ratio(-margin)} beyond"


def _cells(checked: Checked, judgement: Judgement) -> tuple[str, str, str, str]:
    word = {Outcome.FAILED: "FAIL", Outcome.PASSED: "pass"}.get(judgement.outcome, "")
    word = word or ("FAIL (not judged)" if checked.fails(judgement) else "not judged")
    return word, plain(judgement.name), _value(judgement), margin_words(judgement)


def _watch_words(checked: Checked) -> str:
    seen = f"watched {duration(checked.watched_s)}, {count(checked.samples)} samples"
    parts = [seen if checked.since is not None else "nothing was watched"]
    if checked.warm_up_s:
        parts.append(f"after a warm-up of {duration(checked.warm_up_s)}")
    if checked.lapsed_s:
        parts.append(f"and {duration(checked.lapsed_s)} in which nothing could be seen")
    if checked.cut_short:
        parts.append(checked.cut_short)
    if checked.command is not None:
        parts += _ending_words(checked, checked.command)
    return " · ".join(parts)


def _ending_words(checked: Checked, command: Command) -> Iterator[str]:
    """How the program and the command behind it ended, each once: they may be one, and the headline may tell it."""
    ending, target = checked.shown.ending, checked.shown.target
    is_itself = ending is not None and target.pid == command.pid
    is_told = command.failed and not _broken(checked)
    if ending is not None and not checked.cut_short and not (is_itself and is_told):
        yield f"{target.name} {ending.words}"
    if not is_itself and not is_told:
        code = command.exit_code
        yield "the command was ended" if code is None else f"the command exited with code {code}"
