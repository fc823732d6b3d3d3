"""A sampler of what a Python allocates, loaded into it by the agent: a profile such as Go's, at a cost as small.

Lives here: ``sampler.c``, which knows no CPython version. May import what ``cpython`` may.
"""
