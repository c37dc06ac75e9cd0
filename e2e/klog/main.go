// Program klog makes the calls of a table with Kubernetes' own packages: klog's text, or the JSON of kube-apiserver.
//
//	klog -calls calls.jsonl -format text|json
//
// It writes the lines to its standard error, with verbosity 4.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"strconv"
	"time"

	"go.uber.org/zap/zapcore"
	logsjson "k8s.io/component-base/logs/json"
	"k8s.io/klog/v2"
)

// A call of the table.
type call struct {
	Call    string  `json:"call"`
	V       int     `json:"v"`
	Text    string  `json:"text"`
	Msg     string  `json:"msg"`
	Err     *string `json:"err"`
	Names   []string
	Context []pair
	Values  []pair
}

// A key and a value.
type pair struct {
	key   string
	value any
}

func (p *pair) UnmarshalJSON(data []byte) error {
	var parts [2]json.RawMessage
	if err := json.Unmarshal(data, &parts); err != nil {
		return err
	}
	if err := json.Unmarshal(parts[0], &p.key); err != nil {
		return err
	}
	var typed map[string]json.RawMessage
	if err := json.Unmarshal(parts[1], &typed); err != nil {
		return err
	}
	for kind, raw := range typed {
		value, err := decode(kind, raw)
		if err != nil {
			return err
		}
		p.value = value
	}
	return nil
}

func read[T any](raw json.RawMessage) (T, error) {
	var value T
	err := json.Unmarshal(raw, &value)
	return value, err
}

func decode(kind string, raw json.RawMessage) (any, error) {
	switch kind {
	case "string":
		return read[string](raw)
	case "int":
		return read[int64](raw)
	case "uint":
		return read[uint64](raw)
	case "bool":
		return read[bool](raw)
	case "float":
		text, err := read[string](raw)
		if err != nil {
			return nil, err
		}
		if text == "NaN" {
			return math.NaN(), nil
		}
		return strconv.ParseFloat(text, 64)
	case "err":
		text, err := read[string](raw)
		return errors.New(text), err
	case "duration":
		nanos, err := read[int64](raw)
		return time.Duration(nanos), err
	case "kref":
		names, err := read[[2]string](raw)
		return klog.KRef(names[0], names[1]), err
	case "krefs":
		names, err := read[[][2]string](raw)
		objects := make([]object, 0, len(names))
		for _, name := range names {
			objects = append(objects, object(name))
		}
		return klog.KObjSlice(objects), err
	case "json":
		return read[any](raw)
	case "bytes":
		numbers, err := read[[]int](raw)
		bytes := make([]byte, 0, len(numbers))
		for _, number := range numbers {
			bytes = append(bytes, byte(number))
		}
		return bytes, err
	}
	return nil, fmt.Errorf("no kind %q of values", kind)
}

// An object with a namespace and a name.
type object [2]string

func (o object) GetNamespace() string { return o[0] }
func (o object) GetName() string      { return o[1] }

func list(pairs []pair) []any {
	var list []any
	for _, p := range pairs {
		list = append(list, p.key, p.value)
	}
	return list
}

func (c call) err() error {
	if c.Err == nil {
		return nil
	}
	return errors.New(*c.Err)
}

func (c call) logger() klog.Logger {
	logger := klog.Background()
	for _, name := range c.Names {
		logger = logger.WithName(name)
	}
	if len(c.Context) > 0 {
		logger = logger.WithValues(list(c.Context)...)
	}
	return logger
}

func (c call) make() error {
	values := list(c.Values)
	switch c.Call {
	case "Info":
		klog.Info(c.Text)
	case "Warning":
		klog.Warning(c.Text)
	case "Error":
		klog.Error(c.Text)
	case "InfoS":
		klog.InfoS(c.Msg, values...)
	case "ErrorS":
		klog.ErrorS(c.err(), c.Msg, values...)
	case "V":
		klog.V(klog.Level(c.V)).InfoS(c.Msg, values...)
	case "VInfo":
		klog.V(klog.Level(c.V)).Info(c.Text)
	case "VErrorS":
		klog.V(klog.Level(c.V)).ErrorS(c.err(), c.Msg, values...)
	case "Logger":
		c.logger().V(c.V).Info(c.Msg, values...)
	case "LoggerError":
		c.logger().Error(c.err(), c.Msg, values...)
	default:
		return fmt.Errorf("no call %q", c.Call)
	}
	return nil
}

func run() error {
	const verbosity = 4
	path := flag.String("calls", "", "table of calls")
	format := flag.String("format", "text", "text or json")
	flag.Parse()
	var level klog.Level
	if err := level.Set(strconv.Itoa(verbosity)); err != nil {
		return err
	}
	if *format == "json" {
		stderr := zapcore.Lock(logsjson.AddNopSync(os.Stderr))
		logger, _ := logsjson.NewJSONLogger(verbosity, stderr, nil, nil)
		klog.SetLoggerWithOptions(logger, klog.ContextualLogger(true))
	}
	file, err := os.Open(*path)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var c call
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return fmt.Errorf("%s: %w", lines.Text(), err)
		}
		if err := c.make(); err != nil {
			return err
		}
	}
	klog.Flush()
	return lines.Err()
}

func main() {
	if err := run(); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}
