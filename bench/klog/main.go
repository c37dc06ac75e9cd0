// klog writes lines to a file with klog and prints one JSON line with the figures.
//
//	klog --lines 1000000 --threads 4 --file data/log [--disabled] [--vmodule]
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"k8s.io/klog/v2"
)

var (
	lines    = flag.Int("lines", 1000000, "lines in all")
	threads  = flag.Int("threads", 1, "goroutines that write")
	file     = flag.String("file", "data/log", "log file")
	disabled = flag.Bool("disabled", false, "lines of a verbosity that is not logged")
	vmodule  = flag.Bool("vmodule", false, "with verbosities of other files")
)

const latency = 250 * time.Millisecond

func write(lines int) {
	for attempt := 0; attempt < lines; attempt++ {
		klog.InfoS("Synced pod", "pod", klog.KRef("shop", "web-0"), "node", "n1", "attempt", attempt, "latency", latency)
	}
}

func writeDisabled(lines int) {
	for attempt := 0; attempt < lines; attempt++ {
		klog.V(4).InfoS("Synced pod", "pod", klog.KRef("shop", "web-0"), "node", "n1", "attempt", attempt, "latency", latency)
	}
}

func set(flags *flag.FlagSet, name, value string) {
	if err := flags.Set(name, value); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	flag.Parse()
	os.Remove(*file)
	flags := flag.NewFlagSet("klog", flag.ExitOnError)
	klog.InitFlags(flags)
	set(flags, "logtostderr", "false")
	set(flags, "stderrthreshold", "FATAL")
	set(flags, "log_file", *file)
	set(flags, "skip_log_headers", "true")
	if *vmodule {
		set(flags, "vmodule", "other=9,another*=4")
	}
	call := write
	if *disabled {
		call = writeDisabled
	}
	call(1000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	var group sync.WaitGroup
	for range *threads {
		group.Add(1)
		go func() {
			defer group.Done()
			call(*lines / *threads)
		}()
	}
	group.Wait()
	elapsed := time.Since(began)
	runtime.ReadMemStats(&after)
	klog.Flush()
	os.Remove(*file)
	figures, err := json.Marshal(map[string]any{
		"peer":                 "klog",
		"ns_per_line":          float64(elapsed.Nanoseconds()) / float64(*lines),
		"allocations_per_line": float64(after.Mallocs-before.Mallocs) / float64(*lines),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(string(figures))
}
