/* The live table and the interning of stacks, held against models that search from end to end. */

/* ---- Arithmetic, against libm. ---- */

static double relative(double value, double truth)
{
    return truth ? fabs(value / truth - 1) : fabs(value);
}

static void test_arithmetic(void)
{
    for (double x = 0x1p-53; x <= 1; x *= 1.0009)
        CHECK(fabs(natural_log(x) - log(x)) < 1e-11 * (1 + fabs(log(x))));
    CHECK(natural_log(1) == 0);
    for (double x = 1e-10; x < 100; x *= 1.0007)
        CHECK(relative(one_minus_exp(x), -expm1(-x)) < 1e-10);
    CHECK(one_minus_exp(1000) == 1);
    header.rate = 65536;
    double sum = 0, squares = 0;
    int below = 0, draws = 400000;
    for (int at = 0; at < draws; at++) {
        double distance = (double)next_distance() / 65536;
        CHECK(distance >= 0 && distance < 37);
        sum += distance;
        squares += distance * distance;
        below += distance < 1;
    }
    CHECK(fabs(sum / draws - 1) < 0.01); /* six standard deviations */
    CHECK(fabs(squares / draws - 2) < 0.05);
    CHECK(fabs((double)below / draws - (1 - exp(-1))) < 0.005);
    CHECK(weight(0) == weight(1) && relative(weight(1), 65536.5) < 1e-6 && weight(1 << 24) == 1);
    header.rate = LARGEST_RATE;
    CHECK(weight(0) * OBJECT < 0x1p32);
}

/* ---- Live table. ---- */

enum { CANDIDATES = 1500 };
static u64 candidates[CANDIDATES];
static bool is_in[CANDIDATES];

static bool is_candidate(u64 block, int count)
{
    for (int at = 0; at < count; at++)
        if (candidates[at] == block)
            return true;
    return false;
}

/* Neighbours, addresses that share a filter bit, and homes at the table's end, from where searches go round. */
static void choose_candidates(void)
{
    u64 base = 0x7f0000000000 + 16 * (u64)up_to(1 << 20), last = base;
    for (int at = 0; at < CANDIDATES;) {
        u64 block = base + 16 * (u64)up_to(1000);
        if (at % 3 == 1) { /* the same filter bit */
            block += (u64)up_to(8) << (FILTER_BITS + 4);
        } else if (at % 3 == 2) {
            do
                last += 16;
            while (home_of(filter_bit(last)) < LIVE_SLOTS - 40);
            block = last;
        }
        if (!is_candidate(block, at))
            candidates[at++] = block;
    }
}

static void compare_with_model(void)
{
    u32 count = 0;
    for (int at = 0; at < CANDIDATES; at++) {
        bool has_it = false;
        for (u32 slot = home_of(filter_bit(candidates[at])); live[slot].block; slot = next_slot(slot))
            if (live[slot].block == candidates[at]) {
                has_it = true;
                CHECK(live[slot].bytes == (u64)at);
            }
        CHECK(has_it == is_in[at]);
        bool wants_bit = is_in[at];
        for (int other = 0; other < CANDIDATES && !wants_bit; other++)
            wants_bit = is_in[other] && filter_bit(candidates[other]) == filter_bit(candidates[at]);
        CHECK(may_be_live((void *)candidates[at]) == wants_bit);
        count += is_in[at];
    }
    CHECK(header.live == count);
}

static void test_live_table(void)
{
    for (int round = 0; round < 6; round++) {
        choose_candidates();
        memset(is_in, 0, sizeof is_in);
        for (int turn = 0; turn < 30000; turn++) {
            u32 at = up_to(CANDIDATES);
            /* in waves: mostly filling, then mostly emptying */
            if (!is_in[at] && up_to(10) < (turn / 5000 % 2 ? 2 : 9)) {
                insert(&(live_t) { candidates[at], at, 0, 0 });
                is_in[at] = true;
            } else {
                live_t taken = { 0 };
                CHECK(take_out(candidates[at], &taken) == is_in[at]);
                CHECK(!is_in[at] || (taken.block == candidates[at] && taken.bytes == at));
                is_in[at] = false;
            }
            if (turn % 5000 == 4999)
                compare_with_model();
        }
        for (u32 at = 0; at < CANDIDATES; at++)
            CHECK(take_out(candidates[at], &(live_t) { 0 }) == is_in[at]);
        for (u32 word = 0; word < sizeof filter / sizeof *filter; word++)
            CHECK(filter[word] == 0);
        for (u32 slot = 0; slot < LIVE_SLOTS; slot++)
            CHECK(live[slot].block == 0);
        CHECK(header.live == 0);
    }
}

