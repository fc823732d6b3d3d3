"""A watch written down: one SQLite file (suffix ``.mdr``), or a private database that goes with its process.

Lives here: ``moment`` (what is written of a snapshot, and who it is of), ``shapes`` (model values as plain trees),
``columns`` (a minute of such trees, column by column), ``codec`` (trees as bytes), ``bulk`` (what bytes become in
memory), ``alike`` (what they are compressed against), ``kept`` (what was read lately), ``database`` (a connection),
``tables`` (the SQL and its version), ``tiers`` (metrics over time, as written) and ``tracks`` (as read), ``place`` (the
file and its lock), ``facts`` (those of many rows on their way), ``writer``, ``pruning`` (its limits), ``copying``,
``enduring`` (a writer whose disk may fill), ``reader``, ``hindsight`` (what was said of alerts), ``older`` (files of
format 1), ``salvage`` (from ``pages`` where nothing else is left), ``allowance`` (how much of one is looked through),
``mended`` (what is left of a damaged one as one to read), ``followed`` (whether more may come of one), ``recorder``
(beside a watch). May import: ``model``, ``files``, ``units``, ``errors``. Nothing here knows a process.

To have another fact written, name it in ``model.sample.CAPABILITY_OF``: what it is made of is taken from its types.
Those in ``moment.APART`` are rows of their own. Fields may be added with a default, or as Maybe: what an older file
does not hold is Missing then, and what an older memdash does not know (a capability, a source) it leaves out or calls
newer. Whatever else changes the meaning of a file raises ``tables.VERSION``, and ``older`` makes today's of what was.
"""
