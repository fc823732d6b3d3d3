"""The verdict in a few words, for where there is no room for its sentence."""

from __future__ import annotations

from memdash.model.finding import Finding
from memdash.model.snapshot import Snapshot
from memdash.model.verdict import Verdict, VerdictKind

__all__ = ["alert_words", "calm_words", "unsaid_verdict"]


def alert_words(finding: Finding) -> str:
    """Glyph, word and the summary without what follows its colon: ``▲ LEAK +1.19 MiB/s``, ``● WARN GC pause …``."""
    head, kind = finding.summary.partition(":")[0], finding.evidence.get("kind")
    if isinstance(kind, str):
        return f"{finding.severity.glyph} {kind.upper()}{head.removeprefix(kind)}"
    return f"{finding.severity.glyph} {finding.severity.word} {head}"


def calm_words(snapshot: Snapshot) -> str:
    """What is made of a memory that nothing is wrong with: ``✓ plateau``; empty before there is anything to say."""
    verdict = snapshot.verdict
    if verdict is None or snapshot.worst is not None or verdict.kind is VerdictKind.NOT_YET:
        return ""
    return f"{verdict.severity.glyph} {verdict.summary.partition(':')[0]}"


def unsaid_verdict(snapshot: Snapshot) -> Verdict | None:
    """The verdict, where there is one and the worst that holds does not say the same."""
    verdict, worst = snapshot.verdict, snapshot.worst
    return None if verdict is None or (worst is not None and worst.summary == verdict.summary) else verdict
