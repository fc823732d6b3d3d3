"""Get a script to run inside a running CPython, by its pid: only ever because the user asked for it.

Lives here: ``injection`` (what memdash holds) and ``progress`` (what it is told) on this side; on the other, in a short
process of its own, ``__main__`` → ``route`` → ``request``: by ``remote_script`` (3.14 and newer, PEP 768) or
``pending_calls`` (before), with ``waking`` for a main thread that waits: ``errand``, on ``signal_frame``, ``gadgets``,
``ptrace`` and ``system_calls``, after a ``rehearsal``. ``memory`` is the only place from which memdash writes into
another process, ``threads`` finds what to write to, ``hooks`` and ``refusals`` say why not. May import what
``cpython`` may, and its ``interpreter``; the short process imports neither click nor Textual. gdb is never used.
"""
