"""A Go program asked through the HTTP endpoints that it serves itself: only when a person wants it.

Lives here: nothing yet. May import: ``network``, ``pprof``.
"""
