"""memdash: the memory of one live process, seen from outside.

The rooms, from the bottom up: ``units``, ``plain``, ``signals``, ``files`` (how they are written), ``spelling``,
``median`` and ``errors``; ``said``, ``config_values`` and ``config`` (settings) and ``config_file`` (where some stand);
``model`` (the nouns); ``process`` (another process's bytes), ``network`` (servers, within bounds), ``pprof`` (profile
files and their views); ``probes`` (one way of reading a target each), ``sampling`` (the thread and what it remembers),
``analysis`` (pure judgement), ``recording`` (a watch in a file); ``session`` (the only wiring); ``tables``;
``exports``; ``ui`` and ``hooks`` (what follows an alert); ``commands``; ``cli``. Imports only point down this list, and
import-linter checks that they do.
"""

__version__ = "0.6.0"
