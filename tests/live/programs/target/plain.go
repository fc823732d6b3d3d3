//go:build !pprof
// +build !pprof

package main

func prepareFlavour() {}

func obeyFlavour(command string, n int) string { return "unknown command" }
