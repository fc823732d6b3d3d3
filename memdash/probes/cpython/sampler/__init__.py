"""A sampler of what a Python allocates, loaded into it by the agent: a profile such as Go's, at a cost as small.

Lives here: ``sampler.c``, which runs in the target and knows no CPython version; ``build`` (compile it) and ``hook``
(as a part of the wheel), neither of which memdash runs; ``fitting`` (which object a target can load). May import what
``cpython`` may.
"""
