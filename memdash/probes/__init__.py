"""One way of reading a target each.

Lives here: a package per way, ``go``, ``cpython``, ``system`` (what the kernel tells of any process), ``endpoint``
(what a program tells over HTTP, when asked) and ``gops`` (a Go program's own agent, when asked), and what they share:
``probe`` (how one is found and opened), ``asking`` (probes that ask the target), ``profiles`` (what it answers),
``standard`` (which functions are Go's own library), ``slices`` (of work that takes long), ``pauses``, ``gc_figures``
(what MemStats tell of a collector), ``invariants``, ``arenas`` (how much of them is in RAM), ``registry``, ``narrowed``
(the same, held to a part), ``survey`` and ``examine``. May import: ``process``, ``network``, ``pprof``, ``model``,
``units``, ``plain``, ``signals``, ``median``, ``errors``; never another runtime's probes. To add a runtime, write a
module with a ``ProbeEntry`` and name it in ``registry.PROBES``. What it opens, an ``Attachment``, holds probes, which
read, and may bring actors, which do something to the target when a person asks for it (``model.action``).
"""
