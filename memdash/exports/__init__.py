"""Snapshots to bytes.

Lives here: ``exporter`` (what an exporter is) and one module a format: ``json`` (the document of schema memdash/1),
``text`` (plain words for a terminal, a mail or a screen reader), ``markdown`` (for an issue or a wiki) and ``html``
(one page that needs nothing else: tables by ``html_table``, calls by ``html_stacks``, lines over time by ``svg_chart``,
looks from report.css). ``sections`` says what all but the first tell, and in which order; ``redact`` takes out of a
snapshot what nobody else should read (of its sentences by ``redact_words``), before any format sees it; ``formats``
lists them all. ``brief`` is a screenful or less, ``lines`` a log, as JSON, CSV or words; ``prometheus`` writes for a
scraper, ``pyroscope`` profiles and ``otlp`` metrics for a server, ``check`` writes what a check of budgets has found,
``alert`` what hooks are told. May import: ``tables``, ``analysis``, ``pprof``, ``model``, ``units``, ``plain``,
``errors``. To add a format, write a module with an Exporter and name it in ``formats``.
"""
