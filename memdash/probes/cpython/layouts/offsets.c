/* Prints where one CPython keeps what memdash reads. Compiled by generate.py against that CPython's own headers.

   Three kinds of lines: "struct NAME SIZE", "member NAME PATH OFFSET" (of the struct printed before) and
   "constant NAME VALUE". A struct or member that was renamed goes by its newest name. */

#define Py_BUILD_CORE 1
#define Py_BUILD_CORE_MODULE 1

#include "Python.h"

#include <stddef.h>
#include <stdio.h>

#if PY_VERSION_HEX < 0x03090000
#include "internal/pycore_pymem.h"
#include "internal/pycore_pystate.h"
#else
#include "internal/pycore_gc.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_pystate.h"
#include "internal/pycore_runtime.h"
#endif
#if PY_VERSION_HEX >= 0x030D0000
#include "internal/pycore_tstate.h"
#endif
#if PY_VERSION_HEX >= 0x030E0000
#include "internal/pycore_interpframe_structs.h"
#elif PY_VERSION_HEX >= 0x030B0000
#include "internal/pycore_frame.h"
#else
#include "frameobject.h"
#endif
#if PY_VERSION_HEX >= 0x030C0000
#include "internal/pycore_tracemalloc.h"
#elif PY_VERSION_HEX >= 0x03090000
#include "internal/pycore_hashtable.h"
#include "internal/pycore_pymem.h"
#endif

#include <string.h>

#define STRUCT(type, name) printf("struct %s %zu\n", name, sizeof(type))
#define NAMED(type, member, name) printf("member %s %zu\n", name, offsetof(type, member))
#define MEMBER(type, member) NAMED(type, member, #member)
#define CONSTANT(name, value) printf("constant %s %ld\n", name, (long)(value))

typedef struct _gc_runtime_state gc_runtime_state;
typedef struct gc_generation gc_generation;
typedef struct gc_generation_stats gc_generation_stats;
typedef struct _pending_calls pending_calls;
typedef struct _gil_runtime_state gil_runtime_state;

static void runtime(void)
{
    STRUCT(_PyRuntimeState, "_PyRuntimeState");
    MEMBER(_PyRuntimeState, interpreters.head);
    MEMBER(_PyRuntimeState, interpreters.main);
#if PY_VERSION_HEX < 0x03090000
    NAMED(_PyRuntimeState, finalizing, "_finalizing");
    MEMBER(_PyRuntimeState, gc);
    MEMBER(_PyRuntimeState, main_thread);
    MEMBER(_PyRuntimeState, ceval.pending);
    MEMBER(_PyRuntimeState, ceval.eval_breaker);
#else
    MEMBER(_PyRuntimeState, _finalizing);
#endif
#if PY_VERSION_HEX < 0x030C0000
    MEMBER(_PyRuntimeState, ceval.gil);
#else
    MEMBER(_PyRuntimeState, tracemalloc);
#endif
#if PY_VERSION_HEX >= 0x030D0000
    MEMBER(_PyRuntimeState, ceval.pending_mainthread);
#endif
#if PY_VERSION_HEX < 0x030C0000
    NAMED(_PyRuntimeState, audit_hook_head, "audit_hooks.head");
#else
    MEMBER(_PyRuntimeState, audit_hooks.head);
#endif
}

static void interpreter(void)
{
    STRUCT(PyInterpreterState, "PyInterpreterState");
    MEMBER(PyInterpreterState, next);
    MEMBER(PyInterpreterState, id);
    MEMBER(PyInterpreterState, audit_hooks);
#if PY_VERSION_HEX < 0x030B0000
    NAMED(PyInterpreterState, tstate_head, "threads.head");
#else
    MEMBER(PyInterpreterState, threads.head);
#endif
#if PY_VERSION_HEX >= 0x030D0000
    MEMBER(PyInterpreterState, threads.main);
#endif
#if PY_VERSION_HEX >= 0x03090000
    MEMBER(PyInterpreterState, gc);
    MEMBER(PyInterpreterState, ceval.pending);
#endif
#if PY_VERSION_HEX >= 0x03090000 && PY_VERSION_HEX < 0x030D0000
    MEMBER(PyInterpreterState, ceval.eval_breaker);
#endif
#if PY_VERSION_HEX >= 0x030C0000
    MEMBER(PyInterpreterState, ceval.gil);
    MEMBER(PyInterpreterState, obmalloc);
#endif
}

