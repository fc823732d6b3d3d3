// A program to look at from outside. It does what it is told on standard input,
// one command a line, and answers each with one line.
//
// Reading a command and answering ok allocate nothing, so that what stats
// answers is what somebody who looked just before must have seen.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

var (
	line  [256]byte
	ok    = []byte("ok\n")
	stats runtime.MemStats

	kept   [][]byte
	never  = make(chan struct{})
	parked sync.WaitGroup

	stop       int32
	working    sync.WaitGroup
	operations int64
	sink       [64][]byte
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

//go:noinline
func pointers(n int) []*int {
	all := make([]*int, 0, n)
	for i := 0; i < n; i++ {
		x := i
		all = append(all, &x)
	}
	return all
}

// churn allocates small, tiny and large objects, with and without pointers,
// and drops them, until it is told to stop.
func churn(id int) {
	defer working.Done()
	for round := 0; atomic.LoadInt32(&stop) == 0; round++ {
		sink[id%len(sink)] = make([]byte, 1024+round%64*32)
		grow(6)
		pointers(100)
		if round%64 == 0 {
			sink[id%len(sink)] = make([]byte, 1<<16)
		}
		_ = fmt.Sprintf("%d-%d", id, round)
		atomic.AddInt64(&operations, 1)
	}
}

//go:noinline
func parkInChan() {
	parked.Done()
	<-never
}

//go:noinline
func parkInSleep() {
	parked.Done()
	time.Sleep(time.Hour)
}

//go:noinline
func parkInSelect() {
	parked.Done()
	select {}
}

// parkInTicks goes on for a moment again and again.
//
//go:noinline
func parkInTicks() {
	ticks := time.NewTicker(20 * time.Millisecond)
	parked.Done()
	for {
		select {
		case <-ticks.C:
		case <-never:
			return
		}
	}
}

// leakInChan waits for what nobody else knows of.
//
//go:noinline
func leakInChan() {
	nobodys := make(chan struct{})
	parked.Done()
	<-nobodys
}

func spawn(n int, body func()) {
	parked.Add(n)
	for i := 0; i < n; i++ {
		go body()
	}
	parked.Wait()
}

// read returns the next command and its number, 0 when it has none. It does
// not allocate: a command is one of those below, so it is never copied.
func read() (command string, number int) {
	n := 0
	for n < len(line) {
		if k, err := os.Stdin.Read(line[n : n+1]); k == 0 || err != nil {
			return "exit", 0
		}
		if line[n] == '\n' {
			break
		}
		n++
	}
	end := 0
	for end < n && line[end] != ' ' {
		end++
	}
	for i := end + 1; i < n; i++ {
		if line[i] == '-' {
			continue
		}
		number = number*10 + int(line[i]-'0')
	}
	if end+1 < n && line[end+1] == '-' {
		number = -number
	}
	for _, known := range commands {
		if known == string(line[:end]) {
			return known, number
		}
	}
	return "", 0
}

var commands = []string{
	"stats", "settle", "ops", "ng", "exit",
	"churn", "stop", "alloc", "free", "gc", "freeos", "gogc", "memlimit", "procs",
	"chan", "release", "sleep", "select", "ticks", "leak", "park", "trees", "flurry",
	"addr", "rate", "buckets",
	"write", "drop", "map", "mapfile", "deepen", "malloc",
}

func answerStats() {
	start := time.Now()
	runtime.ReadMemStats(&stats)
	took := time.Since(start)
	out, err := json.Marshal(map[string]interface{}{
		"MemStats": &stats, "ReadNs": took.Nanoseconds(), "NumGoroutine": runtime.NumGoroutine(),
	})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s\n", out)
}

func obey(command string, n int) {
	switch command {
	case "stats":
		answerStats()
		return
	case "ops":
		fmt.Println(atomic.LoadInt64(&operations))
		return
	case "ng":
		fmt.Println(runtime.NumGoroutine())
		return
	case "settle":
		// The first stop of the world after some work flushes every cache of
		// objects and stacks; the next one finds nothing to do.
		runtime.ReadMemStats(&stats)
	case "churn":
		atomic.StoreInt32(&stop, 0)
		working.Add(n)
		for i := 0; i < n; i++ {
			go churn(i)
		}
	case "stop":
		atomic.StoreInt32(&stop, 1)
		working.Wait()
	case "alloc":
		for i := 0; i < n; i++ {
			kept = append(kept, make([]byte, 1<<16))
		}
	case "free":
		kept = nil
	case "gc":
		runtime.GC()
	case "freeos":
		debug.FreeOSMemory()
	case "gogc":
		debug.SetGCPercent(n)
	case "memlimit":
		debug.SetMemoryLimit(int64(n))
	case "procs":
		runtime.GOMAXPROCS(n)
	case "chan":
		spawn(n, parkInChan)
	case "release":
		close(never)
		never = make(chan struct{})
	case "sleep":
		spawn(n, parkInSleep)
	case "select":
		spawn(n, parkInSelect)
	case "ticks":
		spawn(n, parkInTicks)
	case "leak":
		spawn(n, leakInChan)
	case "park":
		park()
	case "flurry":
		flurry(n)
	case "write":
		write(n)
	case "drop":
		written = nil
	case "map":
		mapAnonymous(n)
	case "mapfile":
		mapFile(n)
	case "deepen":
		deepen(n)
	case "malloc":
		holdInC(n)
	case "trees":
		plant(n)
	default:
		fmt.Println(obeyFlavour(command, n))
		return
	}
	os.Stdout.Write(ok)
}

func main() {
	prepareFlavour()
	fmt.Println("ready", os.Getpid(), runtime.Version())
	for {
		command, number := read()
		if command == "exit" {
			return
		}
		obey(command, number)
	}
}
