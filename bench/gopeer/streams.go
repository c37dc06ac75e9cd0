package main

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
)

var (
	streamsURL = flag.String("url", "", "server of streams; with /spdy one that has no WebSocket")
	streamsMiB = flag.Int("mib", 256, "MiB that go through a stream")
)

// The ports of the server: it takes bytes, sends bytes, and sends back what it gets.
const (
	takes  = "9"
	sends  = "19"
	echoes = "7"
)

// chunk is how many bytes are read or written at once, as io.Copy does.
const chunk = 32 * 1024

// runStreams runs commands in a pod, and connections to its ports.
func runStreams(out map[string]any) any {
	bytes := *streamsMiB << 20
	c := start()
	switch *what {
	case "stdout":
		received := &counter{}
		execute(remotecommand.StreamOptions{Stdout: received}, "send", strconv.Itoa(bytes))
		received.mustBe(bytes)
	case "stdin":
		execute(remotecommand.StreamOptions{Stdin: &source{bytes}, Stdout: io.Discard}, "take", strconv.Itoa(bytes))
	case "down":
		f := dial()
		stream := f.connect(sends)
		must(binary.Write(stream, binary.BigEndian, int64(bytes)))
		received := &counter{}
		_, err := io.Copy(received, stream)
		must(err)
		received.mustBe(bytes)
	case "up":
		f := dial()
		stream := f.connect(takes)
		must(binary.Write(stream, binary.BigEndian, int64(bytes)))
		_, err := io.Copy(stream, &source{bytes})
		must(err)
		_, err = io.ReadFull(stream, make([]byte, 1))
		must(err)
	case "exec-trips":
		stdin, input := io.Pipe()
		output, stdout := io.Pipe()
		go execute(remotecommand.StreamOptions{Stdin: stdin, Stdout: stdout}, "cat")
		trips(output, input, out)
		return nil
	case "forward-trips":
		f := dial()
		stream := f.connect(echoes)
		trips(stream, stream, out)
		return nil
	case "forwards":
		forwards(out)
		return nil
	default:
		log.Fatalf("nothing is known of %q", *what)
	}
	c.stop(out)
	out["mb_per_s"] = float64(bytes) / 1e3 / out["wall_ms"].(float64)
	for of, perGiB := range map[string]string{"cpu_ms": "cpu_ms_per_gib", "user_ms": "user_ms_per_gib"} {
		out[perGiB] = out[of].(float64) * (1 << 30) / float64(bytes)
	}
	return nil
}

func isOverSPDY() bool { return strings.HasSuffix(*streamsURL, "/spdy") }

func podURL(subresource string, query url.Values) *url.URL {
	u, err := url.Parse(*streamsURL + "/api/v1/namespaces/default/pods/pod/" + subresource)
	must(err)
	u.RawQuery = query.Encode()
	return u
}

func execute(options remotecommand.StreamOptions, command ...string) {
	query := url.Values{"command": command, "stdout": {"true"}}
	if options.Stdin != nil {
		query.Set("stdin", "true")
	}
	u := podURL("exec", query)
	config := &rest.Config{Host: *streamsURL}
	var executor remotecommand.Executor
	var err error
	if isOverSPDY() {
		executor, err = remotecommand.NewSPDYExecutor(config, "POST", u)
	} else {
		executor, err = remotecommand.NewWebSocketExecutor(config, "GET", u.String())
	}
	must(err)
	must(executor.StreamWithContext(context.Background(), options))
}

// forwarder is what portforward.PortForwarder does for a connection to a local port, without that.
type forwarder struct {
	connection httpstream.Connection
	mu         sync.Mutex
	next       int
}

func dial() *forwarder {
	config := &rest.Config{Host: *streamsURL}
	u := podURL("portforward", nil)
	var dialer httpstream.Dialer
	var err error
	if isOverSPDY() {
		var round http.RoundTripper
		var upgrader spdy.Upgrader
		round, upgrader, err = spdy.RoundTripperFor(config)
		must(err)
		dialer = spdy.NewDialer(upgrader, &http.Client{Transport: round}, "POST", u)
	} else {
		dialer, err = portforward.NewSPDYOverWebsocketDialer(u, config)
		must(err)
	}
	connection, _, err := dialer.Dial(portforward.PortForwardProtocolV1Name)
	must(err)
	return &forwarder{connection: connection}
}

func (f *forwarder) connect(port string) httpstream.Stream {
	f.mu.Lock()
	f.next++
	headers := http.Header{}
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	headers.Set(corev1.PortHeader, port)
	headers.Set(corev1.PortForwardRequestIDHeader, strconv.Itoa(f.next))
	f.mu.Unlock()
	failures, err := f.connection.CreateStream(headers)
	must(err)
	must(failures.Close())
	go func() {
		message, err := io.ReadAll(failures)
		if err == nil && len(message) > 0 {
			log.Fatal(string(message))
		}
		f.connection.RemoveStreams(failures)
	}()
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	stream, err := f.connection.CreateStream(headers)
	must(err)
	return stream
}

// trips sends 64 bytes and reads them back, after some that are not measured.
func trips(r io.Reader, w io.Writer, out map[string]any) {
	bytes := make([]byte, 64)
	micros := make([]float64, 0, *count)
	var c clock
	for number := range *count + *count/10 {
		if number == *count/10 {
			micros = micros[:0]
			c = start()
		}
		t := time.Now()
		_, err := w.Write(bytes)
		must(err)
		_, err = io.ReadFull(r, bytes)
		must(err)
		micros = append(micros, float64(time.Since(t).Nanoseconds())/1e3)
	}
	c.stop(out)
	out["cpu_us_per_trip"] = out["cpu_ms"].(float64) * 1e3 / float64(*count)
	sort.Float64s(micros)
	out["p50_us"], out["p99_us"] = micros[*count/2], micros[*count*99/100]
}

// forwards has rounds in which a hundred connections each send 64 KiB and get them back.
func forwards(out map[string]any) {
	const connections, size = 100, 64 * 1024
	var millis []float64
	c := start()
	for range *rounds {
		t := time.Now()
		f := dial()
		var wg sync.WaitGroup
		for range connections {
			wg.Go(func() {
				stream := f.connect(echoes)
				written := make(chan error)
				go func() {
					_, err := stream.Write(make([]byte, size))
					written <- err
				}()
				_, err := io.ReadFull(stream, make([]byte, size))
				must(err)
				must(<-written)
				must(stream.Reset())
				f.connection.RemoveStreams(stream)
			})
		}
		wg.Wait()
		must(f.connection.Close())
		millis = append(millis, ms(time.Since(t)))
	}
	c.stop(out)
	out["cpu_ms_per_round"] = out["cpu_ms"].(float64) / float64(*rounds)
	out["round_ms"] = median(millis)
}

// source reads as so many bytes.
type source struct{ left int }

func (s *source) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), s.left, chunk)
	s.left -= n
	return n, nil
}

// counter counts what is written to it.
type counter struct{ count int }

func (c *counter) Write(p []byte) (int, error) {
	c.count += len(p)
	return len(p), nil
}

func (c *counter) mustBe(bytes int) {
	if c.count != bytes {
		must(fmt.Errorf("%d bytes have arrived, not %d", c.count, bytes))
	}
}
