//go:build gops
// +build gops

package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"time"
)

// prepareFlavour serves the gops protocol, as far as memdash speaks it, on a
// free port of the loopback interface, and leaves the port where an agent of
// gops does.
func prepareFlavour() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	folder := os.Getenv("GOPS_CONFIG_DIR")
	if folder == "" {
		home, err := os.UserConfigDir()
		if err != nil {
			panic(err)
		}
		folder = filepath.Join(home, "gops")
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		panic(err)
	}
	port := strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	if err := os.WriteFile(filepath.Join(folder, strconv.Itoa(os.Getpid())), []byte(port), 0o777); err != nil {
		panic(err)
	}
	go serve(listener)
}

func serve(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		var question [1]byte
		if _, err := io.ReadFull(connection, question[:]); err == nil {
			answer(connection, question[0])
		}
		connection.Close()
	}
}

func answer(to io.Writer, question byte) {
	switch question {
	case 2:
		runtime.GC()
		io.WriteString(to, "ok")
	case 3:
		tellMemStats(to)
	case 4:
		fmt.Fprintln(to, runtime.Version())
	case 5:
		pprof.WriteHeapProfile(to)
	case 7:
		fmt.Fprintf(to, "goroutines: %d\nOS threads: %d\nGOMAXPROCS: %d\nnum CPU: %d\n",
			runtime.NumGoroutine(), pprof.Lookup("threadcreate").Count(), runtime.GOMAXPROCS(0), runtime.NumCPU())
	}
}

func tellMemStats(to io.Writer) {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	newest := (s.NumGC + 255) % 256
	last := "-"
	if s.LastGC != 0 {
		last = time.Unix(0, int64(s.LastGC)).String()
	}
	for _, told := range []struct {
		name  string
		value interface{}
	}{
		{"alloc", size(s.Alloc)}, {"total-alloc", size(s.TotalAlloc)}, {"sys", size(s.Sys)},
		{"lookups", s.Lookups}, {"mallocs", s.Mallocs}, {"frees", s.Frees},
		{"heap-alloc", size(s.HeapAlloc)}, {"heap-sys", size(s.HeapSys)}, {"heap-idle", size(s.HeapIdle)},
		{"heap-in-use", size(s.HeapInuse)}, {"heap-released", size(s.HeapReleased)}, {"heap-objects", s.HeapObjects},
		{"stack-in-use", size(s.StackInuse)}, {"stack-sys", size(s.StackSys)},
		{"mspan-in-use", size(s.MSpanInuse)}, {"mspan-sys", size(s.MSpanSys)},
		{"mcache-in-use", size(s.MCacheInuse)}, {"mcache-sys", size(s.MCacheSys)},
		{"buck-hash-sys", size(s.BuckHashSys)}, {"other-sys", size(s.OtherSys)}, {"gc-sys", size(s.GCSys)},
		{"next-gc", "when heap-alloc >= " + size(s.NextGC)}, {"last-gc", last},
		{"gc-pause-total", time.Duration(s.PauseTotalNs)}, {"gc-pause", s.PauseNs[newest]},
		{"gc-pause-end", s.PauseEnd[newest]}, {"num-gc", s.NumGC}, {"num-forced-gc", s.NumForcedGC},
		{"gc-cpu-fraction", s.GCCPUFraction}, {"enable-gc", s.EnableGC}, {"debug-gc", s.DebugGC},
	} {
		fmt.Fprintf(to, "%s: %v\n", told.name, told.value)
	}
}

// size is a number of bytes, rounded in a unit of its own from a kibibyte up
// and then in full.
func size(bytes uint64) string {
	scaled, unit := float64(bytes), 0
	for ; scaled >= 1024 && unit < 5; unit++ {
		scaled /= 1024
	}
	if unit == 0 {
		return fmt.Sprintf("%d bytes", bytes)
	}
	return fmt.Sprintf("%.2f%cB (%d bytes)", scaled, " KMGTP"[unit], bytes)
}

func obeyFlavour(command string, n int) string { return "unknown command" }
