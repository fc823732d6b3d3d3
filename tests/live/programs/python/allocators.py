"""Who allocates in this process, for the programs beside this one. Runs on CPython 3.8 and newer."""

from __future__ import annotations

import ctypes

__all__ = ["allocators"]


def allocators() -> list[list[int]]:
    """What PyMem_GetAllocator says of all three domains."""
    found, record = [], (ctypes.c_size_t * 5)()
    for domain in range(3):
        ctypes.pythonapi.PyMem_GetAllocator(domain, ctypes.byref(record))
        found.append(list(record))
    return found
