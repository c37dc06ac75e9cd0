// Command webhooks serves the webhooks of a controller-runtime program, which default, validate and convert lamps, and
// change and refuse config maps; configures them on the server of $KUBECONFIG; and writes objects in the ways in which
// those webhooks are called. It prints each review that is not one of lamps, and each answer, without what no two servers
// have in common.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/cert"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
)

func main() {
	ctrl.SetLogger(logr.Discard())
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "webhooks:", err)
		os.Exit(1)
	}
}

func run() error {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return err
	}
	addLamps(scheme)
	// The first certificate is that of the server, the second that of the authority.
	chain, key, err := cert.GenerateSelfSignedCertKey("127.0.0.1", []net.IP{net.IPv4(127, 0, 0, 1)}, nil)
	if err != nil {
		return err
	}
	certificate, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:  scheme,
		Metrics: server.Options{BindAddress: "0"},
		WebhookServer: webhook.NewServer(webhook.Options{
			Host: "127.0.0.1",
			Port: port,
			TLSOpts: []func(*tls.Config){func(config *tls.Config) {
				config.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &certificate, nil }
			}},
		}),
	})
	if err != nil {
		return err
	}
	if err := register(manager); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- manager.Start(ctx) }()
	url := "https://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	if err := await(url, chain); err != nil {
		return err
	}
	played := make(chan error, 1)
	go func() { played <- scenario(ctx, config, url, chain) }()
	select {
	case err := <-played:
		return err
	case err := <-ended:
		return fmt.Errorf("the manager has ended: %w", err)
	}
}

// await waits until the webhooks are served.
func await(url string, ca []byte) error {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	defer client.CloseIdleConnections()
	for range 200 {
		if response, err := client.Get(url + "/validate"); err == nil {
			response.Body.Close()
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.New("the webhooks are not served after ten seconds")
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

func encoded(ca []byte) string {
	return base64.StdEncoding.EncodeToString(ca)
}
