"""One way of reading a target each.

Lives here: a module or package per way, and what they share: ``probe`` (how one is found and opened), ``invariants``,
``registry``, ``survey`` and ``examine``. May import: ``process``, ``model``, ``units``, ``errors``; never another
runtime's probes. To add a runtime, write a module with a ``ProbeEntry`` and name it in ``registry.PROBES``.
"""
