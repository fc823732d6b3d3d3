"""Another process's bytes: who it is, what it maps, what its executable says, what stands in its memory.

Lives here: ``identity`` (pid, start time, executable; how it ended), ``maps``, ``memory`` (process_vm_readv scatter
plans), ``elf`` and ``dwarf``. May import: ``model``, ``units``, ``errors``, psutil. It knows no runtime: what Go or
CPython keep where is the business of ``probes``. Nothing here writes to, stops or signals a process.
"""
