"""Where each Go minor keeps what we read: one data file a minor, and the generator that makes them.

Lives here: ``layout`` (the types), ``files`` (load and write), ``wanted`` (the structs, constants and globals we ask
for), ``unknown`` (a layout from the target's own DWARF, for a minor without a file), and the generator: ``generate``,
``toolchains``, ``reference``, ``recipes``. To support a new Go release: add it to ``toolchains.RELEASES`` and run
``python -m memdash.probes.go.layouts.generate --minor 1.28``. The probe imports this package, never the generator.
"""

from __future__ import annotations

from memdash.probes.go.layouts.files import load, minors
from memdash.probes.go.layouts.layout import Layout, Recipe

__all__ = ["Layout", "Recipe", "load", "minors"]
