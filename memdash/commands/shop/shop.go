package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
)

const (
	products    = 5000
	cachedPages = 500
)

type product struct {
	Name    string   `json:"name"`
	Cents   int      `json:"cents"`
	Tags    []string `json:"tags"`
	Reviews []review `json:"reviews"`
}

type review struct {
	Stars int    `json:"stars"`
	Text  string `json:"text"`
}

type shop struct {
	catalogue *catalogue
	store     *store
	cache     *cache
	visits    int64
}

func newShop(leakLimit int64) *shop {
	return &shop{catalogue: newCatalogue(products), store: newStore(leakLimit), cache: newCache(cachedPages)}
}

func (s *shop) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/product/", s.serveProduct)
	mux.HandleFunc("/search", s.serveSearch)
	return mux
}

func (s *shop) serveProduct(w http.ResponseWriter, r *http.Request) {
	s.store.add(int(atomic.AddInt64(&s.visits, 1)))
	body, ok := s.cache.get(r.URL.Path)
	if !ok {
		number, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/product/"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		body = renderProduct(number)
		s.cache.put(r.URL.Path, body)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(body)
}

// renderProduct makes the page of one product: about 8 KiB, and three times as much garbage.
func renderProduct(number int) []byte {
	made := product{Name: fmt.Sprintf("Product %d", number), Cents: 100 + number%9900, Tags: []string{"shop", "demo"}}
	for i := 0; i < 40; i++ {
		text := strings.Repeat(fmt.Sprintf("review %d of product %d. ", i, number), 5)
		made.Reviews = append(made.Reviews, review{Stars: 1 + i%5, Text: text})
	}
	body, err := json.Marshal(made)
	if err != nil {
		panic(err) // plain strings and numbers always marshal
	}
	return body
}

// serveSearch looks through the names of many products: nothing but garbage.
func (s *shop) serveSearch(w http.ResponseWriter, r *http.Request) {
	wanted := r.URL.Query().Get("q")
	var found []string
	for number := 0; number < 2000; number++ {
		name := fmt.Sprintf("Product %d", number)
		if strings.Contains(strings.ToLower(name), wanted) {
			found = append(found, name)
		}
	}
	json.NewEncoder(w).Encode(found)
}
