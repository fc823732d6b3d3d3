"""A watch written down: one SQLite file (suffix ``.mdr``), or a private database that goes with its process.

Lives here: ``moment`` (what is written of a snapshot, and who it is of), ``shapes`` (model values as plain trees),
``columns`` (a minute of such trees, column by column), ``codec`` (trees as bytes), ``tables`` (the SQL, its version and
its errors), ``tiers`` (metrics over time, as written) and ``tracks`` (as read), ``writer``, ``reader``. May import:
``model``, ``units``, ``plain``, ``errors``. Nothing here attaches to a process or reads a clock.

To have another fact written, name it in ``model.sample.CAPABILITY_OF``: what it is made of is taken from its types.
Those in ``moment.APART`` are rows of their own. Fields may be added with a default, or as Maybe: what an older file
does not hold is Missing then. Whatever else changes the meaning of a file raises ``tables.VERSION``.
"""
