"""Snapshots to bytes.

Lives here: ``exporter`` (what an exporter is) and one module a format: ``json`` (the document of schema memdash/1),
``text`` (plain words for a terminal, a mail or a screen reader), ``brief`` (a screenful of it, or less), ``lines`` (a
log, as JSON, CSV or words); in ``check`` what a check of budgets has found, in ``alert`` what hooks are told;
``prometheus`` writes for a scraper instead, ``pyroscope`` profiles for a server. May import: ``tables``, ``pprof``,
``model``, ``units``, ``plain``. To add a format, write a module with an Exporter and let ``memdash report`` offer it.
"""
