"""The background thread that reads, and the bounded memory of what it read.

Lives here: ``clock``, ``sampler`` (the thread), ``roster`` (who is due, their readings joined, who can act), ``doer``
(what is done to the target, on a thread beside) and ``doing`` (one action of these), ``budget`` (what a probe costs,
how often it may run), ``cost`` (what memdash itself takes), ``history`` (tiers that keep min, max and gaps), ``starts``
(what was when changes began to count), ``followed``, ``trends`` and ``courses`` (rows of a table from reading to
reading, lately and over the whole watch). May import: ``model``, ``median``, ``errors``. It is handed probes as values
and knows none of them.
"""
