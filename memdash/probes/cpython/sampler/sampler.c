/*
 * memdash's heap sampler: a statistical profile of what a CPython process allocates, taken inside of it.
 *
 * It stands between CPython and its allocators (PEP 445), and between numpy and its own (NEP 49). Of the stream of
 * bytes that they are asked for it picks points at random, `rate` bytes apart on average, keeps the Python stack of each
 * allocation that holds one, and forgets it when that block is freed. memdash reads the tables from outside.
 *
 * No Python headers and no knowledge of versions: the glue that loads this passes addresses of functions and offsets of
 * fields (memdash_sampler_init), and has the walk over the frames checked before anything is hooked (_selftest).
 *
 * What holds throughout:
 *   - A block handed to the program is one of the original allocator's: hooks may come and go at any time.
 *   - A hook never allocates, never runs Python code and never waits without a limit. All that it calls of the interpreter
 *     is what tells its thread state, and Py_IncRef with the GIL held.
 *   - Whatever cannot be done at once is left out: a sample less, or an entry that is found stale later.
 *   - Nothing is printed, and errno stays as it was. This file is never unloaded: a thread may be in a hook for good.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define INLINE static inline __attribute__((always_inline))
#define SLOW static __attribute__((noinline))
#define COLD static __attribute__((noinline, cold))
#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define LOAD(variable) __atomic_load_n(&(variable), __ATOMIC_RELAXED)
#define STORE(variable, value) __atomic_store_n(&(variable), (value), __ATOMIC_RELAXED)
#define PUBLISH(variable, value) __atomic_store_n(&(variable), (value), __ATOMIC_RELEASE)

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t i64;

/* PyMemAllocatorEx, and the part of PyDataMem_Handler that has the same shape but for what `free` is told. */
typedef struct {
    void *ctx;
    void *(*malloc)(void *ctx, size_t size);
    void *(*calloc)(void *ctx, size_t count, size_t size);
    void *(*realloc)(void *ctx, void *block, size_t size);
    union {
        void (*free)(void *ctx, void *block);
        void (*free_sized)(void *ctx, void *block, size_t size);
    };
} allocator_t;

/* The first three are numbered as PyMemAllocatorDomain is. */
typedef enum { RAW, MEM, OBJ, NUMPY, DOMAINS } domain_t;
#define BIT(domain) (1u << (domain))

typedef enum {
    OK = 0,
    ALREADY_ON = 1,
    NOT_INITIALISED = -1, /* or by a glue that passes another number of values */
    NO_MEMORY = -2,
    NO_FORK_HANDLERS = -3,
    OTHER_CONFIG = -4,    /* initialised before, with other addresses */
    CHANGED_BELOW = -5,   /* another allocator is in the place of the one that we passed on to */
    BUSY = -6,            /* called from within itself, or the tables cannot be had */
    NO_THREAD_STATE = -2, /* the last two are memdash_sampler_selftest's */
    NOT_MAIN_INTERPRETER = -3,
} result_t;

/* What the glue passes: functions and objects of the interpreter, then offsets in bytes. */
enum {
    GET_ALLOCATOR,     /* PyMem_GetAllocator */
    SET_ALLOCATOR,     /* PyMem_SetAllocator */
    THREAD_STATE,      /* PyThreadState_GetUnchecked, before 3.13 _PyThreadState_UncheckedGet */
    OWN_THREAD_STATE,  /* PyGILState_GetThisThreadState up to 3.11, else 0 */
    INC_REF,           /* Py_IncRef */
    DEC_REF,           /* Py_DecRef */
    CODE_TYPE,         /* &PyCode_Type */
    MAIN_INTERPRETER,  /* PyInterpreterState_Main() */
    STATE_INTERPRETER, /* thread state -> interpreter */
    STATE_FRAME,       /* thread state -> current frame, or -> _PyCFrame where HAS_C_FRAME */
    HAS_C_FRAME,       /* 1 on 3.11 and 3.12 */
    C_FRAME_CURRENT,   /* _PyCFrame -> current frame */
    FRAME_PREVIOUS,    /* frame -> the one that called it */
    FRAME_CODE,        /* frame -> code object, its low 3 bits being tags */
    FRAME_AT,          /* frame -> where it is, which is put as INSTRUCTION_UNIT says */
    INSTRUCTION_UNIT,  /* see instruction_t */
    CODE_BYTES,        /* code object -> first instruction, where those are pointers */
    FRAME_OWNER,       /* frame -> who owns it, a byte; 0 where frames have no owner */
    CONFIG_VALUES,
};

/* How a frame says where it is: 3.8 and 3.9 by a byte offset, 3.10 by one in 2-byte units, later by an address. */
typedef enum { AT_BYTE, AT_UNIT, AT_ADDRESS } instruction_t;

/* From here on the owner is no function but the C stack or the interpreter: shims, some with code objects. */
#define FIRST_OWNER_WITHOUT_CODE 3

enum {
    MOST_FRAMES = 64,
    FILTER_BITS = 20, /* 128 KiB */
    GRAIN_BITS = 6,   /* blocks in the same 64 bytes share a bit */
    LIVE_BITS = 17,
    STACK_BITS = 15,
    LOCATION_BITS = 17,
    LIVE_SLOTS = 1 << LIVE_BITS,
    STACK_SLOTS = 1 << STACK_BITS,
    LOCATION_SLOTS = 1 << LOCATION_BITS,
    /* No hash table is filled by more than three quarters: so every search in one ends at an empty slot. */
    MOST_LIVE = LIVE_SLOTS / 4 * 3,
    MOST_STACKS = STACK_SLOTS / 4 * 3,
    MOST_LOCATIONS = LOCATION_SLOTS / 4 * 3,
    MOST_FRAME_IDS = 1 << 20,
    MOST_UNNAMED = 1 << 13, /* locations that hold on to code: where nobody names them, no more are taken in */
    OBJECT = 256,                /* numbers of objects are in fractions of this */
    LARGEST_RATE = (1 << 24) - 1, /* so that the objects that one sample stands for fit into 32 bits, by OBJECT */
    LARGEST_FOR_PYMALLOC = 512,  /* bytes; it passes larger requests on to RAW */
};

/*
 * A place in a program. The table holds a reference to each code object, so what it is called can be asked later; once
 * that has been done, the reference can be given up (memdash_sampler_release), and the place is never met again.
 */
