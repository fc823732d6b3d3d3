/* The hooks, with every byte sampled, against a model that remembers every block. */

/* At this rate each block of 64 bytes or more is sampled, and stands for exactly itself. */
enum { EVERY_BYTE = 1, SMALLEST = 64, BLOCKS = 400, PLACES = 30 };

static struct {
    u8 *bytes;
    size_t size;
    int domain, place;
} held[BLOCKS];
static u64 asked_for[POOLS];
static struct {
    u64 blocks, bytes, freed_blocks, freed_bytes;
} truth[PLACES];

static fake_thread_t here;

/* A place is a stack of its own; the last one is a thread without frames. */
static void stand_at_place(int place)
{
    location_t places[3] = {
        { (u64)&codes[place], place }, { (u64)&codes[place / 3], place / 2 }, { (u64)&codes[0], 0 }
    };
    stand_at(&here, places, place == PLACES - 1 ? 0 : 1 + place % 3);
    if (place == PLACES - 1)
        own_state = NULL;
}

static void count_asked(int domain, size_t size)
{
    asked_for[pool_of((domain_t)domain)] += size;
}

static void *request(int domain, int how, void *old, size_t size)
{
    allocator_t *record = &records[domain];
    switch (how) {
    case 0:
        return record->malloc(record->ctx, size);
    case 1:
        return record->calloc(record->ctx, size / 4, 4);
    default:
        return record->realloc(record->ctx, old, size);
    }
}

static void release(int domain, void *block, size_t size)
{
    if (domain == NUMPY)
        records[domain].free_sized(records[domain].ctx, block, size);
    else
        records[domain].free(records[domain].ctx, block);
}

static void note_freed(u32 at)
{
    truth[held[at].place].freed_blocks++;
    truth[held[at].place].freed_bytes += held[at].size;
}

static void let_go(u32 at)
{
    for (size_t byte = 0; byte < held[at].size; byte++)
        CHECK(held[at].bytes[byte] == (u8)at);
    note_freed(at);
    release(held[at].domain, held[at].bytes, held[at].size);
    held[at].bytes = NULL;
}

/* A block of its own, filled so that another's hand on it would show. */
static void take(u32 at, void *block, size_t size, int domain, int place)
{
    held[at].bytes = memset(block, (int)at, size);
    held[at].size = size;
    held[at].domain = domain;
    held[at].place = place;
    truth[place].blocks++;
    truth[place].bytes += size;
}

static void turn(u32 at)
{
    int place = (int)up_to(PLACES), domain = (int)up_to(DOMAINS), how = (int)up_to(3);
    size_t size = SMALLEST + 4 * up_to(up_to(4) ? 20 : 1000);
    stand_at_place(place);
    is_failing = up_to(10) == 0;
    if (!held[at].bytes) {
        void *block = request(domain, how, NULL, size);
        CHECK(!block == is_failing);
        if (block) {
            count_asked(domain, size);
            take(at, block, size, domain, place);
        }
    } else if (how == 2) {
        domain = held[at].domain;
        void *block = request(domain, how, held[at].bytes, size);
        CHECK(!block == is_failing);
        if (block) {
            count_asked(domain, size);
            note_freed(at);
            take(at, block, size, domain, place);
        }
    } else {
        let_go(at);
    }
    is_failing = false;
}

static u64 consumed(int pool)
{
    return header.pools[pool].consumed + (u64)(header.pools[pool].armed - countdown[pool].bytes);
}

static void compare(void)
{
    u64 samples = 0, blocks = 0;
    for (int place = 0; place < PLACES; place++) {
        location_t frames[MOST_FRAMES];
        stand_at_place(place);
        int count = own_state ? walk((u64)own_state, frames, MOST_FRAMES) : 0;
        const stack_entry_t *stack = &stacks[count ? number_of_stack(frames, (u32)count) : NO_PYTHON_FRAME];
        CHECK(stack->samples == truth[place].blocks && stack->freed_samples == truth[place].freed_blocks);
        CHECK(stack->bytes == truth[place].bytes && stack->freed_bytes == truth[place].freed_bytes);
        CHECK(stack->objects == OBJECT * stack->samples && stack->freed_objects == OBJECT * stack->freed_samples);
        samples += stack->samples;
        blocks += stack->samples - stack->freed_samples;
    }
    CHECK(header.samples == samples && header.live == blocks && header.stale == 0);
    CHECK(consumed(WITH_GIL) == asked_for[WITH_GIL] && consumed(WITHOUT_GIL) == asked_for[WITHOUT_GIL]);
}