static void thread(void)
{
    STRUCT(PyThreadState, "PyThreadState");
    MEMBER(PyThreadState, next);
    MEMBER(PyThreadState, interp);
    MEMBER(PyThreadState, thread_id);
    MEMBER(PyThreadState, c_tracefunc);
    MEMBER(PyThreadState, c_profilefunc);
#if PY_VERSION_HEX >= 0x030D0000
    MEMBER(PyThreadState, current_frame);
#elif PY_VERSION_HEX >= 0x030B0000
    MEMBER(PyThreadState, cframe);
#else
    NAMED(PyThreadState, frame, "current_frame");
#endif
#if PY_VERSION_HEX >= 0x030B0000
    MEMBER(PyThreadState, native_thread_id);
#endif
#if PY_VERSION_HEX >= 0x030D0000
    MEMBER(PyThreadState, eval_breaker);
#endif
}

static void collector(void)
{
    STRUCT(gc_runtime_state, "_gc_runtime_state");
    MEMBER(gc_runtime_state, enabled);
    MEMBER(gc_runtime_state, debug);
    MEMBER(gc_runtime_state, generations);
    MEMBER(gc_runtime_state, generation0);
    MEMBER(gc_runtime_state, permanent_generation);
    MEMBER(gc_runtime_state, generation_stats);
    MEMBER(gc_runtime_state, collecting);
    MEMBER(gc_runtime_state, long_lived_total);
    MEMBER(gc_runtime_state, long_lived_pending);
#if PY_VERSION_HEX >= 0x030E0000
    MEMBER(gc_runtime_state, heap_size);
#endif

    STRUCT(gc_generation, "gc_generation");
    MEMBER(gc_generation, head);
    MEMBER(gc_generation, threshold);
    MEMBER(gc_generation, count);

    STRUCT(gc_generation_stats, "gc_generation_stats");
    MEMBER(gc_generation_stats, collections);
    MEMBER(gc_generation_stats, collected);
    MEMBER(gc_generation_stats, uncollectable);
#if PY_VERSION_HEX >= 0x030F0000
    MEMBER(gc_generation_stats, ts_start);
    MEMBER(gc_generation_stats, ts_stop);
    MEMBER(gc_generation_stats, candidates);
    MEMBER(gc_generation_stats, duration);
    MEMBER(gc_generation_stats, heap_size);

    STRUCT(struct gc_stats, "gc_stats");
    MEMBER(struct gc_stats, young.items);
    MEMBER(struct gc_stats, young.index);
    NAMED(struct gc_stats, old[0].items, "old.items");
    NAMED(struct gc_stats, old[0].index, "old.index");
    MEMBER(struct gc_stats, update_seq);
    CONSTANT("GC_YOUNG_STATS_SIZE", GC_YOUNG_STATS_SIZE);
    CONSTANT("GC_OLD_STATS_SIZE", GC_OLD_STATS_SIZE);
    CONSTANT("sizeof(gc_old_stats_buffer)", sizeof(struct gc_old_stats_buffer));
#endif

    STRUCT(PyGC_Head, "PyGC_Head");
}

static void evaluator(void)
{
    STRUCT(pending_calls, "_pending_calls");
#if PY_VERSION_HEX < 0x030D0000
    NAMED(pending_calls, lock, "mutex");
    NAMED(pending_calls, calls_to_do, "npending");
    MEMBER(pending_calls, calls);
    MEMBER(pending_calls, first);
    NAMED(pending_calls, last, "next");
#else
    MEMBER(pending_calls, mutex);
    MEMBER(pending_calls, npending);
    MEMBER(pending_calls, max);
    MEMBER(pending_calls, calls);
    MEMBER(pending_calls, first);
    MEMBER(pending_calls, next);
#endif
    CONSTANT("sizeof(_pending_call)", sizeof(((pending_calls *)0)->calls[0]));
    CONSTANT("PENDINGCALLSARRAYSIZE", sizeof(((pending_calls *)0)->calls) / sizeof(((pending_calls *)0)->calls[0]));

    STRUCT(gil_runtime_state, "_gil_runtime_state");
    MEMBER(gil_runtime_state, last_holder);
    MEMBER(gil_runtime_state, locked);
}

