package main

import (
	"fmt"
	"strings"
)

// The catalogue is loaded once and stays: memory that a healthy server simply has.
type catalogue struct {
	descriptions [][]byte
	thumbnails   [][]byte
	words        map[string][]int
	related      [][]int
}

const (
	thumbnailBytes = 1500
	relatedEach    = 48
)

func newCatalogue(size int) *catalogue {
	c := &catalogue{words: make(map[string][]int)}
	c.describe(size)
	c.draw(size)
	c.index(size)
	c.relate(size)
	return c
}

func (c *catalogue) describe(size int) {
	for number := 0; number < size; number++ {
		text := strings.Repeat(fmt.Sprintf("Product %d is the best product %d there is. ", number, number), 20)
		c.descriptions = append(c.descriptions, []byte(text))
	}
}

func (c *catalogue) draw(size int) {
	for number := 0; number < size; number++ {
		c.thumbnails = append(c.thumbnails, make([]byte, thumbnailBytes))
	}
}

// index lists the products of every three-digit ending, as a search engine would.
func (c *catalogue) index(size int) {
	for number := 0; number < size; number++ {
		name := fmt.Sprintf("%05d", number)
		for length := 2; length <= 4; length++ {
			word := name[:length]
			c.words[word] = append(c.words[word], number)
		}
	}
}

func (c *catalogue) relate(size int) {
	for number := 0; number < size; number++ {
		others := make([]int, relatedEach)
		for i := range others {
			others[i] = (number*31 + i*977) % size
		}
		c.related = append(c.related, others)
	}
}
