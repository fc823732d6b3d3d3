package main

import (
	"fmt"
	"sync"
	"time"
)

// A session is what the shop remembers of one visit.
type session struct {
	id      string
	started time.Time
	basket  []byte
	closed  chan struct{}
}

// The store holds all sessions. It has no remove: that is the leak.
type store struct {
	mu       sync.Mutex
	sessions map[string]*session
	held     int64
	limit    int64
}

func newStore(limit int64) *store {
	return &store{sessions: make(map[string]*session), limit: limit}
}

const (
	basketBytes = 6 << 10
	watchEvery  = 120
)

// add remembers a new visit, until the limit is reached. Every 120th gets a goroutine that nobody will ever wake.
func (s *store) add(number int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held >= s.limit {
		return
	}
	visit := &session{
		id:      fmt.Sprintf("visit-%08d", number),
		started: time.Now(),
		basket:  make([]byte, basketBytes),
		closed:  make(chan struct{}),
	}
	s.sessions[visit.id] = visit
	s.held += basketBytes
	if number%watchEvery == 0 {
		go s.watch(visit)
	}
}

// watch waits for a visit to be closed, which never happens.
func (s *store) watch(visit *session) {
	<-visit.closed
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, visit.id)
}
