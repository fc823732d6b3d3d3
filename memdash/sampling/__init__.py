"""The background thread that reads, and the bounded memory of what it read.

Lives here: ``clock``, ``budget`` (what a probe costs, how often it may run), ``sampler`` (the thread), ``history``
(tiers that keep min, max and gaps), ``trends`` (the newest sizes of each allocation site). May import: ``model``,
``errors``. It is handed probes as values and knows none of them.
"""
