// Command streams has the ends of Kubernetes' own packages for exec and port-forward, against which klient's run: see
// crates/streams/tests/it/beside_go.rs, and beside which they are measured: see xtask/src/bench/streams.rs.
//
//	streams server                          exec and port-forward of kubelet and of kube-apiserver, at the address that it prints
//	streams exec TRANSPORT URL [tty]        client-go's exec, with its own standard streams and exit code
//	streams forward TRANSPORT URL PORT      client-go's port-forward, on the local port that it prints
//
// TRANSPORT is websocket or spdy. The server ends with its standard input.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"

	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	client "k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/client-go/util/exec"
)

func main() {
	log.SetFlags(0)
	args := os.Args[1:]
	switch {
	case len(args) == 1 && args[0] == "server":
		serve()
	case len(args) >= 3 && args[0] == "exec":
		execute(args[1], args[2], len(args) > 3)
	case len(args) == 4 && args[0] == "forward":
		forward(args[1], args[2], args[3])
	default:
		log.Fatal("usage: streams server | exec TRANSPORT URL [tty] | forward TRANSPORT URL PORT")
	}
}

func configOf(target string) (*rest.Config, *url.URL) {
	parsed, err := url.Parse(target)
	if err != nil {
		log.Fatal(err)
	}
	return &rest.Config{Host: parsed.Scheme + "://" + parsed.Host}, parsed
}

func execute(transport, target string, tty bool) {
	config, parsed := configOf(target)
	var executor client.Executor
	var err error
	if transport == "websocket" {
		executor, err = client.NewWebSocketExecutor(config, "GET", target)
	} else {
		executor, err = client.NewSPDYExecutor(config, "POST", parsed)
	}
	if err != nil {
		log.Fatal(err)
	}
	options := client.StreamOptions{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Tty: tty}
	if tty {
		options.Stdin, options.Stderr = nil, nil
		options.TerminalSizeQueue = &sizes{{Width: 80, Height: 24}}
	}
	err = executor.StreamWithContext(context.Background(), options)
	var code exec.CodeExitError
	if errors.As(err, &code) {
		os.Exit(code.Code)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(200)
	}
}

type sizes []client.TerminalSize

func (s *sizes) Next() *client.TerminalSize {
	if len(*s) == 0 {
		return nil
	}
	next := (*s)[0]
	*s = (*s)[1:]
	return &next
}

func forward(transport, target, port string) {
	config, parsed := configOf(target)
	var dialer httpstream.Dialer
	var err error
	if transport == "websocket" {
		dialer, err = portforward.NewSPDYOverWebsocketDialer(parsed, config)
	} else {
		var round http.RoundTripper
		var upgrader spdy.Upgrader
		round, upgrader, err = spdy.RoundTripperFor(config)
		dialer = spdy.NewDialer(upgrader, &http.Client{Transport: round}, "POST", parsed)
	}
	if err != nil {
		log.Fatal(err)
	}
	stop, ready := make(chan struct{}), make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(stop)
	}()
	forwarder, err := portforward.NewOnAddresses(
		dialer, []string{"127.0.0.1"}, []string{":" + port}, stop, ready, io.Discard, os.Stderr)
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		<-ready
		ports, err := forwarder.GetPorts()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(ports[0].Local)
	}()
	if err := forwarder.ForwardPorts(); err != nil {
		log.Fatal(err)
	}
}