static void allocator(void)
{
#if PY_VERSION_HEX >= 0x030C0000
    typedef struct _obmalloc_state obmalloc_state;
    STRUCT(obmalloc_state, "_obmalloc_state");
    MEMBER(obmalloc_state, pools);
    MEMBER(obmalloc_state, mgmt.arenas);
    MEMBER(obmalloc_state, mgmt.maxarenas);
    MEMBER(obmalloc_state, mgmt.narenas_currently_allocated);
    MEMBER(obmalloc_state, mgmt.ntimes_arena_allocated);
    MEMBER(obmalloc_state, mgmt.narenas_highwater);
    MEMBER(obmalloc_state, mgmt.raw_allocated_blocks);
    CONSTANT("obmalloc is a pointer", sizeof(((PyInterpreterState *)0)->obmalloc) == sizeof(void *));
    CONSTANT("ARENA_BITS", ARENA_BITS);
    CONSTANT("POOL_BITS", POOL_BITS);
#elif PY_VERSION_HEX >= 0x030A0000
    /* Before 3.12 these stand in Objects/obmalloc.c, in no header: the radix tree of 3.10 brought larger arenas. */
    CONSTANT("ARENA_BITS", 20);
    CONSTANT("POOL_BITS", 14);
#else
    CONSTANT("ARENA_BITS", 18);
    CONSTANT("POOL_BITS", 12);
#endif
}

/* The threads' stacks: frames, and the code they run. Before 3.11 a frame is an object. */
static void stacks(void)
{
#if PY_VERSION_HEX < 0x030B0000
    STRUCT(PyFrameObject, "_PyInterpreterFrame");
    NAMED(PyFrameObject, f_back, "previous");
    NAMED(PyFrameObject, f_code, "f_executable");
    MEMBER(PyFrameObject, f_lasti);
#else
    STRUCT(_PyInterpreterFrame, "_PyInterpreterFrame");
    MEMBER(_PyInterpreterFrame, previous);
    MEMBER(_PyInterpreterFrame, owner);
#if PY_VERSION_HEX < 0x030D0000
    NAMED(_PyInterpreterFrame, f_code, "f_executable");
    NAMED(_PyInterpreterFrame, prev_instr, "instr_ptr");
    STRUCT(_PyCFrame, "_PyCFrame");
    MEMBER(_PyCFrame, current_frame);
#else
    MEMBER(_PyInterpreterFrame, f_executable);
    MEMBER(_PyInterpreterFrame, instr_ptr);
#endif
#endif

    STRUCT(PyCodeObject, "PyCodeObject");
    MEMBER(PyCodeObject, co_filename);
    MEMBER(PyCodeObject, co_name);
    MEMBER(PyCodeObject, co_firstlineno);
#if PY_VERSION_HEX < 0x030A0000
    MEMBER(PyCodeObject, co_lnotab);
#else
    MEMBER(PyCodeObject, co_linetable);
#endif
#if PY_VERSION_HEX >= 0x030B0000
    MEMBER(PyCodeObject, co_qualname);
    MEMBER(PyCodeObject, co_code_adaptive);
#endif

    STRUCT(PyBytesObject, "PyBytesObject");
    NAMED(PyBytesObject, ob_base.ob_size, "ob_size");
    MEMBER(PyBytesObject, ob_sval);
}

/* tracemalloc: its tables, and what they hold. Before 3.12 its variables are static, and before that its structs stand in
   Modules/_tracemalloc.c and, those of 3.8, in Modules/hashtable.h, in no header: they are said again here. */
#if PY_VERSION_HEX < 0x030C0000
struct __attribute__((packed)) tracemalloc_frame {
    PyObject *filename;
    unsigned int lineno;
};
struct tracemalloc_traceback {
    Py_uhash_t hash;
#if PY_VERSION_HEX < 0x03090000
    int nframe;
#else
    uint16_t nframe;
    uint16_t total_nframe;
#endif
    struct tracemalloc_frame frames[1];
};
#endif
#if PY_VERSION_HEX < 0x03090000
typedef struct {
    void *next;
    Py_uhash_t key_hash; /* the key and then the value follow */
} _Py_hashtable_entry_t;
typedef struct {
    size_t nbuckets;
    size_t nentries;
    void *buckets;
    size_t key_size;
    size_t data_size;
    void *functions[4];
} _Py_hashtable_t;
#endif

