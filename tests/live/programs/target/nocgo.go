//go:build !withcgo
// +build !withcgo

package main

func holdInC(int) { panic("there is no C in here") }
