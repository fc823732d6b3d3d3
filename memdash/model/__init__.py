"""The nouns of memdash: frozen values that pass between the rooms.

Lives here: what a target, a reading, a sample, a profile, a finding *is*. May import: the standard library, ``units``
and ``errors``. Nothing here reads a process, a clock or a file. A new noun is one file; a new runtime fills these same
nouns and says ``Missing`` where it has no equivalent.
"""