static void tracing(void)
{
    typedef struct _PyTraceMalloc_Config config;
    STRUCT(config, "_PyTraceMalloc_Config");
    MEMBER(config, tracing);
    MEMBER(config, max_nframe);
#if PY_VERSION_HEX >= 0x030C0000
    typedef struct _tracemalloc_runtime_state tracemalloc_state;
    STRUCT(tracemalloc_state, "_tracemalloc_runtime_state");
    MEMBER(tracemalloc_state, config);
    MEMBER(tracemalloc_state, traced_memory);
    MEMBER(tracemalloc_state, peak_traced_memory);
    MEMBER(tracemalloc_state, traces);
    MEMBER(tracemalloc_state, domains);
#endif

    STRUCT(_Py_hashtable_t, "_Py_hashtable_t");
    MEMBER(_Py_hashtable_t, nentries);
    MEMBER(_Py_hashtable_t, nbuckets);
    MEMBER(_Py_hashtable_t, buckets);
#if PY_VERSION_HEX < 0x03090000
    MEMBER(_Py_hashtable_t, key_size);
    MEMBER(_Py_hashtable_t, data_size);
#endif
    STRUCT(_Py_hashtable_entry_t, "_Py_hashtable_entry_t");
    MEMBER(_Py_hashtable_entry_t, key_hash);
#if PY_VERSION_HEX >= 0x03090000
    MEMBER(_Py_hashtable_entry_t, key);
    MEMBER(_Py_hashtable_entry_t, value);
#endif

    typedef struct tracemalloc_traceback traceback;
    STRUCT(traceback, "tracemalloc_traceback");
    MEMBER(traceback, hash);
    MEMBER(traceback, nframe);
#if PY_VERSION_HEX >= 0x03090000
    MEMBER(traceback, total_nframe);
#endif
    CONSTANT("offsetof(tracemalloc_traceback, frames)", offsetof(traceback, frames));
    typedef struct tracemalloc_frame frame;
    STRUCT(frame, "tracemalloc_frame");
    MEMBER(frame, filename);
    MEMBER(frame, lineno);
}

static void strings(void)
{
    PyASCIIObject text;
    unsigned int flags;
    STRUCT(PyASCIIObject, "PyASCIIObject");
    MEMBER(PyASCIIObject, length);
    MEMBER(PyASCIIObject, hash);
    MEMBER(PyASCIIObject, state);
    STRUCT(PyCompactUnicodeObject, "PyCompactUnicodeObject");
    memset(&text, 0, sizeof(text));
    text.state.kind = 1;
    memcpy(&flags, &text.state, sizeof(flags));
    CONSTANT("PyASCIIObject.state.kind shift", __builtin_ctz(flags));
    memset(&text, 0, sizeof(text));
    text.state.compact = 1;
    memcpy(&flags, &text.state, sizeof(flags));
    CONSTANT("PyASCIIObject.state.compact shift", __builtin_ctz(flags));
    memset(&text, 0, sizeof(text));
    text.state.ascii = 1;
    memcpy(&flags, &text.state, sizeof(flags));
    CONSTANT("PyASCIIObject.state.ascii shift", __builtin_ctz(flags));
}

/* Types, and the class dicts in which those made by class statements keep their module. Before 3.11 the table of a dict's
   keys stands in Objects/dict-common.h, in no installed header: it is said again here. */
#if PY_VERSION_HEX >= 0x030B0000
#include "internal/pycore_dict.h"
typedef struct _dictkeysobject dict_keys;
#else
typedef struct {
    Py_ssize_t dk_refcnt;
    Py_ssize_t dk_size;
    void *dk_lookup;
    Py_ssize_t dk_usable;
    Py_ssize_t dk_nentries;
    char dk_indices[];
} dict_keys;
typedef struct {
    Py_hash_t me_hash;
    PyObject *me_key;
    PyObject *me_value;
} PyDictKeyEntry;
#endif

