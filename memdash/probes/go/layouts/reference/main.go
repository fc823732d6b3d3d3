// A program whose only purpose is to be disassembled: it reaches the parts of
// the runtime that nearly every Go program reaches.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

type tree struct {
	left, right *tree
	weight      [3]int
}

func grow(depth int) *tree {
	if depth == 0 {
		return &tree{}
	}
	return &tree{left: grow(depth - 1), right: grow(depth - 1)}
}

func main() {
	var workers sync.WaitGroup
	results := make(chan *tree)
	for depth := range [4]int{} {
		workers.Add(1)
		go func(depth int) {
			defer workers.Done()
			select {
			case results <- grow(depth):
			case <-time.After(time.Minute):
			}
		}(depth)
	}
	go func() {
		workers.Wait()
		close(results)
	}()
	seen := map[string][]byte{}
	for result := range results {
		runtime.SetFinalizer(result, func(*tree) {})
		seen[fmt.Sprint(result.weight)] = make([]byte, 1<<16)
	}
	debug.SetGCPercent(200)
	debug.SetMemoryLimit(1 << 40)
	debug.FreeOSMemory()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	fmt.Fprintln(os.Stderr, len(seen), stats.HeapAlloc, runtime.NumGoroutine(), runtime.GOMAXPROCS(0), runtime.Version())
}
