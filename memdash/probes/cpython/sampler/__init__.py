"""A sampler of what a Python allocates, loaded into it by the agent: a profile such as Go's, at a cost as small.

Lives here: ``sampler.c``, which runs in the target and knows no CPython version; ``build`` (compile it) and ``hook``
(as a part of the wheel), neither of which memdash runs; ``fitting`` (which object a target can load). ``sampling``
(what is wanted), ``frames`` (where a build keeps its frames), ``glue`` (a text that the agent runs in the target: it
starts and stops the sampler), ``switch`` (on and off, as an Actor), ``tables`` (what the sampler wrote, read from
outside), ``places`` (names of what it met), ``sites`` (both as a profile), ``cost`` (of it all to the target) and
``readings`` (the probe). May import what ``cpython`` may.
"""
