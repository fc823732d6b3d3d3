// A program whose memory has the shape it is told: each line on standard input
// says how many KiB it should hold in a cache, leak more, allocate and drop,
// and have in flight, and how many goroutines it should leave behind.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"time"
)

const pieces = 10

type entry struct {
	number int
	next   *entry
	data   []byte
}

type cache struct {
	entries map[int]*entry
	first   int
	last    int
	kib     int
}

func newEntry(number, kib int) *entry {
	return &entry{number: number, data: make([]byte, kib<<10-64)}
}

// resize adds entries of one to four KiB, or drops the oldest.
func (c *cache) resize(kib int) {
	for c.kib < kib {
		size := 1 + c.last%4
		c.entries[c.last] = newEntry(c.last, size)
		c.kib += size
		c.last++
	}
	for c.kib > kib && c.first < c.last {
		c.kib -= 1 + c.first%4
		delete(c.entries, c.first)
		c.first++
	}
}

var (
	leaked *entry
	debt   int
	sink   []byte
	never  = make(chan struct{})
)

// leak keeps what is less than a whole entry for the next time.
func leak(bytes int) {
	for debt += bytes; debt >= 512; debt -= 512 {
		leaked = &entry{next: leaked, data: make([]byte, 512-48)}
	}
}

func wait() {
	work := make([]byte, 1024)
	<-never
	sink = work
}

func main() {
	held := &cache{entries: map[int]*entry{}}
	flight := &cache{entries: map[int]*entry{}}
	fmt.Println("ready", os.Getpid(), runtime.Version())
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var kib, leaking, garbage, flying, tasks int
		if _, err := fmt.Sscan(lines.Text(), &kib, &leaking, &garbage, &flying, &tasks); err != nil {
			os.Exit(1)
		}
		held.resize(kib)
		flight.resize(flying)
		leak(leaking)
		// In small pieces: what is allocated while a collection is under way
		// counts as live, and in a burst that is much.
		for piece := 0; piece < pieces; piece++ {
			for i := 0; i < garbage/pieces; i += 4 {
				sink = make([]byte, 4096-i%512)
			}
			time.Sleep(5 * time.Millisecond)
		}
		for i := 0; i < tasks; i++ {
			go wait()
		}
	}
}
