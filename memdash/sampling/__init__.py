"""The background thread that reads, and the bounded memory of what it read.

Lives here: ``clock``, ``sampler`` (the thread), ``roster`` (who is due, and their readings joined), ``budget`` (what a
probe costs, how often it may run), ``cost`` (what memdash itself takes), ``history`` (tiers that keep min, max and
gaps), ``trends`` (the newest sizes of each allocation site). May import: ``model``, ``errors``. It is handed probes as
values and knows none of them.
"""
