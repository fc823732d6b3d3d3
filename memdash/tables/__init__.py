"""Snapshot to rows, shared by panes and reports so that they cannot disagree.

Lives here: ``table`` (what a table is), one module per table: ``memstats``, ``gc`` (with ``generations``), ``sites``,
``objects``, ``tasks`` (in ``task_words``), ``alerts``, ``profile_top``, ``profile_functions``, ``profile_tree`` and
``profile_peek`` (functions of a profile; what they hold is written by ``profile_figures``), ``profile_flame`` (its
stacks, as ``boxes``), ``family`` (the process tree), ``processes`` (all there are), ``residence`` (where RSS comes
from, in the words of ``step_words``); ``heap_chart`` (lines cut to columns), ``axis`` (round values and times beside a
chart), ``code`` (source lines with what they hold), ``headline`` and ``vitals`` (single lines), ``verdict`` (in a few
words), ``row_site``, ``row_tasks``, ``row_type`` and ``row_metric`` (one row in full, as ``row_figures`` and a
``row_course``), ``figures`` (a metric as cells), ``since`` (since when changes count), ``caveats`` (of a fact). May
import: ``analysis``, ``pprof``, ``model``, ``units``, ``plain``; ``processes`` also what ``probes`` and ``process`` say
of the processes it lists. Nothing here knows a screen: a cell says what it means (its tone), never its colour. To add a
table, write a module with a pure function from Snapshot, or from a view of a profile.
"""
