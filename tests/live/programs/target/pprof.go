//go:build pprof
// +build pprof

package main

import (
	_ "expvar"
	"net"
	"net/http"
	_ "net/http/pprof"
	"runtime"
	"strconv"
)

var (
	address string
	held    [][]byte
)

// prepareFlavour serves /debug/pprof and /debug/vars on a free port of the
// loopback interface, which also makes the linker keep the heap profiler on.
// Both are under /admin too, and a port that serves neither is open as well.
func prepareFlavour() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	address = listener.Addr().String()
	http.Handle("/admin/", http.StripPrefix("/admin", http.DefaultServeMux))
	go http.Serve(listener, nil)
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(other, http.NotFoundHandler())
}

// zero and one make a stack of its own for every path: they spell its bits.
//
//go:noinline
func zero(path, depth, size int) []byte {
	if depth == 0 {
		return make([]byte, size)
	}
	if path&1 == 0 {
		return zero(path>>1, depth-1, size)
	}
	return one(path>>1, depth-1, size)
}

//go:noinline
func one(path, depth, size int) []byte {
	if depth == 0 {
		return make([]byte, size)
	}
	if path&1 == 0 {
		return zero(path>>1, depth-1, size)
	}
	return one(path>>1, depth-1, size)
}

func obeyFlavour(command string, n int) string {
	switch command {
	case "addr":
		return address
	case "rate":
		runtime.MemProfileRate = n
	case "buckets":
		depth := len(strconv.FormatInt(int64(n), 2))
		for path := 0; path < n; path++ {
			held = append(held, zero(path, depth, 512))
		}
	default:
		return "unknown command"
	}
	return "ok"
}
