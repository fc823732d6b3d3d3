/* An interpreter and its allocators, as far as the sampler looks at them: thread states, frames, code objects, records. */

#define CHECK(condition)                                                               \
    do {                                                                               \
        if (!(condition)) {                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
            abort();                                                                   \
        }                                                                              \
    } while (0)

/* ---- Code objects: one says how many references the sampler holds. ---- */

typedef struct {
    u64 held, type;
    u8 instructions[512];
} fake_code_t;

enum { CODES = 40 };
static u64 code_type;
static fake_code_t codes[CODES];

static void fake_inc_ref(u64 code)
{
    ((fake_code_t *)code)->held++;
}

static void (*when_code_goes)(void); /* what a weak reference's callback might do */

static void fake_dec_ref(u64 code)
{
    CHECK(((fake_code_t *)code)->held-- > 0);
    if (when_code_goes)
        when_code_goes();
}

static u64 references(void)
{
    u64 sum = 0;
    for (int at = 0; at < CODES; at++)
        sum += codes[at].held;
    return sum;
}

/* ---- Thread states and frames. ---- */

typedef struct fake_frame {
    struct fake_frame *previous;
    u64 code;
    union {
        int32_t lasti;
        u64 address;
    } at;
    u8 owner;
} fake_frame_t;

typedef struct {
    u64 unused;
    fake_frame_t *current;
} fake_c_frame_t;

typedef struct {
    u64 interpreter;
    void *frame;
} fake_state_t;

static u64 main_interpreter, other_interpreter;
static __thread fake_state_t *own_state;   /* set where a thread holds the GIL */
static __thread u64 gil_state;             /* what PyGILState_GetThisThreadState says */

static u64 fake_thread_state(void)
{
    return (u64)own_state;
}

static u64 fake_gil_state(void)
{
    return gil_state;
}

enum { DEEPEST = 12 };

/* A thread inside `count` calls, and the place it is at in each: frames[0] is the innermost. */
typedef struct {
    fake_state_t state;
    fake_frame_t frames[DEEPEST];
} fake_thread_t;

static void stand_at(fake_thread_t *thread, const location_t *places, int count)
{
    CHECK(count <= DEEPEST);
    for (int at = 0; at < count; at++) {
        fake_frame_t *previous = at + 1 < count ? &thread->frames[at + 1] : NULL;
        thread->frames[at] = (fake_frame_t) { previous, places[at].code, { .lasti = (int32_t)places[at].lasti }, 0 };
    }
    thread->state = (fake_state_t) { (u64)&main_interpreter, count ? &thread->frames[0] : NULL };
    own_state = &thread->state;
}

/* ---- Allocators: original ones that count, and fail when they are told to; a record for each domain. ---- */

static allocator_t records[DOMAINS];
static __thread bool is_failing;
static u64 blocks_out;
static int contexts[DOMAINS]; /* every function must get its own domain's */

static void *original_malloc(void *ctx, size_t size)
{
    int domain = (int)((int *)ctx - contexts);
    CHECK(domain >= 0 && domain < DOMAINS);
    if (is_failing || size > PTRDIFF_MAX)
        return NULL;
    if ((domain == OBJ || domain == MEM) && size > LARGEST_FOR_PYMALLOC)
        return records[RAW].malloc(records[RAW].ctx, size);
    __atomic_add_fetch(&blocks_out, 1, __ATOMIC_RELAXED);
    return malloc(size ? size : 1);
}

static void *original_calloc(void *ctx, size_t count, size_t size)
{
    void *block = original_malloc(ctx, count * size);
    return block ? memset(block, 0, count * size) : NULL;
}

static void original_free(void *ctx, void *block)
{
    CHECK(ctx >= (void *)contexts && ctx < (void *)(contexts + DOMAINS));
    if (block)
        __atomic_sub_fetch(&blocks_out, 1, __ATOMIC_RELAXED);
    free(block);
}

static void *original_realloc(void *ctx, void *old, size_t size)
{
    CHECK(ctx >= (void *)contexts && ctx < (void *)(contexts + DOMAINS));
    if (is_failing)
        return NULL;
    if (!old)
        return original_malloc(ctx, size);
    if (ctx != &contexts[RAW] && ctx != &contexts[NUMPY] && size > LARGEST_FOR_PYMALLOC)
        return records[RAW].realloc(records[RAW].ctx, old, size);
    return realloc(old, size ? size : 1);
}

static void original_free_sized(void *ctx, void *block, size_t size)
{
    CHECK(size < PTRDIFF_MAX);
    original_free(ctx, block);
}

static allocator_t original_of(int domain)
{
    allocator_t allocator = { &contexts[domain], original_malloc, original_calloc, original_realloc, { original_free } };
    if (domain == NUMPY)
        allocator.free_sized = original_free_sized;
    return allocator;
}

static void fake_get_allocator(int domain, allocator_t *allocator)
{
    *allocator = records[domain];
}

/* Word by word, as CPython does it, for threads that look at the record meanwhile. */
static void fake_set_allocator(int domain, allocator_t *allocator)
{
    PUBLISH(records[domain].ctx, allocator->ctx);
    PUBLISH(records[domain].malloc, allocator->malloc);
    PUBLISH(records[domain].calloc, allocator->calloc);
    PUBLISH(records[domain].realloc, allocator->realloc);
    PUBLISH(records[domain].free, allocator->free);
}

static u64 fake_config[CONFIG_VALUES] = {
    [GET_ALLOCATOR] = (u64)fake_get_allocator,
    [SET_ALLOCATOR] = (u64)fake_set_allocator,
    [THREAD_STATE] = (u64)fake_thread_state,
    [INC_REF] = (u64)fake_inc_ref,
    [DEC_REF] = (u64)fake_dec_ref,
    [CODE_TYPE] = (u64)&code_type,
    [MAIN_INTERPRETER] = (u64)&main_interpreter,
    [STATE_INTERPRETER] = offsetof(fake_state_t, interpreter),
    [STATE_FRAME] = offsetof(fake_state_t, frame),
    [FRAME_PREVIOUS] = offsetof(fake_frame_t, previous),
    [FRAME_CODE] = offsetof(fake_frame_t, code),
    [FRAME_AT] = offsetof(fake_frame_t, at),
    [INSTRUCTION_UNIT] = AT_BYTE,
};

static void set_up(void)
{
    for (int at = 0; at < CODES; at++)
        codes[at].type = (u64)&code_type;
    for (int domain = 0; domain < DOMAINS; domain++)
        records[domain] = original_of(domain);
    CHECK(memdash_sampler_init(fake_config, CONFIG_VALUES - 1) == NOT_INITIALISED);
    CHECK(memdash_sampler_start(1, 1, 1) == NOT_INITIALISED && memdash_sampler_stop() == NOT_INITIALISED);
    CHECK(memdash_sampler_init(fake_config, CONFIG_VALUES) == OK);
    CHECK(memdash_sampler_init(fake_config, CONFIG_VALUES) == OK);
    u64 other[CONFIG_VALUES] = { 1 };
    CHECK(memdash_sampler_init(other, CONFIG_VALUES) == OTHER_CONFIG);
}

/* ---- Chance: the same for the same seed. ---- */

static __thread u64 chance = 1;

static u32 up_to(u32 most)
{
    chance = chance * 6364136223846793005u + 1442695040888963407u;
    return (u32)(chance >> 33) % most;
}
