// Command streams has the ends of Kubernetes' own packages for exec and port-forward, against which klient's run: see
// crates/streams/tests/it/beside_go.rs.
//
//	streams server                          kubelet's server of exec and port-forward, on the port that it prints
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
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/util/httpstream"
	consts "k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	client "k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/client-go/util/exec"
	portforwardserver "k8s.io/cri-streaming/pkg/streaming/portforward"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
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

func serve() {
	mux := http.NewServeMux()
	mux.HandleFunc("/exec", func(w http.ResponseWriter, req *http.Request) {
		options, err := remotecommand.NewOptions(req)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		command := req.URL.Query()["command"]
		remotecommand.ServeExec(w, req, container{}, "pod", "uid", "c", command, options, time.Hour, 30*time.Second,
			consts.SupportedStreamingProtocols)
	})
	mux.HandleFunc("/portforward", func(w http.ResponseWriter, req *http.Request) {
		options := &portforwardserver.V4Options{}
		portforwardserver.ServePortForward(w, req, container{}, "pod", "uid", options, time.Hour, 30*time.Second,
			portforwardserver.SupportedProtocols)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	go func() { log.Fatal(http.Serve(listener, mux)) }()
	_, _ = io.Copy(io.Discard, os.Stdin)
}

type container struct{}

// ExecInContainer runs `cat`, `exit N`, `flood N` (bytes on both outputs), `size`, or fails.
func (container) ExecInContainer(
	ctx context.Context, name string, uid string, container string, command []string,
	in io.Reader, out, errOut io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize, timeout time.Duration,
) error {
	argument := 0
	if len(command) > 1 {
		argument, _ = strconv.Atoi(command[1])
	}
	switch command[0] {
	case "cat":
		_, err := io.Copy(out, in)
		return err
	case "exit":
		if argument != 0 {
			return exec.CodeExitError{Err: fmt.Errorf("exit code %d", argument), Code: argument}
		}
		return nil
	case "flood":
		part := make([]byte, 32*1024)
		for sent := 0; sent < argument; sent += len(part) {
			if _, err := out.Write(part[:min(len(part), argument-sent)]); err != nil {
				return err
			}
			if _, err := errOut.Write(part[:min(len(part), argument-sent)]); err != nil {
				return err
			}
		}
		return nil
	case "size":
		size := <-resize
		_, err := fmt.Fprintf(out, "%dx%d", size.Width, size.Height)
		return err
	}
	return errors.New("no such command")
}

// PortForward echoes, but on port 1.
func (container) PortForward(ctx context.Context, name string, uid string, port int32, stream io.ReadWriteCloser) error {
	if port == 1 {
		return errors.New("connection refused")
	}
	_, err := io.Copy(stream, stream)
	return err
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
