"""A heap profiler for a CPython that runs: a native sampler in the target, read from outside.

Lives here: ``sampling`` (what is to be sampled), ``frames`` (where this build keeps frames), ``glue`` (runs in the
target, started by the agent: only a text here), ``switch`` (on and off, as an Actor), ``tables`` (what the sampler
wrote, read from outside), ``places`` (names of what it met), ``sites`` (both as a profile), ``readings`` (of the sites,
and how much was ever asked for) and ``cost`` (what it takes the target).
May import what ``cpython`` may.
"""
