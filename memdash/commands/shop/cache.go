package main

import (
	"container/list"
	"sync"
)

// The cache keeps the pages used last, at most size of them: memory that grows and then stays.
type cache struct {
	mu    sync.Mutex
	size  int
	order *list.List
	pages map[string]*list.Element
}

type page struct {
	path string
	body []byte
}

func newCache(size int) *cache {
	return &cache{size: size, order: list.New(), pages: make(map[string]*list.Element, size)}
}

func (c *cache) get(path string) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.pages[path]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(element)
	return element.Value.(*page).body, true
}

func (c *cache) put(path string, body []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.pages[path]; ok {
		return
	}
	kept := make([]byte, len(body))
	copy(kept, body)
	c.pages[path] = c.order.PushFront(&page{path, kept})
	if c.order.Len() > c.size {
		oldest := c.order.Remove(c.order.Back()).(*page)
		delete(c.pages, oldest.path)
	}
}
