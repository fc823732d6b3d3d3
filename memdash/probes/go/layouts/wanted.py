"""What a layout holds: the runtime's structs and their fields, its constants, its globals.

A minor may lack some; the layout then simply has no such key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from memdash.process.struct_type import StructType

if TYPE_CHECKING:
    from memdash.process.dwarf import Dwarf

__all__ = ["SIZE_CLASS_TABLES", "SYMBOLS", "constants", "structs", "wait_reasons"]

_ALL = ""

_STRUCTS: Mapping[str, str] = {
    # counters and settings
    "mstats": _ALL,
    "consistentHeapStats": "stats gen",
    "heapStatsDelta": _ALL,
    "gcControllerState": _ALL,
    "workType": "mode userForced cycles nproc nwait stwprocs maxprocs "
    "tSweepTerm tMark tMarkTerm tEnd pauseNS heap0 heap1 heap2",
    # the heap
    "mheap": "pages sweepgen allspans pagesInUse reclaimCredit curArena spanalloc cachealloc",
    "pageAlloc": "inUse scav",
    "fixalloc": "inuse",
    "mcache": "nextSample scanAlloc tinyAllocs alloc flushGen",
    "mspan": "startAddr npages freeindex nelems allocBits gcmarkBits sweepgen allocCount spanclass state "
    "allocCountBeforeCache elemsize limit specials largeType",
    "special": _ALL,
    # the heap profile
    "bucket": _ALL,
    "memRecord": _ALL,
    "memRecordCycle": _ALL,
    # the scheduler
    "p": "id status schedtick syscalltick mcache runqhead runqtail gFree gcAssistTime statsSeq",
    "m": "id procid curg p blocked incgo ncgo alllink",
    "g": "stack sched m atomicstatus goid waitsince waitreason preempt lockedm parentGoid gopc ancestors startpc "
    "gcAssistBytes",
    "gobuf": "sp pc bp",
    "stack": "lo hi",
    "schedt": "goidgen nmidle mnext nmsys nmfreed ngsys npidle nmspinning runqsize gFree gcwaiting timeToRun "
    "stwStoppingTimeGC stwStoppingTimeOther stwTotalTimeGC stwTotalTimeOther",
    "timeHistogram": _ALL,
    # code and types
    "moduledata": _ALL,
    "_type": "Size_ PtrBytes TFlag Kind_ Str",
}

_MOVED_STRUCTS: Mapping[str, str] = {"_type": "internal/abi.Type"}

_CONSTANTS = (
    "_GCoff _GCmark _GCmarktermination "
    "_Gidle _Grunnable _Grunning _Gsyscall _Gwaiting _Gdead _Gcopystack _Gpreempted _Gleaked _Gdeadextra _Gscan "
    "mSpanDead mSpanInUse mSpanManual numSpanClasses _NumSizeClasses _PageShift buckHashSize "
    "memoryLimitHeapGoalHeadroomPercent "
    "funcID_wrapper minSizeForMallocHeader"
)

_MOVED_CONSTANTS: Mapping[str, str] = {
    "_NumSizeClasses": "internal/runtime/gc.NumSizeClasses",
    "_PageShift": "internal/runtime/gc.PageShift",
    "funcID_wrapper": "internal/abi.FuncIDWrapper",
    "minSizeForMallocHeader": "internal/runtime/gc.MinSizeForMallocHeader",
}

_GLOBALS = (
    "memstats gcController work gcphase mheap_ emptymspan persistentChunks "
    "allp gomaxprocs sched allm allglen allgptr waitReasonStrings "
    "mbuckets bbuckets xbuckets mProfCycle MemProfileRate disableMemoryProfiling blockprofilerate mutexprofilerate "
    "buildVersion runtimeInitTime debug finq allfin"
)

SYMBOLS = tuple(_GLOBALS.split())
"""Globals of package runtime, named without it."""

SIZE_CLASS_TABLES = ("runtime.class_to_size", "internal/runtime/gc.SizeClassToSize")
"""Where the table of object sizes by size class stands, an array of uint16; it moved in 1.25."""


def structs(dwarf: Dwarf) -> dict[str, StructType]:
    """The wanted fields of the wanted structs, in the order they stand in memory. Raises BadRead."""
    found = {}
    for name, fields in _STRUCTS.items():
        whole = dwarf.struct(_MOVED_STRUCTS.get(name, f"runtime.{name}"))
        if whole is not None:
            kept = set(fields.split() or whole.offsets) - {"_"}
            found[name] = StructType(whole.size, {field: at for field, at in whole.offsets.items() if field in kept})
    return found


def constants(dwarf: Dwarf) -> dict[str, int]:
    """The wanted constants. Raises BadRead."""
    found = {}
    for name in _CONSTANTS.split():
        value = dwarf.constant(f"runtime.{name}")
        if value is None and name in _MOVED_CONSTANTS:
            value = dwarf.constant(_MOVED_CONSTANTS[name])
        if value is not None:
            found[name] = value
    return found


def wait_reasons(dwarf: Dwarf) -> tuple[str, ...]:
    """The names of g.waitreason by number, without their prefix. Raises BadRead."""
    prefix = "runtime.waitReason"
    by_number = {value: name.removeprefix(prefix) for name, value in dwarf.constants(prefix).items()}
    return tuple(by_number.get(number, "") for number in range(max(by_number, default=-1) + 1))
