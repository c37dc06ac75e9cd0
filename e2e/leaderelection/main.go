// Command leaderelection is a candidate of client-go's leader election, which runs beside those of klient: see
// crates/controller/tests/it/beside_client_go.rs. It prints a line with the time in nanoseconds when it begins to lead and
// when it stops, and runs for office again, until it gets a signal.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "path of the kubeconfig")
	id := flag.String("id", "", "identity of the candidate")
	name := flag.String("name", "lock", "name of the Lease")
	lease := flag.Duration("lease", 15*time.Second, "lease duration")
	renew := flag.Duration("renew", 10*time.Second, "renew deadline")
	retry := flag.Duration("retry", 2*time.Second, "retry period")
	pause := flag.Duration("pause", 0, "time to wait before the first attempt")
	flag.Parse()

	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		log.Fatal(err)
	}
	// As resourcelock.NewFromKubeconfig does.
	config.Timeout = max(time.Second, *renew/2)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	time.Sleep(*pause)
	for ctx.Err() == nil {
		var led atomic.Bool
		leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
			Lock: &resourcelock.LeaseLock{
				LeaseMeta:  metav1.ObjectMeta{Name: *name, Namespace: "default"},
				Client:     kubernetes.NewForConfigOrDie(config).CoordinationV1(),
				LockConfig: resourcelock.ResourceLockConfig{Identity: *id},
			},
			LeaseDuration:   *lease,
			RenewDeadline:   *renew,
			RetryPeriod:     *retry,
			ReleaseOnCancel: true,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(ctx context.Context) {
					led.Store(true)
					fmt.Println("leading", time.Now().UnixNano())
				},
				OnStoppedLeading: func() {
					if led.Load() {
						fmt.Println("stopped", time.Now().UnixNano())
					}
				},
			},
		})
	}
}
