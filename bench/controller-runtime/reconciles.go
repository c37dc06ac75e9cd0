package main

import (
	"fmt"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// rest is the time without a reconcile after which a controller is at rest.
const rest = time.Second

// monotonic is the monotonic clock in nanoseconds, which is the same in all processes.
func monotonic() int64 {
	var now unix.Timespec
	must(unix.ClockGettime(unix.CLOCK_MONOTONIC, &now))
	return now.Nano()
}

// reconciles are the reconciles of a controller, counted and timed.
type reconciles struct {
	isDone        []atomic.Bool
	completed     atomic.Int64
	begun, failed atomic.Int64
	doneAt        atomic.Int64

	lock   sync.Mutex
	tokens map[int64]struct{}
	micros []float64
}

func newReconciles(count int) *reconciles {
	return &reconciles{isDone: make([]atomic.Bool, count), tokens: map[int64]struct{}{}}
}

// begin counts a reconcile. Its token is the time of the change that it is the first to see, or 0.
func (r *reconciles) begin(token int64) {
	r.begun.Add(1)
	if token == 0 {
		return
	}
	now := monotonic()
	r.lock.Lock()
	defer r.lock.Unlock()
	if _, ok := r.tokens[token]; !ok {
		r.tokens[token] = struct{}{}
		r.micros = append(r.micros, float64(now-token)/1000)
	}
}

// done tells that the object of a number is as it should be.
func (r *reconciles) done(number int) {
	if !r.isDone[number].Swap(true) && int(r.completed.Add(1)) == len(r.isDone) {
		r.doneAt.Store(monotonic())
	}
}

// rest waits until all objects are as they should be and nothing is reconciled any more, and writes figures of the
// whole program since its start.
func (r *reconciles) rest(started int64, out map[string]any) {
	for {
		before := r.begun.Load()
		time.Sleep(rest)
		if int(r.completed.Load()) == len(r.isDone) && r.begun.Load() == before {
			break
		}
	}
	user, sys := cpu()
	out["wall_ms"] = float64(r.doneAt.Load()-started) / 1e6
	out["user_ms"], out["sys_ms"], out["cpu_ms"] = user, sys, user+sys
	out["rest_rss_kb"] = vm("VmRSS")
	out["reconciles"], out["failed"] = r.begun.Load(), r.failed.Load()
}

// changes says on standard output that changes may come, waits for so many, and writes how long it took from each to
// its reconcile.
func (r *reconciles) changes(count int, out map[string]any) {
	fmt.Println("ready")
	user, sys := cpu()
	before := user + sys
	seen := func() int {
		r.lock.Lock()
		defer r.lock.Unlock()
		return len(r.tokens)
	}
	for seen() < count {
		time.Sleep(rest)
	}
	time.Sleep(rest)
	user, sys = cpu()
	out["cpu_us_per_change"] = (user + sys - before) * 1000 / float64(count)
	sort.Float64s(r.micros)
	out["p50_us"], out["p99_us"] = r.micros[count/2], r.micros[count*99/100]
}
