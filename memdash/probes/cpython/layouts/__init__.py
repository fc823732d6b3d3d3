"""Where each CPython minor keeps what we read: one data file a minor, and the generator that makes them.

Lives here: ``layout`` (the type), ``files`` (load and write), and the generator: ``generate``, ``headers`` and the C
program ``offsets.c``, which names every struct, member and constant we ask for. To support a new CPython release:
install it with its headers and run ``python -m memdash.probes.cpython.layouts.generate --minor 3.16``. The probe
imports this package, never the generator.
"""

from __future__ import annotations

from memdash.probes.cpython.layouts.files import load, minors
from memdash.probes.cpython.layouts.layout import Layout

__all__ = ["Layout", "load", "minors"]
