"""A check as a JUnit report, which CI systems show as test results: a case a budget.

A broken budget is a failure, one that should have been judged and could not be an error, and one that need not be is
skipped. What else a check fails for, such as a command that failed by itself, is an error in a case of its own. See
https://github.com/testmoapp/junitxml for what is commonly understood.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from memdash.exports.check.text import headline, margin_words, words
from memdash.model.check import Checked, Judgement, Outcome
from memdash.plain import plain
from memdash.units import iso_time

__all__ = ["junit"]

_SUITE = "memdash check"


def junit(checked: Checked) -> bytes:
    """The whole file, as UTF-8."""
    cases = [_case(checked, judgement) for judgement in checked.judgements]
    if checked.trouble:
        cases.append(_named(checked, "the check itself"))
        ET.SubElement(cases[-1], "error", {"message": plain(checked.trouble), "type": "trouble"})
    begun = checked.since or checked.shown.at
    counts = {
        "tests": str(len(cases)),
        "failures": str(_number(cases, "failure")),
        "errors": str(_number(cases, "error")),
        "skipped": str(_number(cases, "skipped")),
        "time": f"{checked.watched_s:.3f}",
    }
    root = ET.Element("testsuites", {"name": _SUITE, **counts})
    suite = ET.SubElement(
        root, "testsuite", {"name": _SUITE, "timestamp": iso_time(begun.wall_s).partition(".")[0], **counts}
    )
    suite.extend(cases)
    ET.SubElement(suite, "system-out").text = headline(checked)
    ET.indent(root)
    found: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return found + b"\n"


def _number(cases: list[ET.Element], kind: str) -> int:
    return sum(case.find(kind) is not None for case in cases)


def _named(checked: Checked, name: str) -> ET.Element:
    return ET.Element(
        "testcase",
        {
            "name": plain(name),
            "classname": plain(f"memdash.{checked.shown.target.name}"),
            "time": f"{checked.watched_s:.3f}",
        },
    )


def _case(checked: Checked, judgement: Judgement) -> ET.Element:
    case = _named(checked, judgement.name)
    message = plain(words(judgement))
    if judgement.outcome is Outcome.PASSED:
        ET.SubElement(case, "system-out").text = " · ".join(part for part in (message, margin_words(judgement)) if part)
        return case
    kind = "failure" if judgement.outcome is Outcome.FAILED else "error" if checked.fails(judgement) else "skipped"
    told = ET.SubElement(case, kind, {"message": message, "type": judgement.outcome.value})
    told.text = "\n".join(plain(line) for line in judgement.evidence)
    return case
