// A program that answers questions about CEL as Kubernetes does, to compare klient's answers with.
//
// It reads lines `NAME JSON` from its standard input, and answers each with a line of JSON. Names are those of `answers`,
// which every file adds to.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
)

// answers has the functions that answer, by the name of what is asked.
var answers = map[string]func(question []byte) (any, error){}

func main() {
	time.Local = time.UTC
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for {
		// What has come so far is answered before more is waited for.
		if in.Buffered() == 0 {
			out.Flush()
		}
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		name, question, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		answer, known := answers[name]
		if !known {
			fmt.Fprintf(os.Stderr, "nothing answers to %s\n", name)
			os.Exit(1)
		}
		result, err := safely(answer, []byte(question))
		if err != nil {
			result = map[string]any{"refused": err.Error()}
		}
		if err := encoder.Encode(result); err != nil {
			fmt.Fprintf(os.Stderr, "the answer to %s is no JSON: %v\n", question, err)
			os.Exit(1)
		}
	}
}

// safely makes an error of a panic.
func safely(answer func([]byte) (any, error), question []byte) (result any, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("panic: %v", problem)
		}
	}()
	return answer(question)
}