typedef struct {
    u64 code; /* with RELEASED in it once it may be gone */
    i64 lasti; /* in bytes, as f_lasti is; -1 before the first instruction */
} location_t;

/* A stack, and what was allocated and freed on it; what is in use is the difference. `first` counts frame ids. */
typedef struct {
    u32 hash, frames, first, unused;
    u64 samples, freed_samples;
    u64 objects, bytes;
    u64 freed_objects, freed_bytes;
} stack_entry_t;
_Static_assert(sizeof(stack_entry_t) == 64, "memdash reads stacks of 64 bytes");

#define RELEASED 1ull

enum { NO_PYTHON_FRAME, TABLE_FULL, SUB_INTERPRETER, FIRST_STACK };

/* A sampled block that has not been freed, and what its sample has added to its stack: freeing it takes back just that. */
typedef struct {
    u64 block;
    u64 bytes;
    u32 stack;
    u32 objects;
} live_t;

/*
 * Domains share a countdown when they are called alike. With the GIL held, taking bytes off it is a plain subtraction;
 * RAW is called without. numpy 2.4 itself calls its handler with the GIL held (all of 370 000 calls in four threads),
 * but lets go of it inside of calloc, and what it offers to extensions, PyDataMem_UserNEW, asks for no GIL: so it counts
 * with RAW, atomically. Sub-interpreters with a GIL of their own may lose each other's subtractions, and no more.
 */
enum { WITH_GIL, WITHOUT_GIL, POOLS };

/* What memdash reads first. All counters are single aligned words, so none is ever seen half written. */
static struct {
    char magic[8];
    u32 version, header_size;
    u64 self, pid, rate, start_ns;
    u32 enabled, domains, max_frames, unused;
    u64 stacks_at, frames_at, locations_at, countdown_at;
    u32 stacks, frames, locations, live; /* the first three are stored after what they count */
    u64 samples, without_frame, in_sub_interpreters;
    u64 dropped_live, dropped_stacks, dropped_locations, stale;
    struct {
        u64 consumed; /* bytes asked for until the countdown was last set: consumed + armed - countdown until now */
        i64 armed;    /* what it was set to */
    } pools[POOLS];
    u64 raw_countdown_at;
    u64 call_ps; /* what a call by a hook takes longer than one without, when nothing is sampled: see measure */
    u64 slow_ns; /* what all samples and their frees took, scaled up from those that were timed */
} header = {
    .magic = { 'm', 'e', 'm', 'd', 'a', 's', 'h', 'S' },
    .version = 2,
    .header_size = sizeof header,
    .max_frames = 32,
    .stacks = FIRST_STACK,
};
_Static_assert(sizeof header == 224, "memdash reads a header of 224 bytes");

static u64 config[CONFIG_VALUES];
static bool is_initialised;

/* Bytes until the next sample. Never reached while there is nobody to sample for. */
#define NEVER INT64_MAX
static struct {
    i64 bytes;
} __attribute__((aligned(64))) countdown[POOLS] = { { NEVER }, { NEVER } };

INLINE int pool_of(domain_t domain)
{
    return domain == MEM || domain == OBJ ? WITH_GIL : WITHOUT_GIL;
}

/* ---- Arithmetic: without libm, which the target need not have loaded ------------------------------------------- */

static u64 random_state = 88172645463325252u; /* never 0 */

/* The natural logarithm of a normal x > 0, to 1e-11: x = m * 2^e with m near 1, ln m = 2 artanh((m-1)/(m+1)). */
static double natural_log(double x)
{
    union {
        double number;
        u64 bits;
    } m = { x };
    int e = (int)(m.bits >> 52) - 1022;
    m.bits = (m.bits & 0xfffffffffffffu) | 1022ull << 52; /* 0.5 <= m < 1 */
    if (m.number < 0.70710678118654752) {
        m.number *= 2;
        e--;
    }
    double s = (m.number - 1) / (m.number + 1), q = s * s;
    double series = 1 + q * (1. / 3 + q * (1. / 5 + q * (1. / 7 + q * (1. / 9 + q * (1. / 11 + q / 13)))));
    return 2 * s * series + e * 0.69314718055994531;
}

/* 1 - exp(-x) for x >= 0, to 1e-10 of itself: the series for x / 2^k, then p(2y) = p(y) (2 - p(y)), k times. */
static double one_minus_exp(double x)
{
    if (x > 40)
        return 1;
    int halvings = 0;
    for (; x > 0.25; x /= 2)
        halvings++;
    double p = x * (1 - x / 2 * (1 - x / 3 * (1 - x / 4 * (1 - x / 5 * (1 - x / 6 * (1 - x / 7 * (1 - x / 8)))))));
    while (halvings--)
        p *= 2 - p;
    return p;
}

/* 0 < u <= 1, by xorshift64. */
static double random_unit(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (double)((random_state >> 11) + 1) * 0x1p-53;
}

/* Exponentially distributed with `rate` as its mean: so every byte has the same chance, whatever came before it. */
static i64 next_distance(void)
{
    return (i64)(-natural_log(random_unit()) * (double)header.rate);
}

/* How many blocks of that size a sampled one stands for: 1 / its chance of being sampled. */
static double weight(size_t size)
{
    return 1 / one_minus_exp((double)(size ? size : 1) / (double)header.rate);
}

/* ---- Lock: guards the tables and the header ---------------------------------------------------------------------- */

/*
 * Held for 100 ns, during which its holder calls nothing that could want it, and while the process forks. Still there are
 * ways to come back to a lock that is held: a signal handler, or another's fork handler, that allocates; and a child
 * forked behind the back of our handlers, where the holder does not exist. So the lock knows its owner, and waiting for
 * it ends: whoever does not get it does without.
 */
enum { SPINS = 100, YIELDS = 100, NAPS = 4000 };
#define NAP_NS 200000

static void *lock_owner;
static void *forking_thread; /* written only by the lock's owner, who has it for a fork */

/* Differs between the threads that run at a time; needs no thread-local storage of our own. */
INLINE void *this_thread(void)
{
    void *pointer;
#if defined(__x86_64__)
    __asm__("movq %%fs:0, %0" : "=r"(pointer));
#elif defined(__aarch64__)
    __asm__("mrs %0, tpidr_el0" : "=r"(pointer));
#else
#error "memdash samples on x86-64 and aarch64"
#endif
    return pointer;
}

