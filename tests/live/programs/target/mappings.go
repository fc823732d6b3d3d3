package main

import (
	"os"
	"syscall"
)

// Memory that is not on the heap, or is there and has been written to.

const page = 4096

var (
	written [][]byte
	mapped  [][]byte
)

// write allocates n MiB and touches every page of them.
func write(n int) {
	for i := 0; i < n; i++ {
		block := make([]byte, 1<<20)
		fill(block)
		written = append(written, block)
	}
}

func fill(block []byte) {
	for at := 0; at < len(block); at += page {
		block[at] = 1
	}
}

// mapAnonymous maps n MiB without a file and touches every page of them.
func mapAnonymous(n int) {
	block, err := syscall.Mmap(-1, 0, n<<20, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		panic(err)
	}
	fill(block)
	mapped = append(mapped, block)
}

// mapFile maps a file of n MiB, reads every page of them, and leaves no file behind.
func mapFile(n int) {
	file, err := os.CreateTemp("", "memdash-mapped-")
	if err != nil {
		panic(err)
	}
	defer file.Close()
	defer os.Remove(file.Name())
	if _, err := file.Write(make([]byte, n<<20)); err != nil {
		panic(err)
	}
	block, err := syscall.Mmap(int(file.Fd()), 0, n<<20, syscall.PROT_READ, syscall.MAP_PRIVATE)
	if err != nil {
		panic(err)
	}
	sum := byte(0)
	for at := 0; at < len(block); at += page {
		sum += block[at]
	}
	line[len(line)-1] = sum
	mapped = append(mapped, block)
}

// deepen parks n goroutines on stacks of at least 64 KiB.
func deepen(n int) {
	spawn(n, func() { descend(64) })
}

//go:noinline
func descend(depth int) byte {
	var frame [1024]byte
	for at := 0; at < len(frame); at += 64 {
		frame[at] = byte(depth)
	}
	if depth == 0 {
		parkInChan()
	} else {
		frame[0] += descend(depth - 1)
	}
	return frame[depth%len(frame)]
}
