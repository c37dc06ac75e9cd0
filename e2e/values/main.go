// A program that answers as Kubernetes does, to compare klient's values with.
//
// It reads lines `NAME base64(INPUT)` from its standard input, and answers each with a line of its own: `base64(OUTPUT)`
// for what is understood, `!base64(ERROR)` for what is refused. Names are those of `answers`, which every file adds to.
package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"time"
)

// answers has the functions that answer, by the name of what is asked.
var answers = map[string]func(input string) (string, error){}

func main() {
	time.Local = time.UTC
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	for {
		// What has come so far is answered before more is waited for.
		if in.Buffered() == 0 {
			out.Flush()
		}
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		name, encoded, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		input, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			fmt.Fprintf(os.Stderr, "the input of %s is no base64: %v\n", name, err)
			os.Exit(1)
		}
		answer, known := answers[name]
		if !known {
			fmt.Fprintf(os.Stderr, "nothing answers to %s\n", name)
			os.Exit(1)
		}
		output, err := safely(answer, string(input))
		if err != nil {
			out.WriteByte('!')
			output = err.Error()
		}
		out.WriteString(base64.StdEncoding.EncodeToString([]byte(output)))
		out.WriteByte('\n')
	}
}

// safely makes an error of a panic.
func safely(answer func(string) (string, error), input string) (output string, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("panic: %v", problem)
		}
	}()
	return answer(input)
}
