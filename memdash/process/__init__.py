"""Another process's bytes: who it is, what it maps, what its executable says, what stands in its memory.

Lives here: ``identity`` (from a pid to a Target), ``watcher`` (is it still that one, how did it end: ``ending``),
``listing`` and ``family`` (finding processes), ``tree``, ``forest`` and ``keepers`` (who started whom, who only starts
others), ``group`` (what of a job still runs), ``threads``, ``system_calls`` and ``rest`` (what each waits in, how
long), ``stacks`` (where theirs are), ``cgroup``, ``stat``, ``environment``, ``fields`` and ``kept`` (the files of
/proc), ``refused`` (why one of them cannot be read), ``sockets`` (which ports it listens on), ``maps`` and ``smaps``
(what is mapped), ``pagemap`` (which pages are in RAM), ``auxv``, ``memory`` (process_vm_readv), ``scatter`` and
``rows`` (records at many places, and side by side), ``lanes`` (arithmetic on many words at once), ``code`` (which files
its code is from), ``elf``, ``dwarf`` and the ``struct_type`` that it tells. May import: ``model``, ``units``,
``errors``. It knows no runtime: what Go or CPython keep where is the business of ``probes``. Nothing here writes to,
stops or signals a process.
"""
