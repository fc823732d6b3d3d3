"""The verbs, one a file.

Lives here: a module per verb with one click command named ``command``, and what several verbs share: ``options``
(settings as click options), ``target`` (which process is meant), ``source`` (a profile: a file or a process),
``viewing`` (how a profile is looked at), ``limits`` (flags as rules), ``relief`` (flags as collections to force),
``sampling`` (flags as samples), ``agency`` (as what the agent is asked), ``telling`` (flags as hooks), ``watching``
(without a screen), ``secret`` (a word that stands in a file), ``service`` (a verb as a unit of systemd), ``sinks``
(servers to push to), ``recorded`` (into which file), ``replayed`` (of which one, and of when) and ``retelling`` (as if
it were watched), ``budget`` (a check's, as flags or a file), ``checking`` (one carried out), ``forcing`` (its
collections) and ``self_test`` (whether a check works here), ``redaction`` (what a report leaves out), ``output`` (files
that are never overwritten by accident), ``program`` (a command we start) and ``prepared`` (what it is given),
``acting`` (something done to a process), ``denials`` (what may not be read of one), ``screen`` (the dashboard around a
session), ``look`` (its colours) and ``opening`` (its first frame), ``strip`` (a few lines instead of it), ``browsing``
(a view of a profile without a dashboard below it), ``leak_search`` (how ``leaks`` looks) and ``leak_words`` (what it
prints). ``demo`` watches a program of memdash's own: one in Go, built by ``toolchain``, or ``pyshop``; ``log`` has a
``logger`` fill a ``logbook`` in ``growing`` files; ``config`` prints a ``config_example``. May import: everything
below; ``memdash.ui`` only inside functions, because a headless verb must never load Textual; ``memdash.pprof`` too, but
for ``garbage``, because it takes 40 ms.

To add a verb, write a module and name it in ``VERBS``.
"""

from __future__ import annotations

__all__ = ["VERBS"]

VERBS = (
    "watch",
    "run",
    "demo",
    "ps",
    "doctor",
    "report",
    "leaks",
    "check",
    "record",
    "replay",
    "log",
    "serve",
    "push",
    "profile",
    "top",
    "list",
    "peek",
    "tree",
    "flame",
    "diff",
    "gc",
    "trim",
    "config",
    "completion",
    "man",
    "version",
)
"""In the order of ``memdash --help``. A verb's module is imported when it is chosen, and for help."""
