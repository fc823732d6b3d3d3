"""Judgement: pure functions and small values over a Timeline or a Profile. No clock, no I/O.

``judge``, ``alerts``, ``relief`` and ``arrivals`` remember from tick to tick, ``loops`` from look to look, and nothing
else does.

Lives here: ``rates`` (change per second), ``resample`` (a series cut to the width of a chart), ``sites`` (profiles by
leaf), ``objects`` and ``tasks`` (the rows of those), ``residence`` (where RSS comes from), ``deeds`` (what an action
did), ``ceilings`` (the limits a process lives under), ``relief`` (when to force a collection before one is reached),
``rules`` (what checks), ``alerts`` (the bounded log of what they found).

The way to leaked tasks: ``staying`` (those that every look shows), ``loops`` (which of them go on meanwhile),
``charges`` (the rule: which are accused, and why others are not), ``leaks`` (what is told of each).

The way to a verdict: ``points`` (the live heap after each collection), ``loads`` (the same at like load), ``slopes``
(robust lines through them), ``cuts`` (where their course changes), ``trend`` (the newest stretch and how it bends),
``teeth`` (what was given back before), ``verdict`` (what that means, and what speaks against a leak), ``forecast``
(when it hits a limit), ``growers`` (what grew most), ``judge`` (which looks again at each tick and changes its mind
slowly), ``verdict_words`` (its sentence). Beside it, ``gc_trend`` tells whether the collector has more and more to do.

What a check holds a program to: ``budgets``, each a ``budget``, by its ``growth`` and by the tasks that came and
stayed, its ``arrivals``; ``evidence`` is what it tells of those that are broken, ``known`` what it could see of what
they go by.

May import: ``model``, ``units``, ``spelling``, ``median``, ``errors``. To add a rule that no condition can say, write a
value with ``name``, ``cooldown_s`` and ``check`` in ``rules`` and name it in ``default_rules``. To add what speaks
against a leak, write a function in ``verdict``, name it in ``_OBJECTIONS``, and see what the corpus makes of it:
``python -m tests.benchmarks verdict``. To add a step of the way to RSS, name it in ``StepKind``, count it in
``residence`` and give it words in the ``step_words`` of ``tables``. To add a budget, write a value with ``name``,
``required``, ``reads`` and ``judge`` in ``budgets`` and let ``commands.budget`` make it.
"""
