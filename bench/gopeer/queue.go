package main

import (
	"flag"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/util/workqueue"
)

var (
	queueKeys    = flag.Int("keys", 100_000, "distinct keys")
	rounds       = flag.Int("rounds", 10, "how often all keys are added at once, or all connections opened")
	queueWorkers = flag.Int("workers", 1, "goroutines that take keys")
	queueBursts  = flag.Int("bursts", 1000, "bursts of keys, one each millisecond")
)

// burst is how many keys are added together when there is a pace.
const burst = 10

// runQueue has rounds in which one goroutine adds every key at once, then one in which they come in bursts. No
// key is added while it is queued, so that none merges with another.
func runQueue(out map[string]any) any {
	q := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]())
	keys := make([]string, *queueKeys)
	for i := range keys {
		keys[i] = fmt.Sprintf("team-%02d/svc-%06d", i%50, i)
	}
	begin := time.Now()
	added, waits := make([]int64, len(keys)), make([]int64, len(keys))
	var measured atomic.Bool
	counts := make([]processed, *queueWorkers)
	var wg sync.WaitGroup
	for worker := range *queueWorkers {
		wg.Go(func() {
			count := &counts[worker]
			for {
				k, down := q.Get()
				if down {
					return
				}
				if measured.Load() {
					now := int64(time.Since(begin))
					number, _ := strconv.Atoi(k[len(k)-6:])
					atomic.StoreInt64(&waits[number], now-atomic.LoadInt64(&added[number]))
				}
				q.Forget(k)
				q.Done(k)
				count.Store(count.Load() + 1)
			}
		})
	}
	waitUntilProcessed := func(want int) {
		for {
			var sum int64
			for i := range counts {
				sum += counts[i].Load()
			}
			if sum >= int64(want) {
				return
			}
			time.Sleep(50 * time.Microsecond)
		}
	}
	addAll := func() {
		var adding sync.WaitGroup
		adding.Go(func() {
			for _, k := range keys {
				q.Add(k)
			}
		})
		adding.Wait()
	}

	addAll()
	waitUntilProcessed(len(keys))
	c := start()
	for round := range *rounds {
		addAll()
		waitUntilProcessed(len(keys) * (round + 2))
	}
	c.stop(out)
	number := float64(len(keys) * *rounds)
	out["keys_per_s"] = number / out["wall_ms"].(float64) * 1000
	out["cpu_ns_per_key"] = out["cpu_ms"].(float64) * 1e6 / number

	bursts := min(*queueBursts, len(keys)/burst)
	c = start()
	measured.Store(true)
	var adding sync.WaitGroup
	adding.Go(func() {
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		for i, k := range keys[:bursts*burst] {
			if i%burst == 0 {
				<-ticker.C
			}
			atomic.StoreInt64(&added[i], int64(time.Since(begin)))
			q.Add(k)
		}
	})
	adding.Wait()
	waitUntilProcessed(len(keys)*(*rounds+1) + bursts*burst)
	paced := map[string]any{}
	c.stop(paced)
	out["paced_cpu_ns_per_key"] = paced["cpu_ms"].(float64) * 1e6 / float64(bursts*burst)

	q.ShutDownWithDrain()
	wg.Wait()
	waits = waits[:bursts*burst]
	slices.Sort(waits)
	out["latency_p50_us"] = float64(waits[len(waits)/2]) / 1e3
	out["latency_p99_us"] = float64(waits[len(waits)*99/100]) / 1e3
	return q
}

// processed is how many keys a worker has processed; workers share no cache line.
type processed struct {
	atomic.Int64
	_ [120]byte
}
