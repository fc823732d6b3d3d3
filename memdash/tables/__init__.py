"""Snapshot to rows, shared by panes and reports so that they cannot disagree.

Lives here: ``table`` (what a table is) and one module per table: ``memstats``, ``gc``, ``sites``, ``alerts``,
``headline``. May import: ``analysis``, ``session`` types through ``model``, ``units``. Nothing here knows a screen: a
cell says what it means (its tone), never its colour. To add a table, write a module with a pure function from Snapshot.
"""
