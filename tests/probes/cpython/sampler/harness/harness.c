/* The sampler in a program of its own: harness NAME runs the tests of that name; a failed CHECK aborts. */
#include SAMPLER

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "fakes.h"
#include "tables.h"
#include "hooks.h"
#include "threads.h"

int main(int count, char **arguments)
{
    CHECK(count == 3);
    const char *name = arguments[1];
    int size = atoi(arguments[2]); /* of what runs for a while: a seed elsewhere */
    chance = (u64)size;
    set_up();
    if (!strcmp(name, "arithmetic")) {
        test_arithmetic();
    } else if (!strcmp(name, "live")) {
        test_live_table();
        test_full_live_table();
    } else if (!strcmp(name, "stacks")) {
        test_stacks();
        test_full_tables();
    } else if (!strcmp(name, "frames")) {
        test_frames();
    } else if (!strcmp(name, "hooks")) {
        test_hooks();
        test_absurd_sizes();
        test_stale_entry();
        test_other_interpreter();
        test_cost();
        test_locked_memory();
        test_latecomer();
    } else if (!strcmp(name, "chain")) {
        CHECK(memdash_sampler_numpy((u64)&records[NUMPY]) == OK);
        test_buried();
        test_taken_out_by_another();
        test_numpy_comes_and_goes();
        test_code_that_goes_calls_back();
        test_held_lock();
    } else if (!strcmp(name, "threads")) {
        CHECK(memdash_sampler_numpy((u64)&records[NUMPY]) == OK);
        test_threads(size);
    } else if (!strcmp(name, "forks")) {
        CHECK(memdash_sampler_numpy((u64)&records[NUMPY]) == OK);
        test_forks(size);
        test_fork_behind_our_back();
        test_fork_with_held_lock();
    } else if (!strcmp(name, "waiting")) {
        CHECK(memdash_sampler_numpy((u64)&records[NUMPY]) == OK);
        test_waiting_in_vain();
    } else {
        CHECK(!"a test of that name");
    }
    printf("%s: all is well\n", name);
    return 0;
}