static bool is_original(int domain)
{
    allocator_t original = original_of(domain);
    return is_same(&records[domain], &original);
}

static void start_all(u64 rate)
{
    CHECK(memdash_sampler_start(rate, 16, BIT(DOMAINS) - 1) == OK);
    CHECK(memdash_sampler_start(rate, 16, BIT(DOMAINS) - 1) == ALREADY_ON);
    CHECK(header.domains == BIT(DOMAINS) - 1);
}

static void test_hooks(void)
{
    CHECK(memdash_sampler_numpy((u64)&records[NUMPY]) == OK);
    CHECK(memdash_sampler_numpy((u64)&records[RAW]) == CHANGED_BELOW);
    for (int round = 0; round < 4; round++) {
        start_all(EVERY_BYTE);
        memset(truth, 0, sizeof truth);
        memset(asked_for, 0, sizeof asked_for);
        for (int at = 0; at < 40000; at++) {
            turn(up_to(BLOCKS));
            if (at % 10000 == 9999)
                compare();
        }
        for (u32 at = 0; at < BLOCKS; at++)
            if (held[at].bytes && round % 2)
                let_go(at);
        CHECK(memdash_sampler_stop() == 0 && references() == 0 && header.live == 0);
        for (int domain = 0; domain < DOMAINS; domain++)
            CHECK(is_original(domain));
        for (u32 at = 0; at < BLOCKS; at++) /* what was sampled is the original's to free */
            if (held[at].bytes)
                let_go(at);
        CHECK(blocks_out == 0 && memdash_sampler_stop() == 0);
    }
}

static void test_absurd_sizes(void)
{
    start_all(EVERY_BYTE);
    stand_at_place(1);
    CHECK(!records[NUMPY].malloc(records[NUMPY].ctx, SIZE_MAX));
    CHECK(!records[NUMPY].realloc(records[NUMPY].ctx, NULL, SIZE_MAX));
    is_failing = true;
    CHECK(!records[NUMPY].calloc(records[NUMPY].ctx, SIZE_MAX / 2, 16));
    CHECK(!records[OBJ].malloc(records[OBJ].ctx, PTRDIFF_MAX));
    is_failing = false;
    CHECK(consumed(WITH_GIL) == 0 && consumed(WITHOUT_GIL) == 0 && header.samples == 0);
    insert(&(live_t) { 1ull << (FILTER_BITS + GRAIN_BITS), 1, 0, 0 }); /* has the filter bit of NULL */
    CHECK(may_be_live(NULL));
    for (int domain = 0; domain < DOMAINS; domain++)
        release(domain, NULL, 0);
    CHECK(header.live == 1);
    void *block = records[OBJ].malloc(records[OBJ].ctx, 0);
    CHECK(block);
    release(OBJ, block, 0);
    CHECK(memdash_sampler_stop() == 0);
}

/* A block whose free has not come by our hooks: known for stale when its address comes again. */
static void test_stale_entry(void)
{
    start_all(EVERY_BYTE);
    stand_at_place(1);
    trace_t traced;
    trace(&traced);
    record((void *)0x1000, 100, &traced);
    record((void *)0x1000, 200, &traced);
    CHECK(header.stale == 1 && header.live == 1 && header.samples == 2);
    const stack_entry_t *stack = &stacks[FIRST_STACK];
    CHECK(stack->bytes == 300 && stack->freed_bytes == 100);

    forgotten_t forgotten; /* by a thread whose realloc fails only when another sampling has begun */
    CHECK(forget((void *)0x1000, &forgotten) && memdash_sampler_stop() == 0);
    start_all(EVERY_BYTE);
    remember(&forgotten);
    CHECK(header.live == 0 && stack->freed_bytes == 0 && memdash_sampler_stop() == 0);
}

