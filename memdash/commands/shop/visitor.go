package main

import (
	"context"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"time"
)

// visit is the load: perSecond requests a second, every fifth of them a search, until ctx is done.
func visit(ctx context.Context, base string, perSecond int) {
	ticks := time.NewTicker(time.Second / time.Duration(perSecond))
	defer ticks.Stop()
	client := &http.Client{Timeout: 10 * time.Second}
	for number := 0; ; number++ {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			url := fmt.Sprintf("%s/product/%d", base, rand.Intn(products))
			if number%5 == 0 {
				url = fmt.Sprintf("%s/search?q=%d", base, rand.Intn(100))
			}
			response, err := client.Get(url)
			if err != nil {
				continue // the server is closing, or slow for a moment: the next visit tells
			}
			io.Copy(io.Discard, response.Body)
			response.Body.Close()
		}
	}
}
