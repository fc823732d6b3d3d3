/* Threads that allocate without the GIL, and processes that fork meanwhile. */

enum { THREADS = 2, SLOTS = 64, LEAST_TURNS = 1000 };

static pthread_mutex_t gil = PTHREAD_MUTEX_INITIALIZER;
static bool is_over;
static u64 raw_bytes; /* asked for by all threads that have ended */

/* As CPython calls it: the record is read word by word, without the GIL. */
static void *raw_malloc_of_program(int domain, size_t size)
{
    void *(*function)(void *, size_t) = __atomic_load_n(&records[domain].malloc, __ATOMIC_ACQUIRE);
    return function(LOAD(records[domain].ctx), size);
}

static void *raw_realloc_of_program(int domain, void *old, size_t size)
{
    void *(*function)(void *, void *, size_t) = __atomic_load_n(&records[domain].realloc, __ATOMIC_ACQUIRE);
    return function(LOAD(records[domain].ctx), old, size);
}

static void raw_free_of_program(int domain, void *block, size_t size)
{
    if (domain == NUMPY) {
        void (*function)(void *, void *, size_t) = __atomic_load_n(&records[domain].free_sized, __ATOMIC_ACQUIRE);
        function(LOAD(records[domain].ctx), block, size);
    } else {
        void (*function)(void *, void *) = __atomic_load_n(&records[domain].free, __ATOMIC_ACQUIRE);
        function(LOAD(records[domain].ctx), block);
    }
}

static void *without_gil(void *seed)
{
    u8 *blocks[SLOTS] = { NULL };
    size_t sizes[SLOTS] = { 0 };
    u64 bytes = 0;
    chance = (u64)seed;
    own_state = NULL;
    int domain = (u64)seed % 2 ? RAW : NUMPY;
    for (int turn = 0; turn < LEAST_TURNS || !LOAD(is_over); turn++) {
        u32 at = up_to(SLOTS);
        size_t size = 1 + up_to(900);
        if (!blocks[at] || up_to(2)) {
            blocks[at] = raw_realloc_of_program(domain, blocks[at], size);
            bytes += size;
        } else {
            raw_free_of_program(domain, blocks[at], sizes[at]);
            blocks[at] = raw_malloc_of_program(domain, size);
            bytes += size;
        }
        CHECK(blocks[at]);
        blocks[at][0] = blocks[at][size - 1] = 1;
        sizes[at] = size;
    }
    for (int at = 0; at < SLOTS; at++)
        raw_free_of_program(domain, blocks[at], sizes[at]);
    __atomic_add_fetch(&raw_bytes, bytes, __ATOMIC_RELAXED);
    return NULL;
}

static void *with_gil(void *seed)
{
    fake_thread_t thread;
    chance = (u64)seed;
    while (!LOAD(is_over)) {
        pthread_mutex_lock(&gil);
        location_t places[2] = { { (u64)&codes[up_to(CODES)], (i64)up_to(50) }, { (u64)&codes[0], 0 } };
        stand_at(&thread, places, 2);
        for (int at = 0; at < 20; at++) {
            size_t size = 1 + up_to(900);
            release(OBJ, request(OBJ, (int)up_to(3), NULL, size), size);
        }
        own_state = NULL;
        pthread_mutex_unlock(&gil);
    }
    return NULL;
}

static void run_threads(void (*meanwhile)(int), int turns)
{
    pthread_t ids[THREADS + 1];
    STORE(is_over, false);
    raw_bytes = 0;
    for (u64 at = 0; at < THREADS; at++)
        CHECK(!pthread_create(&ids[at], NULL, without_gil, (void *)(at + 1)));
    CHECK(!pthread_create(&ids[THREADS], NULL, with_gil, (void *)99));
    for (int at = 0; at < turns; at++)
        meanwhile(at);
    STORE(is_over, true);
    for (int at = 0; at <= THREADS; at++)
        CHECK(!pthread_join(ids[at], NULL));
}

static void pause_a_little(void)
{
    nanosleep(&(struct timespec) { 0, 1000000 }, NULL);
}

static void start_and_stop(int at)
{
    pthread_mutex_lock(&gil);
    if (at % 2)
        CHECK(memdash_sampler_stop() == 0);
    else
        CHECK(memdash_sampler_start(1 + up_to(2000), 16, BIT(DOMAINS) - 1) == OK);
    pthread_mutex_unlock(&gil);
    pause_a_little();
}

static void only_wait(int at)
{
    (void)at;
    pause_a_little();
}

static void test_threads(int turns)
{
    run_threads(start_and_stop, turns & ~1);
    CHECK(!header.enabled && references() == 0 && blocks_out == 0);
    start_all(200);
    run_threads(only_wait, turns);
    CHECK(header.live == 0 && header.stale == 0 && header.samples > 100);
    CHECK(consumed(WITHOUT_GIL) == raw_bytes); /* not one byte lost between threads */
    CHECK(memdash_sampler_stop() == 0 && blocks_out == 0);
}

/* ---- Forks. ---- */

static void succeeds(pid_t child)
{
    int status = 0;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void use_sampler_in_child(void)
{
    CHECK(header.pid == (u64)getpid() && LOAD(lock_owner) == NULL);
    u64 before = header.samples;
    for (int at = 0; at < 100; at++)
        release(RAW, request(RAW, 0, NULL, 10000), 10000);
    CHECK(header.samples == before + 100);
    CHECK(memdash_sampler_stop() == 0 && is_original(RAW));
    _exit(0);
}

static void fork_once(int at)
{
    (void)at;
    pthread_mutex_lock(&gil);
    pid_t child = fork();
    if (child == 0)
        use_sampler_in_child();
    succeeds(child);
    pthread_mutex_unlock(&gil);
    pause_a_little();
}

static void test_forks(int turns)
{
    start_all(200);
    run_threads(fork_once, turns);
    CHECK(header.live == 0 && header.pid == (u64)getpid() && consumed(WITHOUT_GIL) == raw_bytes);
    CHECK(memdash_sampler_stop() == 0);
}

/* Without fork handlers, while a thread that the child does not have holds the lock: the child goes on without us. */
static void test_fork_behind_our_back(void)
{
    start_all(EVERY_BYTE);
    void *block = request(RAW, 0, NULL, 100);
    CHECK(header.live == 1);
    void *nobody = &nobody;
    STORE(lock_owner, nobody);
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        release(RAW, block, 100);
        CHECK(!header.enabled);
        for (int at = 0; at < 1000; at++)
            release(RAW, request(RAW, 0, NULL, 100), 100);
        _exit(0);
    }
    succeeds(child);
    STORE(lock_owner, NULL);
    release(RAW, block, 100);
    CHECK(header.enabled && header.live == 0 && memdash_sampler_stop() == 0);
}

/* In a process that is no such child: a second, and a sample less. */
static void test_waiting_in_vain(void)
{
    start_all(EVERY_BYTE);
    void *nobody = &nobody;
    STORE(lock_owner, nobody);
    release(RAW, request(RAW, 0, NULL, 100), 100);
    CHECK(header.enabled && header.samples == 0);
    STORE(lock_owner, NULL);
    CHECK(memdash_sampler_stop() == 0);
}

/* A fork from a handler that has interrupted us: the lock is still ours afterwards, on both sides. */
static void test_fork_with_held_lock(void)
{
    start_all(EVERY_BYTE);
    CHECK(lock());
    pid_t child = fork();
    CHECK(LOAD(lock_owner) == this_thread());
    if (child == 0)
        _exit(0);
    succeeds(child);
    unlock();
    CHECK(memdash_sampler_stop() == 0);
}