static void test_full_live_table(void)
{
    trace_t nowhere = { 0, NO_PYTHON_FRAME, { { 0, 0 } } };
    header.rate = 1;
    for (u64 at = 1; at <= MOST_LIVE + 1000; at++)
        record((void *)(at << 5), 100, &nowhere);
    CHECK(header.live == MOST_LIVE && header.dropped_live == 1000 && stacks[0].samples == MOST_LIVE + 1000);
    CHECK(stacks[0].freed_samples == 1000 && stacks[0].freed_bytes == 100 * 1000);
    for (u64 at = 1; at <= MOST_LIVE + 1000; at++) {
        live_t taken;
        CHECK(take_out(at << 5, &taken) == (at <= MOST_LIVE));
    }
    CHECK(header.live == 0 && wipe());
}

/* ---- Locations and stacks. ---- */

enum { KNOWN = 3000 };
static struct {
    u32 count, number;
    location_t places[4];
} known[KNOWN];

/* Few codes and few places in each, so that many stacks come again, and many begin alike. */
static u32 some_stack(location_t *places)
{
    u32 count = 1 + up_to(4);
    for (u32 at = 0; at < count; at++)
        places[at] = (location_t) { (u64)&codes[up_to(5)], (i64)up_to(3) - 1 };
    return count;
}

static bool is_known(u32 at, const location_t *places, u32 count)
{
    return known[at].count == count && !memcmp(known[at].places, places, count * sizeof *places);
}

static void test_stacks(void)
{
    u32 different = 0, found = 0;
    for (int turn = 0; turn < 20000 && different < KNOWN; turn++) {
        location_t places[4];
        u32 count = some_stack(places), number = number_of_stack(places, count), at = 0;
        while (at < different && !is_known(at, places, count))
            at++;
        if (at < different) {
            CHECK(known[at].number == number);
            found++;
            continue;
        }
        CHECK(number == FIRST_STACK + different && header.stacks == number + 1);
        known[different].count = count;
        known[different].number = number;
        memcpy(known[different++].places, places, count * sizeof *places);
    }
    CHECK(found > 1000 && different > 1000);
    for (u32 at = 0; at < different; at++) {
        const stack_entry_t *stack = &stacks[known[at].number];
        CHECK(stack->frames == known[at].count);
        for (u32 frame = 0; frame < stack->frames; frame++) {
            const location_t *place = &locations[frame_ids[stack->first + frame]];
            CHECK(place->code == known[at].places[frame].code && place->lasti == known[at].places[frame].lasti);
        }
    }
    CHECK(header.locations == 15 && references() == 15);
    CHECK(memdash_sampler_release(3) == OK && memdash_sampler_release(3) == OK && references() == 14);
    CHECK(memdash_sampler_release(header.locations) == OK && references() == 14);
    location_t gone = { locations[3].code & ~RELEASED, locations[3].lasti };
    CHECK(number_of_location(&gone) == 15 && number_of_location(&gone) == 15 && references() == 15);
    CHECK(wipe() && references() == 0 && header.stacks == FIRST_STACK && header.frames == 0);
}

/* Names are told as soon as there is no room for more without; one too many to be true changes nothing. */
static u32 number_with_room(location_t location)
{
    if (header.locations - named == MOST_UNNAMED) {
        u64 dropped = header.dropped_locations;
        CHECK(memdash_sampler_named(header.locations + 1) == OK);
        CHECK(number_of_stack(&(location_t) { (u64)&codes[2], 1 }, 1) == TABLE_FULL);
        CHECK(header.dropped_locations == dropped + 1 && memdash_sampler_named(header.locations) == OK);
    }
    return number_of_stack(&location, 1);
}

