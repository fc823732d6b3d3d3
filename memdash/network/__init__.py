"""Talking to others who may be slow, broken or hostile, within bounds of time and memory.

Lives here: ``address`` (a URL as it was meant), ``wire`` (a connection with an end to its patience), ``calls`` (those
that another thread may break off) and ``client`` (one HTTP request at a time), ``delivery`` (of one thing after
another, tried again); the other way round ``server``, which answers. May import: ``model``, ``units``, ``plain``,
``errors``. What is asked for and what an answer means is the business of ``probes``, what is answered that of whoever
serves it. Nothing here follows a redirect or obeys a proxy of the environment, and only ``delivery`` tries again.
"""
