//go:build withcgo
// +build withcgo

package main

// #include <stdlib.h>
// #include <string.h>
//
// static void hold(long blocks, long size) {
//   for (long i = 0; i < blocks; i++) memset(malloc(size), 1, size);
// }
import "C"

// holdInC has the C library hold n MiB in blocks too small for mappings of their own.
func holdInC(n int) { C.hold(C.long(n*16), 1<<16) }