static void test_full_tables(void)
{
    for (i64 at = 0; at < MOST_STACKS + 10; at++) {
        u32 number = number_with_room((location_t) { (u64)&codes[0], at });
        CHECK(at < MOST_STACKS - FIRST_STACK ? number == FIRST_STACK + at : number == TABLE_FULL);
    }
    CHECK(header.stacks == MOST_STACKS && header.dropped_stacks == 10 + FIRST_STACK && header.dropped_locations == named / MOST_UNNAMED);
    for (i64 at = 0; at < MOST_LOCATIONS + 10; at++)
        CHECK(number_with_room((location_t) { (u64)&codes[1], at }) == TABLE_FULL);
    CHECK(header.locations == MOST_LOCATIONS && references() == MOST_LOCATIONS && header.dropped_locations > 10);
    CHECK(number_of_stack(&(location_t) { (u64)&codes[0], 5 }, 1) == FIRST_STACK + 5); /* what is known still is */
    CHECK(wipe() && references() == 0);

    location_t deep[MOST_FRAMES];
    for (int at = 0; at < MOST_FRAMES; at++)
        deep[at] = (location_t) { (u64)&codes[at % CODES], at };
    u32 fit = MOST_FRAME_IDS / MOST_FRAMES;
    for (u32 turn = 0; turn < fit + 5; turn++) {
        deep[0].lasti = turn;
        CHECK(memdash_sampler_named(header.locations) == OK);
        CHECK((number_of_stack(deep, MOST_FRAMES) == TABLE_FULL) == (turn >= fit));
    }
    CHECK(header.frames == MOST_FRAME_IDS && header.dropped_stacks == 5 && wipe() && references() == 0);
}

/* ---- Frames in the shapes that versions have. ---- */

static int own_frames(location_t *frames)
{
    int count = memdash_sampler_selftest((u64 *)frames, MOST_FRAMES);
    CHECK(count == walk(fake_thread_state(), frames, MOST_FRAMES));
    return count;
}

static void test_frames(void)
{
    location_t frames[MOST_FRAMES], places[3] = { { (u64)&codes[2], 10 }, { (u64)&codes[1], 4 }, { (u64)&codes[0], -1 } };
    own_state = NULL;
    CHECK(memdash_sampler_selftest((u64 *)frames, 1) == NO_THREAD_STATE);
    fake_thread_t thread;
    stand_at(&thread, places, 3);
    CHECK(own_frames(frames) == 3 && !memcmp(frames, places, sizeof places));
    CHECK(memdash_sampler_selftest((u64 *)frames, 2) == 2);

    thread.state.interpreter = (u64)&other_interpreter;
    CHECK(memdash_sampler_selftest((u64 *)frames, 1) == NOT_MAIN_INTERPRETER);
    thread.state.interpreter = (u64)&main_interpreter;
    config[OWN_THREAD_STATE] = (u64)fake_gil_state; /* up to 3.11: another thread holds the GIL */
    CHECK(memdash_sampler_selftest((u64 *)frames, 1) == NO_THREAD_STATE);
    gil_state = (u64)&thread.state;
    CHECK(own_frames(frames) == 3);

    config[INSTRUCTION_UNIT] = AT_UNIT;
    CHECK(own_frames(frames) == 3 && frames[0].lasti == 20 && frames[2].lasti == -1);

    config[INSTRUCTION_UNIT] = AT_ADDRESS;
    config[CODE_BYTES] = offsetof(fake_code_t, instructions);
    config[FRAME_OWNER] = offsetof(fake_frame_t, owner);
    thread.frames[0].at.address = (u64)&codes[2].instructions[6];
    thread.frames[1].owner = FIRST_OWNER_WITHOUT_CODE; /* a trampoline */
    thread.frames[2].at.address = (u64)&codes[0].instructions[0] - 2;
    thread.frames[2].code |= 1; /* tagged */
    CHECK(own_frames(frames) == 2 && frames[0].lasti == 6);
    CHECK(frames[1].code == (u64)&codes[0] && frames[1].lasti == -1);
    u64 none[2] = { 0 };
    thread.frames[0].code = (u64)none; /* no code object */
    CHECK(own_frames(frames) == 1);

    fake_c_frame_t c_frame = { 0, thread.frames };
    config[HAS_C_FRAME] = 1;
    config[C_FRAME_CURRENT] = offsetof(fake_c_frame_t, current);
    thread.state.frame = &c_frame;
    CHECK(own_frames(frames) == 1);
    thread.state.frame = NULL;
    CHECK(own_frames(frames) == 0);

    config[HAS_C_FRAME] = 0;
    thread.frames[0].previous = &thread.frames[0]; /* a ring: no frames, but an end */
    thread.state.frame = thread.frames;
    CHECK(own_frames(frames) == 0);
    memcpy(config, fake_config, sizeof config);
    own_state = NULL;
}
