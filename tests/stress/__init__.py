"""Long trials. ``python -m tests.stress.injection`` is started by hand; ``pytest -m stress -n 0`` runs the others.

Lives here: ``injection`` (its target is ``target.py``); ``test_sampler``, by ``sampled`` (the heap sampler in one
process, whose program is ``mixture.py`` with ``works.py`` and ``packaged.py``), and ``test_regression`` (CPython's own
tests with the sampler on). These take ten minutes; each cell of the former lasts MEMDASH_STRESS_S seconds, 2 by
default.
"""
