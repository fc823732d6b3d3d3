// Shop-server is a small web shop with a memory leak, for memdash to watch.
//
// It serves on loopback and is its own only customer. What it does with memory:
//
//   - store.go      every visit leaves a session behind that nothing ever removes: the leak
//   - catalogue.go  loaded once and held for good: a floor
//   - cache.go      pages are cached up to a bound: a plateau
//   - shop.go       each page is built from short-lived strings and JSON: a steady sawtooth
//   - store.go      now and then a session gets a goroutine that waits for ever: goroutines pile up
//
// The leak stops at -leak-limit, so that a forgotten demo does not fill the machine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof" // links the heap profiler, as most servers do; its pages are not served
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
)

func main() {
	visits := flag.Int("visits", 250, "visits a second")
	leakMiB := flag.Int64("leak-limit", 448, "stop leaking once this many MiB are held")
	flag.Parse()

	debug.SetMemoryLimit(640 << 20) // some minutes of leaking away, so that there is an end to foresee; the leak stops before
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := serve(ctx, *visits, *leakMiB<<20); err != nil {
		fmt.Fprintln(os.Stderr, "shop-server:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, visits int, leakLimit int64) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("shop-server on http://%s\n", listener.Addr())
	server := &http.Server{Handler: newShop(leakLimit).routes(), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		server.Close()
	}()
	go visit(ctx, "http://"+listener.Addr().String(), visits)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