/* Calls are timed before anything is counted; of what is sampled one in so many is. */
static void test_cost(void)
{
    header.call_ps = UINT64_MAX;
    start_all(EVERY_BYTE);
    CHECK(header.call_ps < 1000000000 && header.slow_ns == 0 && header.samples == 0 && blocks_out == 0);
    CHECK(consumed(WITH_GIL) == 0 && consumed(WITHOUT_GIL) == 0);
    stand_at_place(6);
    u64 before = now_ns();
    for (int at = 0; at < 5 * TIMED_ONE_OF; at++)
        release(OBJ, request(OBJ, 0, NULL, 100), 100);
    u64 most_ns = now_ns() - before;
    CHECK(header.slow_ns >= TIMED_ONE_OF && header.slow_ns <= TIMED_ONE_OF * most_ns);
    u64 so_far = header.slow_ns;
    CHECK(lock());
    end_timing(0);
    CHECK(header.slow_ns == so_far);
    end_timing(1); /* began long ago: it was interrupted */
    CHECK(header.slow_ns == so_far + TIMED_ONE_OF * LONGEST_NS);
    unlock();
    CHECK(memdash_sampler_stop() == 0 && header.slow_ns == 0);
}

/* A program may have locked all of its memory, and then no page of the tables can be given back. Under sanitizers mlock does nothing. */
static void test_locked_memory(void)
{
    if (syscall(SYS_mlock, stack_slots, sizeof *stack_slots * STACK_SLOTS) || syscall(SYS_mlock, stacks, PAGE))
        return; /* by a limit of this machine */
    for (int round = 0; round < 2; round++) {
        start_all(EVERY_BYTE);
        CHECK(header.stacks == FIRST_STACK && stacks[FIRST_STACK].bytes == 0);
        stand_at_place(4);
        release(OBJ, request(OBJ, 0, NULL, 100), 100);
        CHECK(header.stacks == FIRST_STACK + 1 && stacks[FIRST_STACK].bytes == 100);
        CHECK(memdash_sampler_stop() == 0);
    }
    syscall(SYS_munlock, stack_slots, sizeof *stack_slots * STACK_SLOTS);
    syscall(SYS_munlock, stacks, PAGE);
}

/* A thread that found the countdown overdrawn as one sampling ended, and goes on once the next has begun. */
static void test_latecomer(void)
{
    start_all(EVERY_BYTE << 20);
    i64 armed = countdown[WITHOUT_GIL].bytes;
    pass_by(WITHOUT_GIL);
    CHECK(countdown[WITHOUT_GIL].bytes == armed && memdash_sampler_stop() == 0);
    STORE(countdown[WITHOUT_GIL].bytes, -5);
    pass_by(WITHOUT_GIL);
    CHECK(countdown[WITHOUT_GIL].bytes == NEVER);
}

static void test_other_interpreter(void)
{
    start_all(EVERY_BYTE);
    stand_at_place(2);
    here.state.interpreter = (u64)&other_interpreter;
    void *block = request(OBJ, 0, NULL, 100);
    CHECK(header.in_sub_interpreters == 1 && stacks[SUB_INTERPRETER].bytes == 100 && references() == 0);
    release(OBJ, block, 100);
    CHECK(memdash_sampler_stop() == 0);
}

/* ---- Others in the chain. ---- */

static allocator_t below_upper; /* what another hooker found, and passes on to with its own ctx in place */

static void *upper_malloc(void *ctx, size_t size)
{
    CHECK(ctx == &below_upper);
    return below_upper.malloc(below_upper.ctx, size);
}

static void upper_free(void *ctx, void *block)
{
    CHECK(ctx == &below_upper);
    below_upper.free(below_upper.ctx, block);
}

static void hook_over(int domain)
{
    below_upper = records[domain];
    records[domain] = (allocator_t) { &below_upper, upper_malloc, NULL, NULL, { upper_free } };
}

