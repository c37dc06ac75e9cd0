// controller-runtime runs a controller that gives each widget a config map and a status, and prints one JSON line with
// the figures.
//
//	controller-runtime controller --kubeconfig FILE --count 10000 [--changes 500]
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

var (
	count      = flag.Int("count", 10000, "widgets")
	changes    = flag.Int("changes", 0, "changes to wait for when all are reconciled")
	workers    = flag.Int("workers", 16, "concurrent reconciles")
	consistent = flag.Bool("consistent", false, "a client that reads its own writes")
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// cpu is the user and system time in milliseconds.
func cpu() (user, sys float64) {
	var usage syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return float64(usage.Utime.Nano()) / 1e6, float64(usage.Stime.Nano()) / 1e6
}

// vm is a line of /proc/self/status in KiB.
func vm(field string) int64 {
	file, err := os.Open("/proc/self/status")
	must(err)
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), field+":") {
			value, _ := strconv.ParseInt(strings.Fields(lines.Text())[1], 10, 64)
			return value
		}
	}
	return 0
}

func main() {
	started := monotonic()
	must(flag.CommandLine.Parse(os.Args[2:]))
	ctrl.SetLogger(logr.Discard())
	scheme := runtime.NewScheme()
	must(clientgoscheme.AddToScheme(scheme))
	addWidgets(scheme)
	// The flag --kubeconfig is controller-runtime's own.
	manager, err := ctrl.NewManager(ctrl.GetConfigOrDie(), ctrl.Options{
		Scheme:  scheme,
		Metrics: metricsserver.Options{BindAddress: "0"},
		Cache:   cache.Options{DefaultNamespaces: map[string]cache.Config{"default": {}}},
		Client:  client.Options{Cache: &client.CacheOptions{EnableReadYourWritesConsistency: ptr.To(*consistent)}},
	})
	must(err)
	reconciles := newReconciles(*count)
	reconciler := &reconciler{Client: manager.GetClient(), scheme: scheme, reconciles: reconciles}
	must(ctrl.NewControllerManagedBy(manager).
		For(&Widget{}).
		Owns(&corev1.ConfigMap{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: *workers}).
		Complete(reconciler))
	ctx, stop := context.WithCancel(context.Background())
	go func() { must(manager.Start(ctx)) }()
	out := map[string]any{"peer": "controller-runtime", "case": "controller", "count": *count}
	reconciles.rest(started, out)
	if *changes > 0 {
		reconciles.changes(*changes, out)
	}
	out["peak_rss_kb"] = vm("VmHWM")
	out["end_rss_kb"] = vm("VmRSS")
	debug.FreeOSMemory()
	time.Sleep(50 * time.Millisecond)
	out["steady_rss_kb"] = vm("VmRSS")
	line, err := json.Marshal(out)
	must(err)
	fmt.Println(string(line))
	stop()
}
