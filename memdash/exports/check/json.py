"""The document of a check, schema ``memdash.check/1``: keys are stable, later versions only add.

Figures are plain numbers in ``unit``, or in ``unit`` a time for a rate; what is not known is null. What was seen at
last stands under ``target``, ``verdict`` and ``ending`` as in the document of ``memdash report --json``.
"""

from __future__ import annotations

from memdash import __version__
from memdash.exports.json import document, json_line, nulled
from memdash.model.check import Checked, Judgement
from memdash.model.missing import Missing
from memdash.units import iso_time

__all__ = ["check_document", "line"]


def check_document(checked: Checked) -> dict[str, object]:
    """What ``json.dumps`` takes."""
    last, command = document(checked.shown), checked.command
    missing: dict[str, str] = last["missing"]
    return {
        "schema": "memdash.check/1",
        "version": __version__,
        "passed": checked.passed,
        "strict": checked.strict,
        "cut_short": checked.cut_short or None,
        "warm_up_s": checked.warm_up_s,
        "watched_since": None if checked.since is None else iso_time(checked.since.wall_s),
        "watched_s": round(checked.watched_s, 3),
        "lapsed_s": round(checked.lapsed_s, 3),
        "samples": checked.samples,
        "command": None if command is None else {"argv": list(command.argv), "exit_code": command.exit_code},
        "deeds": [
            {"at": iso_time(deed.at_s), "summary": deed.summary, "figures": nulled(deed.evidence)}
            for deed in checked.deeds
        ],
        "budgets": [_judgement(checked, judgement) for judgement in checked.judgements],
        "target": last["target"],
        "ending": last["ending"],
        "verdict": last["verdict"],
        "missing": {path: why for path, why in missing.items() if path.startswith(("target", "verdict"))},
    }


def _judgement(checked: Checked, judgement: Judgement) -> dict[str, object]:
    value, limit, margin = judgement.value, judgement.limit, judgement.margin_ratio
    return {
        "name": judgement.name,
        "outcome": judgement.outcome.value,
        "fails": checked.fails(judgement),
        "value": None if value is None else value.value,
        "limit": None if limit is None else limit.value,
        "unit": None if value is None else f"{value.unit.value}{value.per}",
        "margin_ratio": None if isinstance(margin, Missing) else round(margin, 4),
        "why": judgement.why,
        "evidence": list(judgement.evidence),
    }


def line(checked: Checked) -> bytes:
    """One line of ASCII."""
    return f"{json_line(check_document(checked))}\n".encode("ascii")
