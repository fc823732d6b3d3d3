/* A program whose memory has the shape it is told: each line on standard input
   says how many KiB it should hold in a cache, how many bytes to leak, how many
   KiB to allocate and drop and to have in flight, and how many blocks of mixed
   sizes to exchange for others, which leaves holes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST (1 << 17)

struct cache {
	void *blocks[MOST];
	int first, last;
	long kib;
};

static struct cache held, flight;
static void *mixed[MOST];
static int mixed_blocks;
static unsigned long state = 88172645463325252UL;

static unsigned long chance(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void *block(long bytes)
{
	void *made = malloc(bytes);
	if (!made)
		exit(1);
	memset(made, 7, bytes);
	return made;
}

static void resize(struct cache *c, long kib)
{
	while (c->kib < kib) {
		c->blocks[c->last % MOST] = block((1 + c->last % 4) << 10);
		c->kib += 1 + c->last % 4;
		c->last++;
	}
	while (c->kib > kib && c->first < c->last) {
		c->kib -= 1 + c->first % 4;
		free(c->blocks[c->first % MOST]);
		c->first++;
	}
}

int main(void)
{
	long kib, leaking, garbage, flying, exchanged, debt = 0;
	/* All of the tables at once: their pages would come one by one. */
	memset(held.blocks, 1, sizeof held.blocks);
	memset(flight.blocks, 1, sizeof flight.blocks);
	memset(mixed, 1, sizeof mixed);
	printf("ready %d C\n", getpid());
	fflush(stdout);
	while (scanf("%ld %ld %ld %ld %ld", &kib, &leaking, &garbage, &flying, &exchanged) == 5) {
		resize(&held, kib);
		resize(&flight, flying);
		for (debt += leaking; debt >= 512; debt -= 512)
			block(496);
		for (long i = 0; i < garbage; i += 4)
			free(block(4096 - i % 512));
		for (long i = 0; i < exchanged; i++) {
			if (mixed_blocks < 4096) {
				mixed[mixed_blocks++] = block(64 + chance() % 8192);
				continue;
			}
			int at = chance() % mixed_blocks;
			free(mixed[at]);
			mixed[at] = block(64 + chance() % 8192);
		}
	}
	return 0;
}