static void types(void)
{
    STRUCT(PyTypeObject, "PyTypeObject");
    NAMED(PyTypeObject, ob_base.ob_base.ob_type, "ob_type");
    MEMBER(PyTypeObject, tp_name);
    MEMBER(PyTypeObject, tp_basicsize);
    MEMBER(PyTypeObject, tp_flags);
    MEMBER(PyTypeObject, tp_dict);
    STRUCT(PyHeapTypeObject, "PyHeapTypeObject");
    MEMBER(PyHeapTypeObject, ht_qualname);
    STRUCT(PyDictObject, "PyDictObject");
    MEMBER(PyDictObject, ma_keys);
    STRUCT(dict_keys, "_dictkeysobject"); /* the indices follow, then the entries */
    MEMBER(dict_keys, dk_nentries);
#if PY_VERSION_HEX >= 0x030B0000
    MEMBER(dict_keys, dk_log2_index_bytes);
    MEMBER(dict_keys, dk_kind);
    STRUCT(PyDictUnicodeEntry, "PyDictUnicodeEntry");
    MEMBER(PyDictUnicodeEntry, me_key);
    MEMBER(PyDictUnicodeEntry, me_value);
    CONSTANT("DICT_KEYS_GENERAL", DICT_KEYS_GENERAL);
#else
    MEMBER(dict_keys, dk_size);
#endif
    STRUCT(PyDictKeyEntry, "PyDictKeyEntry");
    MEMBER(PyDictKeyEntry, me_key);
    MEMBER(PyDictKeyEntry, me_value);
#if defined(Py_TPFLAGS_PREHEADER)
    CONSTANT("Py_TPFLAGS_PREHEADER", Py_TPFLAGS_PREHEADER);
#elif defined(Py_TPFLAGS_MANAGED_DICT)
    CONSTANT("Py_TPFLAGS_PREHEADER", Py_TPFLAGS_MANAGED_DICT);
#else
    CONSTANT("Py_TPFLAGS_PREHEADER", 0);
#endif
#if PY_VERSION_HEX >= 0x030E0000
    CONSTANT("immortal ob_refcnt", _Py_IMMORTAL_INITIAL_REFCNT | (Py_ssize_t)_Py_IMMORTAL_FLAGS << 48);
#elif PY_VERSION_HEX >= 0x030C0000
    CONSTANT("immortal ob_refcnt", _Py_IMMORTAL_REFCNT);
#endif
}

static void debug_offsets(void)
{
#if PY_VERSION_HEX >= 0x030D0000
    STRUCT(_Py_DebugOffsets, "_Py_DebugOffsets");
    MEMBER(_Py_DebugOffsets, version);
    MEMBER(_Py_DebugOffsets, free_threaded);
    MEMBER(_Py_DebugOffsets, runtime_state.interpreters_head);
    MEMBER(_Py_DebugOffsets, interpreter_state.size);
    MEMBER(_Py_DebugOffsets, interpreter_state.id);
    MEMBER(_Py_DebugOffsets, interpreter_state.next);
    MEMBER(_Py_DebugOffsets, interpreter_state.threads_head);
    MEMBER(_Py_DebugOffsets, interpreter_state.gc);
    MEMBER(_Py_DebugOffsets, interpreter_state.ceval_gil);
    MEMBER(_Py_DebugOffsets, thread_state.next);
    MEMBER(_Py_DebugOffsets, thread_state.interp);
    MEMBER(_Py_DebugOffsets, thread_state.current_frame);
    MEMBER(_Py_DebugOffsets, thread_state.thread_id);
    MEMBER(_Py_DebugOffsets, thread_state.native_thread_id);
    MEMBER(_Py_DebugOffsets, interpreter_frame.previous);
    MEMBER(_Py_DebugOffsets, interpreter_frame.executable);
    MEMBER(_Py_DebugOffsets, interpreter_frame.instr_ptr);
    MEMBER(_Py_DebugOffsets, interpreter_frame.owner);
    MEMBER(_Py_DebugOffsets, code_object.filename);
    MEMBER(_Py_DebugOffsets, code_object.name);
    MEMBER(_Py_DebugOffsets, code_object.qualname);
    MEMBER(_Py_DebugOffsets, code_object.linetable);
    MEMBER(_Py_DebugOffsets, code_object.firstlineno);
    MEMBER(_Py_DebugOffsets, code_object.co_code_adaptive);
    MEMBER(_Py_DebugOffsets, unicode_object.state);
    MEMBER(_Py_DebugOffsets, unicode_object.length);
    MEMBER(_Py_DebugOffsets, bytes_object.ob_size);
    MEMBER(_Py_DebugOffsets, bytes_object.ob_sval);
#endif
#if PY_VERSION_HEX >= 0x030E0000
    MEMBER(_Py_DebugOffsets, interpreter_state.threads_main);
    MEMBER(_Py_DebugOffsets, debugger_support.eval_breaker);
    MEMBER(_Py_DebugOffsets, debugger_support.remote_debugger_support);
    MEMBER(_Py_DebugOffsets, debugger_support.remote_debugging_enabled);
    MEMBER(_Py_DebugOffsets, debugger_support.debugger_pending_call);
    MEMBER(_Py_DebugOffsets, debugger_support.debugger_script_path);
    MEMBER(_Py_DebugOffsets, debugger_support.debugger_script_path_size);
#endif
}

int main(void)
{
    printf("version %s\n", PY_VERSION);
    runtime();
    interpreter();
    thread();
    collector();
    evaluator();
    allocator();
    stacks();
    tracing();
    strings();
    types();
    debug_offsets();
    return 0;
}
