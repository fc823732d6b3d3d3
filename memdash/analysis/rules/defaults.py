"""What is watched without being asked, beside the verdict."""

from __future__ import annotations

from memdash.analysis.rules.condition import Condition, Op
from memdash.analysis.rules.piled import PiledUp
from memdash.analysis.rules.rule import Rule
from memdash.analysis.rules.threshold import Threshold
from memdash.model.finding import Severity

__all__ = ["default_rules"]


_S = 1_000_000_000


def default_rules() -> tuple[Rule, ...]:
    """Pauses that are very long, or long as a rule, or many; the way to the cgroup's limit; tasks.

    No limit that a healthy program breaks: a full collection of CPython stops it for a tenth of a second a million
    objects, and one of Go, which takes far less than a millisecond, has been seen to wait 150 ms for a CPU.
    """
    return (
        Threshold("gc pause", Condition("gc.pause_recent_ns", Op.OVER, 1 * _S)),
        Threshold("gc pauses", Condition("gc.pause_p50_ns", Op.OVER, 0.05 * _S, for_s=30.0)),
        Threshold("gc stops", Condition("PauseTotalNs", Op.OVER, 6 * _S, grows=True, per_s=60.0, over_s=60.0)),
        Threshold("cgroup headroom", Condition("cgroup.used_ratio", Op.OVER, 0.9, for_s=5.0)),
        Threshold("cgroup limit near", Condition("cgroup.used_ratio", Op.OVER, 0.97, for_s=2.0), Severity.CRITICAL),
        PiledUp("tasks pile up", least=50, share=0.5, for_s=60.0),
    )
