"""Judgement: pure functions and small values over a Timeline or a Profile. No clock, no I/O.

Lives here: ``rates`` (change per second), ``resample`` (a series cut to the width of a chart), ``sites`` (profiles by
leaf), ``objects`` and ``tasks`` (the rows of those), ``leaks`` (tasks that stay), ``residence`` (where RSS comes from),
``deeds`` (what an action did), ``rules`` (what checks), ``alerts`` (the bounded log of what they found). May import:
``model``, ``units``, ``errors``.
To add a rule, write a value with ``name`` and ``check`` in ``rules`` and name it in ``default_rules``.
"""
