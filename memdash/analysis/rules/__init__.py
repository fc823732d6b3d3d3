"""What checks: each rule is a value with a name, a cooldown and a ``check`` over the history.

``rule`` says what every rule is. ``condition`` is what people ask of a metric, read by ``parse`` with the metrics'
``names``, and ``measure`` the figure that it is about, ``measured``: a level, how fast something is ``rising``, or how
much it has ``grown``. A ``threshold`` is the rule that comes of it. ``piled`` is what no condition can say, and
``defaults`` what is watched without being asked.
"""

from memdash.analysis.rules.condition import RATE_OVER_S, Condition, Op
from memdash.analysis.rules.defaults import default_rules
from memdash.analysis.rules.measure import measured
from memdash.analysis.rules.measured import Measured
from memdash.analysis.rules.names import metric_named
from memdash.analysis.rules.parse import parse_condition, parse_rule
from memdash.analysis.rules.piled import PiledUp
from memdash.analysis.rules.rule import COOLDOWN_S, Rule
from memdash.analysis.rules.threshold import Threshold

__all__ = [
    "COOLDOWN_S",
    "RATE_OVER_S",
    "Condition",
    "Measured",
    "Op",
    "PiledUp",
    "Rule",
    "Threshold",
    "default_rules",
    "measured",
    "metric_named",
    "parse_condition",
    "parse_rule",
]
