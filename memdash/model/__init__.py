"""The nouns of memdash: frozen values that pass between the rooms.

Lives here: what a ``target`` *is*; what is read of it: ``memstats``, ``gc``, ``system``, ``profile``, ``objects``,
``malloc``, ``tasks``, ``family``, ``residence`` (what its pages are for); a ``capability`` (one such fact), a
``probe``, a ``sample`` and what is ``missing`` in it; ``metric`` and ``series`` (one number, and over time); a
``snapshot``, a ``finding``, a ``verdict``, a ``gc_trend``, what a ``check`` of budgets came to, an ``action``, and the
``relief`` that some of those may bring. May import: the standard library, ``units`` and ``errors``. Nothing here reads
a process, a clock or a file. A new noun is one file; a new runtime fills these same nouns and says ``Missing`` where it
has no equivalent.
"""