static bool try_lock(void)
{
    void *nobody = NULL;
    return __atomic_compare_exchange_n(&lock_owner, &nobody, this_thread(), false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* A child without its parent's threads, that has not come by after_fork_in_child: pass everything through. */
static bool is_stranded(void)
{
    bool is_so = (u64)getpid() != LOAD(header.pid);
    if (is_so)
        STORE(header.enabled, 0);
    return is_so;
}

/* Naps, since a thread of real-time priority that only yields would keep the holder from running. A second at most. */
COLD bool wait_for_lock(void)
{
    if (LOAD(lock_owner) == this_thread())
        return false;
    int before = errno;
    bool is_ours = false;
    for (int turn = 0; !(is_ours = try_lock()) && turn < SPINS + YIELDS + NAPS; turn++) {
        struct timespec nap = { 0, NAP_NS };
        if (turn >= SPINS + YIELDS && is_stranded())
            break;
        if (turn >= SPINS + YIELDS)
            nanosleep(&nap, NULL);
        else if (turn >= SPINS)
            sched_yield();
    }
    errno = before;
    return is_ours;
}

static bool lock(void)
{
    return LIKELY(try_lock()) || wait_for_lock();
}

static void unlock(void)
{
    PUBLISH(lock_owner, NULL);
}

/* ---- Live table: sampled blocks by address, and a filter that tells nearly all others apart -------------------- */

static live_t *live;
static u64 filter[1 << (FILTER_BITS - 6)];

/*
 * Neighbouring blocks have neighbouring bits: the filter is hot where the heap is. Blocks of one grain share one,
 * which finds few more than are sampled, where one of a thousand blocks is, and takes a quarter of the cache.
 */
INLINE u32 filter_bit(u64 block)
{
    return (u32)(block >> GRAIN_BITS) & ((1u << FILTER_BITS) - 1);
}

/* Without the lock: whoever may free a block got it after its bit had been set. */
INLINE bool may_be_live(const void *block)
{
    u32 bit = filter_bit((u64)block);
    return LOAD(filter[bit / 64]) >> bit % 64 & 1;
}

static void set_filter(u32 bit, bool is_set)
{
    u64 *word = &filter[bit / 64], mask = 1ull << bit % 64;
    STORE(*word, is_set ? *word | mask : *word & ~mask);
}

/* Where a search begins. Blocks with one filter bit have one home, so a bit's last block is known when it goes. */
static u32 home_of(u32 bit)
{
    return (bit * 2654435769u) >> (32 - LIVE_BITS);
}

static u32 next_slot(u32 slot)
{
    return (slot + 1) % LIVE_SLOTS;
}

static u32 distance(u32 from, u32 to)
{
    return (to - from) % LIVE_SLOTS;
}

/* Lock held; the block is not in the table, and fewer than MOST_LIVE are. */
static void insert(const live_t *entry)
{
    u32 bit = filter_bit(entry->block), slot = home_of(bit);
    while (live[slot].block)
        slot = next_slot(slot);
    live[slot] = *entry;
    set_filter(bit, true);
    header.live++;
}

/* Close the gap: entries behind it move up unless that would put them before their home. */
static void close_gap(u32 gap)
{
    for (u32 slot = next_slot(gap); live[slot].block; slot = next_slot(slot)) {
        u32 home = home_of(filter_bit(live[slot].block));
        if (distance(home, slot) >= distance(gap, slot)) {
            live[gap] = live[slot];
            gap = slot;
        }
    }
    live[gap].block = 0;
}

static bool has_bit(u32 bit)
{
    for (u32 slot = home_of(bit); live[slot].block; slot = next_slot(slot))
        if (filter_bit(live[slot].block) == bit)
            return true;
    return false;
}

/* Lock held. Takes a block, which is not NULL, out of the table; false when it was not in it. */
static bool take_out(u64 block, live_t *taken)
{
    u32 bit = filter_bit(block), slot = home_of(bit);
    for (; live[slot].block != block; slot = next_slot(slot))
        if (!live[slot].block)
            return false;
    *taken = live[slot];
    close_gap(slot);
    if (!has_bit(bit))
        set_filter(bit, false);
    header.live--;
    return true;
}

/* ---- What it costs: measured here, where it is paid, for memdash to tell ------------------------------------------- */

static u64 now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (u64)now.tv_sec * 1000000000u + (u64)now.tv_nsec;
}

/*
 * One in so many is timed: where the clock is a system call, two looks at it take longer than a sample. A prime, since
 * samples and frees may take turns.
 */
enum { TIMED_ONE_OF = 17 };
#define LONGEST_NS 100000u /* whatever takes longer has been interrupted, or has waited */

static u32 timings;

/* When it began, if it is to be timed, else 0. Two threads may count as one. */
static u64 begin_timing(void)
{
    u32 number = LOAD(timings);
    STORE(timings, number + 1);
    return number % TIMED_ONE_OF ? 0 : now_ns();
}

/* Lock held. */
static void end_timing(u64 began_ns)
{
    u64 took_ns = began_ns ? now_ns() - began_ns : 0;
    header.slow_ns += TIMED_ONE_OF * (took_ns < LONGEST_NS ? took_ns : LONGEST_NS);
}

/* ---- Locations and stacks: each is kept once, and only ever added to, until all are wiped ------------------------ */

static location_t *locations;
static stack_entry_t *stacks;
static u32 *frame_ids;      /* of all stacks, one after the other; innermost first */
static u32 *location_slots; /* hash tables of number + 1 and of number: 0 is an empty slot */
static u32 *stack_slots;

static u32 named; /* how many locations have been: memdash_sampler_named */

#define NO_LOCATION UINT32_MAX

static u32 hash_of_location(const location_t *location)
{
    u32 hash = (u32)((location->code >> 4) * 0x9E3779B97F4A7C15ull >> 32) ^ (u32)location->lasti * 2246822519u;
    return hash ^ hash >> 15;
}

/* Lock and GIL held. The number of a location, or NO_LOCATION when there is no room for it. */
static u32 number_of_location(const location_t *location)
{
    u32 slot = hash_of_location(location) % LOCATION_SLOTS;
    for (; location_slots[slot]; slot = (slot + 1) % LOCATION_SLOTS) {
        const location_t *known = &locations[location_slots[slot] - 1];
        if (known->code == location->code && known->lasti == location->lasti)
            return location_slots[slot] - 1;
    }
    u32 number = header.locations;
    if (number == MOST_LOCATIONS || number - named == MOST_UNNAMED)
        return NO_LOCATION;
    ((void (*)(u64))config[INC_REF])(location->code);
    locations[number] = *location;
    location_slots[slot] = number + 1;
    PUBLISH(header.locations, number + 1);
    return number;
}

static bool is_stack(const stack_entry_t *known, u32 hash, const u32 *ids, u32 count)
{
    return known->hash == hash && known->frames == count && !memcmp(frame_ids + known->first, ids, count * sizeof *ids);
}

/* Lock held. The number of the stack with these locations, or TABLE_FULL. */
static u32 number_of_ids(const u32 *ids, u32 count, u32 hash)
{
    u32 slot = hash % STACK_SLOTS;
    for (; stack_slots[slot]; slot = (slot + 1) % STACK_SLOTS)
        if (is_stack(&stacks[stack_slots[slot]], hash, ids, count))
            return stack_slots[slot];
    u32 number = header.stacks, first = header.frames;
    if (number == MOST_STACKS || first + count > MOST_FRAME_IDS) {
        header.dropped_stacks++;
        return TABLE_FULL;
    }
    memcpy(frame_ids + first, ids, count * sizeof *ids);
    stacks[number].hash = hash;
    stacks[number].frames = count;
    stacks[number].first = first;
    stack_slots[slot] = number;
    PUBLISH(header.frames, first + count);
    PUBLISH(header.stacks, number + 1);
    return number;
}

/* Lock and GIL held. The number of a stack, which is a new one the first time; TABLE_FULL when there is no room. */
static u32 number_of_stack(const location_t *frames, u32 count)
{
    u32 ids[MOST_FRAMES], hash = 2166136261u;
    for (u32 at = 0; at < count; at++) {
        u32 id = number_of_location(&frames[at]);
        if (id == NO_LOCATION) {
            header.dropped_locations++;
            return TABLE_FULL;
        }
        ids[at] = id;
        hash = (hash ^ id) * 16777619u;
        hash ^= hash >> 13;
    }
    return number_of_ids(ids, count, hash);
}

/* ---- Frames: read as they lie in memory; asking the interpreter for them would allocate, and run collections ----- */

#define FIELD(object, offset) (*(const u64 *)((object) + config[offset]))

/* The state of this thread if it holds the GIL, else 0. Up to 3.11 the interpreter tells that of whoever holds it. */
static u64 thread_state(void)
{
    u64 state = ((u64(*)(void))config[THREAD_STATE])();
    if (state && config[OWN_THREAD_STATE] && ((u64(*)(void))config[OWN_THREAD_STATE])() != state)
        return 0;
    return state;
}

static u64 innermost_frame(u64 state)
{
    u64 frame = FIELD(state, STATE_FRAME);
    return config[HAS_C_FRAME] && frame ? FIELD(frame, C_FRAME_CURRENT) : frame;
}

static i64 offset_in_code(u64 frame, u64 code)
{
    i64 offset;
    if (config[INSTRUCTION_UNIT] == AT_ADDRESS)
        offset = (i64)(FIELD(frame, FRAME_AT) - (code + config[CODE_BYTES]));
    else
        offset = *(const int32_t *)(frame + config[FRAME_AT]) * (config[INSTRUCTION_UNIT] == AT_UNIT ? 2ll : 1ll);
    return offset >= 0 && offset < 1 << 26 ? offset : -1;
}

/* False for shims: from 3.13 on they have no code object, on 3.12 the trampoline's. */
static bool read_frame(u64 frame, location_t *location)
{
    u64 code = FIELD(frame, FRAME_CODE) & ~7ull;
    if (!code || ((const u64 *)code)[1] != config[CODE_TYPE])
        return false;
    if (config[FRAME_OWNER] && *(const u8 *)(frame + config[FRAME_OWNER]) >= FIRST_OWNER_WITHOUT_CODE)
        return false;
    *location = (location_t) { code, offset_in_code(frame, code) };
    return true;
}

/* GIL held. The innermost frames of a thread, `most` at most, and how many. */
static int walk(u64 state, location_t *frames, int most)
{
    int count = 0, left = 4 * MOST_FRAMES; /* shims count too: no chain of frames keeps us */
    for (u64 frame = innermost_frame(state); frame && count < most && left; frame = FIELD(frame, FRAME_PREVIOUS), left--)
        count += read_frame(frame, &frames[count]);
    return count;
}

static bool is_main_interpreter(u64 state)
{
    return FIELD(state, STATE_INTERPRETER) == config[MAIN_INTERPRETER];
}

/* ---- Sampling ---------------------------------------------------------------------------------------------------- */

/* The stack of the calling thread: how many frames, or of which kind of stack without any it is. */
typedef struct {
    int count;
    u32 kind;
    location_t frames[MOST_FRAMES];
} trace_t;

/* Frames are only told when this thread holds the main interpreter's GIL: taking references needs that. */
static void trace(trace_t *traced)
{
    u64 state = thread_state();
    traced->count = 0;
    traced->kind = NO_PYTHON_FRAME;
    if (state && is_main_interpreter(state))
        traced->count = walk(state, traced->frames, (int)header.max_frames);
    else if (state)
        traced->kind = SUB_INTERPRETER;
}

static void count_allocated(const live_t *entry)
{
    stack_entry_t *stack = &stacks[entry->stack];
    stack->samples++;
    stack->objects += entry->objects;
    stack->bytes += entry->bytes;
}

static void count_freed(const live_t *entry)
{
    stack_entry_t *stack = &stacks[entry->stack];
    stack->freed_samples++;
    stack->freed_objects += entry->objects;
    stack->freed_bytes += entry->bytes;
}

static void count_not_freed(const live_t *entry)
{
    stack_entry_t *stack = &stacks[entry->stack];
    stack->freed_samples--;
    stack->freed_objects -= entry->objects;
    stack->freed_bytes -= entry->bytes;
}

/* Lock held. Exchanged, so that no byte taken off it meanwhile by a thread without the GIL is lost. */
static void arm(int pool)
{
    i64 next = next_distance();
    i64 left = __atomic_exchange_n(&countdown[pool].bytes, next, __ATOMIC_RELAXED);
    header.pools[pool].consumed += (u64)(header.pools[pool].armed - left);
    header.pools[pool].armed = next;
}

static u32 stack_of(const trace_t *traced)
{
    if (traced->count)
        return number_of_stack(traced->frames, (u32)traced->count);
    if (traced->kind == SUB_INTERPRETER)
        header.in_sub_interpreters++;
    else
        header.without_frame++;
    return traced->kind;
}

/* Lock held. Keep a block of `size` bytes as one that was allocated there. */
static void record(void *block, size_t size, const trace_t *traced)
{
    live_t stale;
    if (may_be_live(block) && take_out((u64)block, &stale)) { /* it was freed behind our back */
        count_freed(&stale);
        header.stale++;
    }
    double stands_for = weight(size);
    live_t entry = { (u64)block, (u64)((double)size * stands_for), stack_of(traced), (u32)(stands_for * OBJECT) };
    count_allocated(&entry);
    header.samples++;
    if (header.live < MOST_LIVE) {
        insert(&entry);
    } else {
        count_freed(&entry);
        header.dropped_live++;
    }
}

/* Whether this thread asks if it comes by a hook: see is_below. */
static void *asking_thread;
static bool has_come_by;

/* Only what is still overdrawn: by now another sampling may have begun, and set the countdown anew. */
COLD void pass_by(int pool)
{
    i64 left = LOAD(countdown[pool].bytes);
    if (LOAD(asking_thread) == this_thread())
        has_come_by = true;
    else if (left < 0 && LOAD(asking_thread) == NULL)
        __atomic_compare_exchange_n(&countdown[pool].bytes, &left, NEVER, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* The countdown is overdrawn. A request that failed is taken back: its size may be anything. */
COLD void sample(int pool, void *block, size_t size)
{
    if (!LOAD(header.enabled)) {
        pass_by(pool);
        return;
    }
    if (!block) {
        __atomic_add_fetch(&countdown[pool].bytes, (i64)size, __ATOMIC_RELAXED);
        return;
    }
    u64 began_ns = begin_timing();
    trace_t traced;
    trace(&traced);
    if (!lock())
        return;
    if (LOAD(header.enabled)) {
        arm(pool);
        record(block, size, &traced);
        end_timing(began_ns);
    }
    unlock();
}

/* An entry that was taken out, and of which sampling: by the time it is put back there may be another. */
typedef struct {
    live_t entry;
    u64 start_ns;
} forgotten_t;

/* The block is about to be freed, or to move. False when it was not sampled. */
COLD bool forget(void *block, forgotten_t *forgotten)
{
    if (!block || !LOAD(header.enabled))
        return false;
    u64 began_ns = begin_timing();
    if (!lock())
        return false;
    forgotten->start_ns = header.start_ns;
    bool was_live = take_out((u64)block, &forgotten->entry);
    if (was_live)
        count_freed(&forgotten->entry);
    end_timing(began_ns);
    unlock();
    return was_live;
}

/* The block has stayed where it was after all. */
COLD void remember(const forgotten_t *forgotten)
{
    if (!lock())
        return;
    if (LOAD(header.enabled) && header.start_ns == forgotten->start_ns && header.live < MOST_LIVE) {
        count_not_freed(&forgotten->entry);
        insert(&forgotten->entry);
    }
    unlock();
}

/* ---- Hooks --------------------------------------------------------------------------------------------------------- */

/*
 * A domain's original is set once, before its hooks are first installed, and never again: a thread may be in a hook at
 * any time. The hooks keep the original's ctx in the record: PyMem_SetAllocator writes that word by word, and a thread
 * without the GIL that reads it meanwhile still gets a function together with the ctx it wants, whichever it gets.
 */
static allocator_t original[DOMAINS] __attribute__((aligned(64)));

/*
 * pymalloc passes large requests of OBJ and MEM on to RAW, where they must not count again: written with the GIL held,
 * it is the thread that is inside such a request. Another thread never finds its own pointer here.
 */
static void *forwarding_thread;

INLINE bool is_forwarded(domain_t domain)
{
    return domain == RAW && LOAD(forwarding_thread) == this_thread();
}

INLINE void begin_forwarding(domain_t domain)
{
    if (pool_of(domain) == WITH_GIL)
        STORE(forwarding_thread, this_thread());
}

INLINE void end_forwarding(domain_t domain)
{
    if (pool_of(domain) == WITH_GIL)
        STORE(forwarding_thread, NULL);
}

/* What is loaded from here on is at least as new as the pointer by which the caller found the hook. */
INLINE void enter(domain_t domain)
{
    if (pool_of(domain) == WITHOUT_GIL)
        __atomic_thread_fence(__ATOMIC_ACQUIRE); /* no instruction on x86-64 */
}

/* Take the bytes off the countdown: whether it is overdrawn. CPython lets no request of more than PTRDIFF_MAX through. */
INLINE bool is_due(domain_t domain, size_t size)
{
    i64 *left = &countdown[pool_of(domain)].bytes;
    if (pool_of(domain) == WITHOUT_GIL)
        return __atomic_sub_fetch(left, (i64)size, __ATOMIC_RELAXED) < 0;
    i64 rest = (i64)((u64)LOAD(*left) - size);
    STORE(*left, rest);
    return rest < 0;
}

/* numpy's callers are not held to anything: what cannot be had counts as nothing. */
INLINE size_t total(size_t count, size_t size)
{
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX ? 0 : bytes;
}

/*
 * Each hook has a fast path, which is a few instructions and a jump to the original, and the rest out of line: so that
 * no register is saved on the way. `due` says whether the request overdraws the countdown.
 */
SLOW void *slow_malloc(domain_t domain, void *ctx, size_t size, bool due)
{
    begin_forwarding(domain);
    void *block = original[domain].malloc(ctx, size);
    end_forwarding(domain);
    if (due)
        sample(pool_of(domain), block, total(1, size));
    return block;
}

SLOW void *slow_calloc(domain_t domain, void *ctx, size_t count, size_t size, bool due)
{
    begin_forwarding(domain);
    void *block = original[domain].calloc(ctx, count, size);
    end_forwarding(domain);
    if (due)
        sample(pool_of(domain), block, total(count, size));
    return block;
}

/* Forgotten before the call, after which another thread may have the address; remembered if the call fails. */
SLOW void *slow_realloc(domain_t domain, void *ctx, void *old, size_t size, bool due)
{
    forgotten_t forgotten;
    bool was_live = forget(old, &forgotten);
    begin_forwarding(domain);
    void *block = original[domain].realloc(ctx, old, size);
    end_forwarding(domain);
    if (!block && was_live)
        remember(&forgotten);
    if (due)
        sample(pool_of(domain), block, total(1, size));
    return block;
}

SLOW void slow_free(domain_t domain, void *ctx, void *block)
{
    forget(block, &(forgotten_t) { 0 });
    original[domain].free(ctx, block);
}

INLINE bool is_passed_on(domain_t domain, size_t bytes)
{
    return pool_of(domain) == WITH_GIL && bytes > LARGEST_FOR_PYMALLOC;
}

INLINE void *hooked_malloc(domain_t domain, void *ctx, size_t size)
{
    enter(domain);
    if (is_forwarded(domain))
        return original[domain].malloc(ctx, size);
    bool due = is_due(domain, domain == NUMPY ? total(1, size) : size);
    if (LIKELY(!due && !is_passed_on(domain, size)))
        return original[domain].malloc(ctx, size);
    return slow_malloc(domain, ctx, size, due);
}

INLINE void *hooked_calloc(domain_t domain, void *ctx, size_t count, size_t size)
{
    enter(domain);
    if (is_forwarded(domain))
        return original[domain].calloc(ctx, count, size);
    size_t bytes = total(count, size);
    bool due = is_due(domain, bytes);
    if (LIKELY(!due && !is_passed_on(domain, bytes)))
        return original[domain].calloc(ctx, count, size);
    return slow_calloc(domain, ctx, count, size, due);
}

/* A block freed and one allocated. Whatever the size, pymalloc may pass it on: where the old block is a large one. */
INLINE void *hooked_realloc(domain_t domain, void *ctx, void *old, size_t size)
{
    enter(domain);
    if (is_forwarded(domain))
        return original[domain].realloc(ctx, old, size);
    bool due = is_due(domain, domain == NUMPY ? total(1, size) : size);
    if (!LIKELY(!due && !may_be_live(old)))
        return slow_realloc(domain, ctx, old, size, due);
    begin_forwarding(domain);
    void *block = original[domain].realloc(ctx, old, size);
    end_forwarding(domain);
    return block;
}

INLINE void hooked_free(domain_t domain, void *ctx, void *block)
{
    enter(domain);
    if (LIKELY(!may_be_live(block)))
        original[domain].free(ctx, block);
    else
        slow_free(domain, ctx, block);
}

#define ALLOCATING_HOOKS(name, domain)                                    \
    static void *name##_malloc(void *ctx, size_t size)                    \
    {                                                                     \
        return hooked_malloc(domain, ctx, size);                          \
    }                                                                     \
    static void *name##_calloc(void *ctx, size_t count, size_t size)      \
    {                                                                     \
        return hooked_calloc(domain, ctx, count, size);                   \
    }                                                                     \
    static void *name##_realloc(void *ctx, void *old, size_t size)        \
    {                                                                     \
        return hooked_realloc(domain, ctx, old, size);                    \
    }

#define HOOKS(name, domain)                                               \
    ALLOCATING_HOOKS(name, domain)                                        \
    static void name##_free(void *ctx, void *block)                       \
    {                                                                     \
        hooked_free(domain, ctx, block);                                  \
    }

HOOKS(raw, RAW)
HOOKS(mem, MEM)
HOOKS(obj, OBJ)
ALLOCATING_HOOKS(numpy, NUMPY)

static void numpy_free(void *ctx, void *block, size_t size)
{
    enter(NUMPY);
    if (may_be_live(block))
        forget(block, &(forgotten_t) { 0 });
    original[NUMPY].free_sized(ctx, block, size);
}

static const allocator_t hooks[DOMAINS] = {
    [RAW] = { NULL, raw_malloc, raw_calloc, raw_realloc, { raw_free } },
    [MEM] = { NULL, mem_malloc, mem_calloc, mem_realloc, { mem_free } },
    [OBJ] = { NULL, obj_malloc, obj_calloc, obj_realloc, { obj_free } },
    [NUMPY] = { NULL, numpy_malloc, numpy_calloc, numpy_realloc, { .free_sized = numpy_free } },
};

/* ---- Control: called by the glue with the GIL held, by one thread at a time ---------------------------------------- */

/* header.domains has the bits of those whose calls come by our hooks, as far as we know. */
static u32 wanted;                 /* the bits that the last start was given */
static bool is_wiping;             /* which may run Python code, that may come back here */
static allocator_t *numpy_record;

static void get_allocator(domain_t domain, allocator_t *allocator)
{
    if (domain == NUMPY)
        *allocator = *numpy_record;
    else
        ((void (*)(int, allocator_t *))config[GET_ALLOCATOR])((int)domain, allocator);
}

/* numpy's is written one function at a time, each of which works beside the old ones. */
static void set_allocator(domain_t domain, allocator_t *allocator)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (domain == NUMPY) {
        PUBLISH(numpy_record->malloc, allocator->malloc);
        PUBLISH(numpy_record->calloc, allocator->calloc);
        PUBLISH(numpy_record->realloc, allocator->realloc);
        PUBLISH(numpy_record->free_sized, allocator->free_sized);
    } else {
        ((void (*)(int, allocator_t *))config[SET_ALLOCATOR])((int)domain, allocator);
    }
}

static bool is_same(const allocator_t *one, const allocator_t *other)
{
    return !memcmp(one, other, sizeof *one);
}

static allocator_t hooks_of(domain_t domain)
{
    allocator_t ours = hooks[domain];
    ours.ctx = original[domain].ctx;
    return ours;
}

/* Our hooks are what the domain calls first. */
static bool is_on_top(domain_t domain)
{
    allocator_t current, ours = hooks_of(domain);
    get_allocator(domain, &current);
    return original[domain].malloc && is_same(&current, &ours);
}

/*
 * Somebody has hooked the domain after us: do its calls still come by our hooks? tracemalloc puts back what it found
 * when it was started, whoever has come since. Nothing is sampled now; a request with an overdrawn countdown tells.
 */
static bool is_below(domain_t domain)
{
    allocator_t current;
    get_allocator(domain, &current);
    has_come_by = false;
    STORE(asking_thread, this_thread());
    STORE(countdown[pool_of(domain)].bytes, -1);
    void *block = current.malloc(current.ctx, 1);
    STORE(countdown[pool_of(domain)].bytes, NEVER);
    STORE(asking_thread, NULL);
    if (block && domain == NUMPY)
        current.free_sized(current.ctx, block, 1);
    else if (block)
        current.free(current.ctx, block);
    return has_come_by;
}

/* Whether the domain has what we know as its original, or has not been hooked yet: any other would be bypassed. */
static bool is_as_known(domain_t domain)
{
    allocator_t current;
    get_allocator(domain, &current);
    return !original[domain].malloc || is_same(&current, &original[domain]);
}

/* While nothing is sampled: find out whether the hooks are still where they were put, or have been put back. */
static void look(domain_t domain)
{
    if (is_on_top(domain))
        header.domains |= BIT(domain);
    else if (header.domains & BIT(domain) && !is_below(domain))
        header.domains &= ~BIT(domain);
}

static bool can_install(domain_t domain)
{
    look(domain);
    return header.domains & BIT(domain) || is_as_known(domain);
}

static void meet(domain_t domain)
{
    if (!original[domain].malloc)
        get_allocator(domain, &original[domain]);
}

static void install(domain_t domain)
{
    if (header.domains & BIT(domain))
        return;
    meet(domain);
    allocator_t ours = hooks_of(domain);
    set_allocator(domain, &ours);
    header.domains |= BIT(domain);
}

/* Hooks that are buried under another's stay, and pass everything through. */
static void uninstall(domain_t domain)
{
    look(domain);
    if (!is_on_top(domain))
        return;
    set_allocator(domain, &original[domain]);
    header.domains &= ~BIT(domain);
}

static bool is_wanted(domain_t domain)
{
    return wanted & BIT(domain) && (domain != NUMPY || numpy_record);
}

/* It reads as zeros from now on, and costs no memory; pages that are locked into memory (mlockall) have to stay. */
static void drop(void *table, size_t bytes)
{
    if (madvise(table, bytes, MADV_DONTNEED))
        memset(table, 0, bytes);
}

#define DROP(table, entries) drop(table, sizeof *(table) * (size_t)(entries))

/* Lock held. */
static void clear_tables(void)
{
    PUBLISH(header.stacks, FIRST_STACK);
    header.frames = header.locations = header.live = named = 0;
    header.samples = header.without_frame = header.in_sub_interpreters = header.stale = 0;
    header.dropped_live = header.dropped_stacks = header.dropped_locations = 0;
    header.slow_ns = 0;
    memset(header.pools, 0, sizeof header.pools);
    for (u32 word = 0; word < sizeof filter / sizeof *filter; word++)
        STORE(filter[word], 0);
    DROP(live, LIVE_SLOTS);
    DROP(stacks, STACK_SLOTS);
    DROP(stack_slots, STACK_SLOTS);
    DROP(location_slots, LOCATION_SLOTS);
    DROP(frame_ids, MOST_FRAME_IDS);
}

/* Forget all samples, while nothing is sampled. Code objects that go may run Python code: so without the lock. */
static bool wipe(void)
{
    if (!lock())
        return false;
    u32 referenced = header.locations;
    clear_tables();
    unlock();
    is_wiping = true;
    for (u32 at = 0; at < referenced; at++)
        if (!(locations[at].code & RELEASED))
            ((void (*)(u64))config[DEC_REF])(locations[at].code);
    is_wiping = false;
    DROP(locations, LOCATION_SLOTS);
    return true;
}

/* So that no other thread is in the middle of changing the tables when the child gets its copy of them. */
static void before_fork(void)
{
    if (lock())
        STORE(forking_thread, this_thread());
}

static void after_fork(void)
{
    if (LOAD(forking_thread) != this_thread())
        return;
    STORE(forking_thread, NULL);
    unlock();
}

/* Without the lock the tables may be in any state: the pid stays wrong, and is_stranded finds out. */
static void after_fork_in_child(void)
{
    forwarding_thread = asking_thread = NULL;
    if (forking_thread == this_thread())
        STORE(header.pid, (u64)getpid());
    after_fork();
}

/* On glibc pthread_atfork is in a static library that a cross linker need not have, and this is all that it does. */
#ifdef __GLIBC__
extern int __register_atfork(void (*)(void), void (*)(void), void (*)(void), void *);
extern void *__dso_handle __attribute__((visibility("hidden")));

static bool handle_forks(void)
{
    return !__register_atfork(before_fork, after_fork, after_fork_in_child, __dso_handle);
}
#else
static bool handle_forks(void)
{
    return !pthread_atfork(before_fork, after_fork, after_fork_in_child);
}
#endif

#define PAGE 4096u

/* One private mapping holds all tables; a page of it takes memory when it is first written to. */
static bool map_tables(void)
{
    struct {
        void **table;
        size_t bytes;
    } parts[] = {
        { (void **)&live, sizeof *live * LIVE_SLOTS },
        { (void **)&stacks, sizeof *stacks * STACK_SLOTS },
        { (void **)&stack_slots, sizeof *stack_slots * STACK_SLOTS },
        { (void **)&locations, sizeof *locations * LOCATION_SLOTS },
        { (void **)&location_slots, sizeof *location_slots * LOCATION_SLOTS },
        { (void **)&frame_ids, sizeof *frame_ids * MOST_FRAME_IDS },
    };
    enum { PARTS = sizeof parts / sizeof *parts };
    size_t bytes = 0;
    for (int at = 0; at < PARTS; at++)
        bytes += parts[at].bytes;
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    madvise(memory, bytes, MADV_NOHUGEPAGE);
    for (int at = 0; at < PARTS; at++) {
        *parts[at].table = memory;
        memory += parts[at].bytes;
    }
    return true;
}

static u64 clamped(u64 value, u64 least, u64 most)
{
    return value < least ? least : value > most ? most : value;
}

/* Once a process, before all else: CONFIG_VALUES values as above. */
EXPORT int memdash_sampler_init(const u64 *values, int count)
{
    if (count != CONFIG_VALUES)
        return NOT_INITIALISED;
    if (is_initialised)
        return memcmp(config, values, sizeof config) ? OTHER_CONFIG : OK;
    if (!live && !map_tables())
        return NO_MEMORY;
    header.pid = (u64)getpid();
    if (!handle_forks())
        return NO_FORK_HANDLERS;
    memcpy(config, values, sizeof config);
    header.self = (u64)&header;
    header.stacks_at = (u64)stacks;
    header.frames_at = (u64)frame_ids;
    header.locations_at = (u64)locations;
    header.countdown_at = (u64)&countdown[WITH_GIL].bytes;
    header.raw_countdown_at = (u64)&countdown[WITHOUT_GIL].bytes;
    is_initialised = true;
    return OK;
}

/* Where memdash finds everything. */
EXPORT const void *memdash_sampler_header(void)
{
    return &header;
}

/* The calling thread's own frames, as (code, lasti) pairs: how many, at most `most`. For the glue to check. */
EXPORT int memdash_sampler_selftest(u64 *pairs, int most)
{
    if (!is_initialised)
        return NOT_INITIALISED;
    u64 state = thread_state();
    if (!state)
        return NO_THREAD_STATE;
    if (!is_main_interpreter(state))
        return NOT_MAIN_INTERPRETER;
    location_t frames[MOST_FRAMES];
    int count = walk(state, frames, most < MOST_FRAMES ? most : MOST_FRAMES);
    memcpy(pairs, frames, (size_t)count * sizeof *frames);
    return count;
}

static bool begin(u64 rate, int max_frames)
{
    if (!lock())
        return false;
    header.rate = clamped(rate, 1, LARGEST_RATE);
    header.max_frames = (u32)clamped(max_frames < 1 ? 1 : (u64)max_frames, 1, MOST_FRAMES);
    header.start_ns = now_ns();
    random_state ^= header.start_ns * 0x9E3779B97F4A7C15ull;
    if (!random_state)
        random_state = 1;
    for (int pool = 0; pool < POOLS; pool++) {
        header.pools[pool].armed = next_distance();
        STORE(countdown[pool].bytes, header.pools[pool].armed);
    }
    PUBLISH(header.enabled, 1);
    unlock();
    return true;
}

enum { ROUNDS = 20, CALLS = 200, TRIED_BYTES = 32 };

/* What so many requests take, and as many frees. */
static u64 time_calls(const allocator_t *tried)
{
    void *(*volatile get)(void *, size_t) = tried->malloc; /* volatile: it is called, as CPython does, and not put in here */
    void (*volatile give)(void *, void *) = tried->free;
    u64 began_ns = now_ns();
    for (int at = 0; at < CALLS; at++)
        give(tried->ctx, get(tried->ctx, TRIED_BYTES));
    return now_ns() - began_ns;
}

/*
 * While nothing is sampled, which hooks that are not installed do not do either: what our hooks add to a call, by the
 * fastest of some rounds of either kind, on this machine and with this allocator. 0.1 ms. The program's own calls, which
 * find other things in the caches, may take longer.
 */
static u64 measure(domain_t domain)
{
    meet(domain);
    allocator_t ours = hooks_of(domain);
    u64 without = UINT64_MAX, by_us = UINT64_MAX;
    for (int round = 0; round < ROUNDS; round++) {
        u64 one = time_calls(&original[domain]), other = time_calls(&ours);
        without = one < without ? one : without;
        by_us = other < by_us ? other : by_us;
    }
    return by_us > without ? (by_us - without) * 1000 / (2 * CALLS) : 0;
}

/* Sample these domains from now on, one sample each `rate` bytes; what was sampled before is gone. */
EXPORT int memdash_sampler_start(u64 rate, int max_frames, int domains)
{
    if (!is_initialised)
        return NOT_INITIALISED;
    if (is_wiping)
        return BUSY;
    if (header.enabled)
        return ALREADY_ON;
    if (!wipe())
        return BUSY;
    wanted = (u32)domains;
    for (domain_t domain = RAW; domain < DOMAINS; domain++)
        if (is_wanted(domain) && !can_install(domain))
            return CHANGED_BELOW;
    header.call_ps = measure(is_wanted(OBJ) ? OBJ : is_wanted(MEM) ? MEM : RAW);
    if (!begin(rate, max_frames))
        return BUSY;
    for (domain_t domain = RAW; domain < DOMAINS; domain++)
        if (is_wanted(domain))
            install(domain);
    return OK;
}

/* The bits of domains whose hooks had to stay, since another's are over them: they pass everything through. */
EXPORT int memdash_sampler_stop(void)
{
    if (!is_initialised)
        return NOT_INITIALISED;
    if (is_wiping)
        return BUSY;
    STORE(header.enabled, 0);
    for (int domain = DOMAINS - 1; domain >= RAW; domain--)
        if (header.domains & BIT(domain))
            uninstall((domain_t)domain);
    for (int pool = 0; pool < POOLS; pool++)
        STORE(countdown[pool].bytes, NEVER);
    return wipe() ? (int)header.domains : BUSY;
}

/* The names of the first so many locations are known to memdash: that makes room for others. */
EXPORT int memdash_sampler_named(u32 count)
{
    if (!is_initialised)
        return NOT_INITIALISED;
    if (is_wiping || !lock())
        return BUSY;
    if (count > named && count <= header.locations)
        named = count;
    unlock();
    return OK;
}

/*
 * Give up the reference to the code object of a location, which has been named: for programs that make code and drop it,
 * and would keep all of it. Should the object live on, or another come to lie there, that is a location of its own.
 */
EXPORT int memdash_sampler_release(u32 number)
{
    if (!is_initialised)
        return NOT_INITIALISED;
    if (is_wiping || !lock())
        return BUSY;
    u64 code = number < header.locations ? locations[number].code : RELEASED;
    if (!(code & RELEASED))
        STORE(locations[number].code, code | RELEASED);
    unlock();
    if (!(code & RELEASED))
        ((void (*)(u64))config[DEC_REF])(code); /* which may run Python code: so without the lock */
    return OK;
}

/*
 * The allocator in numpy's data handler, which start hooks as one more domain, and this hooks at once while that is
 * wanted. It has to stay where it is, as numpy's own does.
 */
EXPORT int memdash_sampler_numpy(u64 record)
{
    if (!is_initialised)
        return NOT_INITIALISED;
    if (is_wiping)
        return BUSY;
    if (numpy_record && (u64)numpy_record != record)
        return CHANGED_BELOW;
    numpy_record = (allocator_t *)record;
    if (!header.enabled || !is_wanted(NUMPY) || is_on_top(NUMPY))
        return OK;
    if (!is_as_known(NUMPY))
        return CHANGED_BELOW;
    install(NUMPY);
    return OK;
}
