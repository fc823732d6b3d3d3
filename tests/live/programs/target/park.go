package main

import (
	"sync"
	"sync/atomic"
	"time"
)

// Goroutines that wait, each in a way of its own, and stay so.

// wide is large enough for the runtime to keep its type with it.
type wide struct {
	next *wide
	room [1000]byte
}

var unheard = make(chan struct{}) // nobody receives from it

var (
	wides  []*wide
	forest []tree
)

func plant(n int) {
	for i := 0; i < n; i++ {
		wides = append(wides, new(wide))
	}
	forest = make([]tree, 2000)
}

type waiter interface{ wait() }

type inChan struct{ never chan struct{} }

//go:noinline
func (w inChan) wait() { <-w.never }

type keeper[T any] struct{ value T }

//go:noinline
func (h *keeper[T]) wait(ready func()) {
	ready()
	select {
	case <-never:
	case unheard <- struct{}{}:
	}
}

func inlined(ready func()) {
	ready()
	<-never
}

//go:noinline
func deep(depth int, ready func()) {
	if depth > 0 {
		var room [64]byte
		deep(depth-1, ready)
		_ = room
		return
	}
	ready()
	<-never
}

// park starts a goroutine of each sort and returns when all of them are about
// to wait.
func park() {
	var begun sync.WaitGroup
	start := func(body func(ready func())) {
		begun.Add(1)
		go body(begun.Done)
	}
	start(func(ready func()) { // a wrapper stands between the interface and the method
		var w waiter = &inChan{never}
		ready()
		w.wait()
	})
	start(func(ready func()) { (&keeper[int]{}).wait(ready) })
	start(func(ready func()) { (&keeper[string]{}).wait(ready) })
	start(func(ready func()) { inlined(ready) })
	start(func(ready func()) { deep(24, ready) })
	start(func(ready func()) {
		defer func() {
			recover()
			ready()
			<-never // below a panic that was caught
		}()
		panic("caught")
	})
	start(func(ready func()) {
		var table map[string]int
		defer func() {
			ready()
			<-never // below a fault, which a signal reported
		}()
		var p *tree
		table["x"] = p.weight[0]
	})
	start(func(ready func()) {
		var lock sync.Mutex
		lock.Lock()
		ready()
		lock.Lock()
	})
	start(func(ready func()) {
		var group sync.WaitGroup
		group.Add(1)
		ready()
		group.Wait()
	})
	start(func(ready func()) {
		lock := sync.NewCond(&sync.Mutex{})
		lock.L.Lock()
		ready()
		lock.Wait()
	})
	start(func(ready func()) {
		var nothing chan int
		ready()
		nothing <- 1
	})
	start(func(ready func()) {
		ready()
		time.Sleep(time.Hour)
	})
	bound := func(seconds int, ready func()) {
		ready()
		time.Sleep(time.Duration(seconds) * time.Second)
	}
	begun.Add(1)
	go bound(3600, begun.Done) // a go statement with arguments starts a closure of the compiler's
	begun.Wait()
}

// flutter starts goroutines that wait in one place and then in another, and
// end, again and again until it is told to stop.
func flutter() {
	defer working.Done()
	for atomic.LoadInt32(&stop) == 0 {
		var done sync.WaitGroup
		ping, pong := make(chan int), make(chan int)
		for i := 0; i < 8; i++ {
			done.Add(2)
			go func() {
				defer done.Done()
				hop(3, ping, pong)
			}()
			go func() {
				defer done.Done()
				skip(3, ping, pong)
			}()
		}
		done.Wait()
	}
}

//go:noinline
func hop(times int, ping, pong chan int) {
	if times > 0 {
		ping <- times
		<-pong
		hop(times-1, ping, pong)
	}
}

//go:noinline
func skip(times int, ping, pong chan int) {
	if times > 0 {
		<-ping
		pong <- times
		time.Sleep(time.Microsecond)
		skip(times-1, ping, pong)
	}
}

func flurry(n int) {
	atomic.StoreInt32(&stop, 0)
	working.Add(n)
	for i := 0; i < n; i++ {
		go flutter()
	}
}
