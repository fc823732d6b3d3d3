"""What is watched without being asked, beside the verdict."""

from __future__ import annotations

from memdash.analysis.rules.condition import Condition, Op
from memdash.analysis.rules.piled import PiledUp
from memdash.analysis.rules.rule import Rule
from memdash.analysis.rules.threshold import Threshold
from memdash.model.finding import Severity

__all__ = ["default_rules"]


def default_rules() -> tuple[Rule, ...]:
    """Long pauses, the way to the cgroup's limit, tasks."""
    return (
        Threshold("gc pause", Condition("gc.pause_recent_ns", Op.OVER, 10_000_000)),
        Threshold("cgroup headroom", Condition("cgroup.used_ratio", Op.OVER, 0.9, for_s=5.0)),
        Threshold("cgroup limit near", Condition("cgroup.used_ratio", Op.OVER, 0.97, for_s=2.0), Severity.CRITICAL),
        PiledUp("tasks pile up", least=50, share=0.5, for_s=60.0),
    )