static void test_buried(void)
{
    start_all(EVERY_BYTE);
    hook_over(OBJ);
    CHECK(memdash_sampler_stop() == (int)BIT(OBJ) && is_original(RAW) && is_original(NUMPY));
    stand_at_place(1);
    void *block = request(OBJ, 0, NULL, 100); /* passes through */
    CHECK(header.samples == 0 && countdown[WITH_GIL].bytes > NEVER / 2);
    release(OBJ, block, 100);
    start_all(EVERY_BYTE); /* the buried hooks are switched on where they are */
    block = request(OBJ, 0, NULL, 100);
    CHECK(header.samples == 1 && consumed(WITH_GIL) == 100);
    release(OBJ, block, 100);
    CHECK(header.live == 0 && memdash_sampler_stop() == (int)BIT(OBJ));
    records[OBJ] = below_upper; /* the other goes */
    CHECK(memdash_sampler_stop() == 0 && is_original(OBJ));
}

/* Another that was there before us puts back what it had found: our hooks are gone. */
static void test_taken_out_by_another(void)
{
    start_all(EVERY_BYTE);
    allocator_t ours = records[MEM];
    records[MEM] = original_of(MEM);
    CHECK(memdash_sampler_stop() == 0);
    start_all(EVERY_BYTE);
    CHECK(is_same(&records[MEM], &ours) && memdash_sampler_stop() == 0);

    hook_over(RAW); /* over the original: we would bypass it, or it us */
    allocator_t other = records[RAW];
    CHECK(memdash_sampler_start(EVERY_BYTE, 16, BIT(RAW) | BIT(OBJ)) == CHANGED_BELOW);
    CHECK(!header.enabled && is_same(&records[RAW], &other) && is_original(OBJ));
    records[RAW] = original_of(RAW);
}

static void test_numpy_comes_and_goes(void)
{
    numpy_record = NULL;
    CHECK(memdash_sampler_start(EVERY_BYTE, 16, BIT(DOMAINS) - 1) == OK);
    CHECK(header.domains == (BIT(RAW) | BIT(MEM) | BIT(OBJ)) && is_original(NUMPY));
    CHECK(memdash_sampler_numpy((u64)&records[NUMPY]) == OK && memdash_sampler_numpy((u64)&records[NUMPY]) == OK);
    CHECK(header.domains & BIT(NUMPY) && !is_original(NUMPY));
    stand_at_place(3);
    void *block = request(NUMPY, 1, NULL, 4000);
    CHECK(header.samples == 1 && header.live == 1);
    release(NUMPY, block, 4000);
    CHECK(header.live == 0 && memdash_sampler_stop() == 0 && is_original(NUMPY));
    CHECK(memdash_sampler_numpy((u64)&records[NUMPY]) == OK && is_original(NUMPY));
}

/* ---- Coming back to what is going on. ---- */

static void come_back(void)
{
    CHECK(memdash_sampler_start(1, 1, 1) == BUSY && memdash_sampler_stop() == BUSY);
    CHECK(memdash_sampler_numpy((u64)&records[NUMPY]) == BUSY);
}

static void test_code_that_goes_calls_back(void)
{
    start_all(EVERY_BYTE);
    stand_at_place(5);
    release(OBJ, request(OBJ, 0, NULL, 100), 100);
    when_code_goes = come_back;
    CHECK(references() == 3 && memdash_sampler_stop() == 0 && references() == 0);
    when_code_goes = NULL;
}

/* As from a signal handler that allocates: without the lock nothing is kept, and nothing waits. */
static void test_held_lock(void)
{
    start_all(EVERY_BYTE);
    stand_at_place(5);
    void *known_block = request(OBJ, 0, NULL, 100);
    CHECK(lock() && header.live == 1);
    errno = 77;
    void *block = request(OBJ, 0, NULL, 100);
    CHECK(block && header.samples == 1);
    is_failing = true;
    CHECK(!request(OBJ, 2, known_block, 200));
    is_failing = false;
    release(OBJ, block, 100);
    CHECK(header.live == 1 && errno == 77);
    unlock();
    release(OBJ, known_block, 100);
    CHECK(header.live == 0 && memdash_sampler_stop() == 0);
}
