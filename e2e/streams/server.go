package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	upgrade "k8s.io/apimachinery/pkg/util/proxy"
	consts "k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/apiserver/pkg/util/proxy"
	"k8s.io/client-go/util/exec"
	portforwardserver "k8s.io/cri-streaming/pkg/streaming/portforward"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	"k8s.io/streaming/pkg/httpstream/wsstream"
)

// server answers paths that end with exec or portforward, and any other with a pod that runs: as kube-apiserver with the
// kubelet behind it, which translates version 5 over WebSocket to SPDY and takes SPDY out of its tunnel; and below
// /spdy as servers before WebSocket.
type server struct {
	address string
}

func serve() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	s := server{listener.Addr().String()}
	fmt.Println(s.address)
	go func() { log.Fatal(http.Serve(listener, s)) }()
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func (s server) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	isOld := strings.HasPrefix(req.URL.Path, "/spdy/")
	end := path.Base(req.URL.Path)
	switch {
	case isOld && wsstream.IsWebSocketRequest(req):
		http.Error(w, "unable to upgrade: no WebSocket here", http.StatusBadRequest)
	case end == "exec" && wsstream.IsWebSocketRequestWithStreamCloseProtocol(req):
		s.translate(w, req)
	case end == "exec":
		serveExec(w, req)
	case end == "portforward" && wsstream.IsWebSocketRequestWithTunnelingProtocol(req):
		kubelet := upgrade.NewUpgradeAwareHandler(s.kubelet("/portforward", req), nil, false, true, responder{})
		proxy.NewTunnelingHandler(kubelet).ServeHTTP(w, req)
	case end == "portforward":
		servePortForward(w, req)
	default:
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, pod)
	}
}

const pod = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"pod","namespace":"default","uid":"uid"},` +
	`"spec":{"containers":[{"name":"c"}]},"status":{"phase":"Running"}}`

// translate is what kube-apiserver does, which asks the kubelet.
func (s server) translate(w http.ResponseWriter, req *http.Request) {
	options, err := optionsOf(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	proxy.NewStreamTranslatorHandler(s.kubelet("/exec", req), nil, 0, proxy.Options{
		Stdin: options.Stdin, Stdout: options.Stdout, Stderr: options.Stderr, Tty: options.TTY,
	}).ServeHTTP(w, req)
}

// kubelet is where kube-apiserver asks for what a request wants.
func (s server) kubelet(path string, req *http.Request) *url.URL {
	return &url.URL{Scheme: "http", Host: s.address, Path: path, RawQuery: req.URL.RawQuery}
}

type responder struct{}

func (responder) Error(w http.ResponseWriter, _ *http.Request, err error) {
	http.Error(w, err.Error(), http.StatusInternalServerError)
}

// optionsOf reads the query of kubelet's API, or that of kube-apiserver's.
func optionsOf(req *http.Request) (*remotecommand.Options, error) {
	is := func(name string) bool { return req.URL.Query().Get(name) == "true" }
	options := &remotecommand.Options{Stdin: is("stdin"), Stdout: is("stdout"), Stderr: is("stderr"), TTY: is("tty")}
	if options.Stdin || options.Stdout || options.Stderr {
		return options, nil
	}
	return remotecommand.NewOptions(req)
}

func serveExec(w http.ResponseWriter, req *http.Request) {
	options, err := optionsOf(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	command := req.URL.Query()["command"]
	remotecommand.ServeExec(w, req, container{}, "pod", "uid", "c", command, options, time.Hour, 30*time.Second,
		consts.SupportedStreamingProtocols)
}

func servePortForward(w http.ResponseWriter, req *http.Request) {
	// kube-apiserver names its parameter otherwise than kubelet.
	req.URL.RawQuery = strings.ReplaceAll(req.URL.RawQuery, "ports=", "port=")
	options, err := portforwardserver.NewV4Options(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	portforwardserver.ServePortForward(w, req, container{}, "pod", "uid", options, time.Hour, 30*time.Second,
		portforwardserver.SupportedProtocols)
}

type container struct{}

// zeros is as much as a container runtime sends at once.
var zeros = make([]byte, 32*1024)

// send writes so many bytes to each writer, in turn.
func send(count int64, writers ...io.Writer) error {
	for left := count; left > 0; left -= int64(len(zeros)) {
		for _, writer := range writers {
			if _, err := writer.Write(zeros[:min(int64(len(zeros)), left)]); err != nil {
				return err
			}
		}
	}
	return nil
}

// take reads standard input to its end, which must come after so many bytes.
func take(count int64, in io.Reader) error {
	taken, err := io.Copy(io.Discard, in)
	if err == nil && taken != count {
		err = fmt.Errorf("%d bytes have arrived, not %d", taken, count)
	}
	return err
}

// ExecInContainer runs `cat`, `exit N`, `send N` (bytes on standard output), `flood N` (bytes on both outputs), `take N`
// (bytes of standard input), `size`, or fails.
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
	case "send":
		return send(int64(argument), out)
	case "flood":
		return send(int64(argument), out, errOut)
	case "take":
		return take(int64(argument), in)
	case "size":
		size := <-resize
		_, err := fmt.Fprintf(out, "%dx%d", size.Width, size.Height)
		return err
	}
	return errors.New("no such command")
}

// PortForward refuses on port 1. On port 9 it takes as many bytes as the first eight say, and answers one; on port 19 it
// sends so many; and otherwise it echoes.
func (container) PortForward(ctx context.Context, name string, uid string, port int32, stream io.ReadWriteCloser) error {
	var count int64
	if port == 9 || port == 19 {
		if err := binary.Read(stream, binary.BigEndian, &count); err != nil {
			return err
		}
	}
	switch port {
	case 1:
		return errors.New("connection refused")
	case 9:
		if _, err := io.CopyN(io.Discard, stream, count); err != nil {
			return err
		}
		_, err := stream.Write(zeros[:1])
		return err
	case 19:
		return send(count, stream)
	}
	_, err := io.Copy(stream, stream)
	return err
}
